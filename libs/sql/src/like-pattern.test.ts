import fc from 'fast-check';
import { likePattern } from './like-pattern.js';

test.each([
  ['f%', 'flights', true],
  ['F%', 'flights', true],
  ['f%', 'of', false],
  ['_light_', 'flights', true],
  ['%\\_%', 'a_b', true],
  ['%\\_%', 'ab', false],
  ['a.c', 'abc', false],
  ['', '', true],
  ['%', 'line\nbreak', true],
])('%j matches %j: %s', (pattern, text, matches) => {
  expect(likePattern(pattern)(text)).toBe(matches);
});

test('a text without wildcards matches itself, whatever is in it', () => {
  fc.assert(fc.property(fc.string(), (text) => likePattern(text.replace(/[%_\\]/g, '\\$&'))(text)));
});
