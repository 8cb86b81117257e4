import fc from 'fast-check';
import { type OffsetUnit, positionAt } from './error-position.js';

test.each<[string, number, OffsetUnit, string]>([
  ['select x', 7, 'characters', '1:8'],
  ['a\nbc', 3, 'characters', '2:2'],
  ['a\r\nbc', 4, 'utf16', '2:2'],
  ['a\rb', 2, 'utf16', '2:1'],
  ["'äöü😀' x", 7, 'characters', '1:8'],
  ["'äöü😀' x", 8, 'utf16', '1:8'],
  ["'äöü😀' x", 13, 'bytes', '1:8'],
  ['abc', 3, 'bytes', '1:4'],
  ['', 0, 'bytes', '1:1'],
])('%j at %i %s is %s', (text, offset, unit, place) => {
  const position = positionAt(text, offset, unit);
  expect(`${position?.line}:${position?.column}`).toBe(place);
});

test('an offset behind the text, or none, has no position', () => {
  expect(positionAt('abc', 4, 'bytes')).toBeUndefined();
  expect(positionAt('abc', -1, 'bytes')).toBeUndefined();
  expect(positionAt('abc', Number.NaN, 'bytes')).toBeUndefined();
});

test('the three units lead to the same place', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 30 });
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const text = before + after;
      const places = [
        positionAt(text, [...before].length, 'characters'),
        positionAt(text, before.length, 'utf16'),
        positionAt(text, new TextEncoder().encode(before).length, 'bytes'),
      ];
      expect(places[1]).toEqual(places[0]);
      expect(places[2]).toEqual(places[0]);
    }),
  );
});
