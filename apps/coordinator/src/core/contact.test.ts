import { instant } from '@tutti/base';
import { Contact } from './contact.js';

const MAX = 3_000;

test('reports that follow each other closely are one stretch', () => {
  const contact = new Contact(MAX);
  contact.heard(instant(0));
  const first = contact.stretch(instant(10));
  for (const at of [1_000, 2_000, 5_000]) contact.heard(instant(at));
  expect(first).toBeDefined();
  expect(contact.stretch(instant(5_000))).toBe(first);
});

test('C1: nobody hears us when the last report that was heard is too old', () => {
  const contact = new Contact(MAX);
  expect(contact.stretch(instant(0))).toBeUndefined();
  contact.heard(instant(0));
  expect(contact.stretch(instant(MAX))).toBeDefined();
  expect(contact.stretch(instant(MAX + 1))).toBeUndefined();
});

test('C2: after a silence another stretch begins, even when nobody looked meanwhile', () => {
  const contact = new Contact(MAX);
  contact.heard(instant(0));
  const before = contact.stretch(instant(0));
  contact.heard(instant(MAX + 1));
  expect(contact.stretch(instant(MAX + 1))).not.toBe(before);
});

test('answers that arrive out of order do not end a stretch', () => {
  const contact = new Contact(MAX);
  contact.heard(instant(2_000));
  const before = contact.stretch(instant(2_000));
  contact.heard(instant(1_000));
  contact.heard(instant(5_000));
  expect(contact.stretch(instant(5_000))).toBe(before);
});
