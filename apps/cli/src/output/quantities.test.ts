import { formatEstimate } from './quantities.js';

test.each([
  [0, 'less than 1 s'],
  [1_400, 'about 1 s'],
  [59_400, 'about 59 s'],
  [59_600, 'about 1 m'],
  [3_560_000, 'about 59 m'],
  [3_580_000, 'about 1 h 0 m'],
  [9_000_000, 'about 2 h 30 m'],
])('an estimate of %d ms has no more digits than it deserves', (ms, text) => {
  expect(formatEstimate(ms)).toBe(text);
});
