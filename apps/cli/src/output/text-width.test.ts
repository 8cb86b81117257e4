import fc from 'fast-check';
import { clipText, escapeControls, padText, textWidth } from './text-width.js';

test.each([
  ['plain', 5],
  ['', 0],
  ['naïve', 5],
  ['e\u0301', 1],
  ['日本語', 6],
  ['한글', 4],
  ['ｆｕｌｌ', 8],
  ['😀', 2],
  ['👩‍👩‍👧', 2],
  ['🇩🇪', 2],
  ['❤️', 2],
  ['1', 1],
  ['\u200b', 0],
])('%s takes %d cells', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('a text that is too long is cut, wide characters whole', () => {
  expect(clipText('abcdef', 6)).toBe('abcdef');
  expect(clipText('abcdef', 5)).toBe('abcd…');
  expect(clipText('日本語', 5)).toBe('日本…');
  expect(clipText('日本語', 4)).toBe('日…');
  expect(clipText('abc', 0)).toBe('');
});

test('a cut text never takes more than its width', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, width) => {
      expect(textWidth(clipText(text, width))).toBeLessThanOrEqual(width);
    }),
  );
});

test('a text is padded by the cells that it takes', () => {
  expect(padText('日本', 6, false)).toBe('日本  ');
  expect(padText('7', 3, true)).toBe('  7');
  expect(padText('long', 2, true)).toBe('long');
});

test('nothing that can move a cursor or turn the text around comes through', () => {
  expect(escapeControls('a\tb\r\n\0\x1b[2J\x7f\x9b\u2028\u202e\ud800')).toBe(
    'a\\tb\\r\\n\\x00\\x1b[2J\\x7f\\x9b\\u2028\\u202e\\ud800',
  );
  expect(escapeControls('naïve 日本 😀')).toBe('naïve 日本 😀');
});
