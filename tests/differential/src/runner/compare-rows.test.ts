import { compareRows } from './compare-rows.js';

test.each([
  ['rows in another order', [[1], [2]], [[2], [1]], 'bag'],
  ['numbers that differ in the last digits', [[0.1 + 0.2]], [[0.3]], 'bag'],
  ['numbers on both sides of a rounding edge', [[1.00000000049999]], [[1.00000000050001]], 'bag'],
  ['both zeros', [[-0]], [[0]], 'ordered'],
  ['NaN, which is a text in JSON', [['NaN']], [['NaN']], 'ordered'],
  ['other rows where only their number is said', [[1], [2]], [[3], [4]], 'count'],
  ['nested numbers', [[[{ a: 0.1 + 0.2 }]]], [[[{ a: 0.3 }]]], 'ordered'],
] as const)('%s are equal', (_, expected, actual, comparison) => {
  expect(compareRows(expected as never, actual as never, comparison)).toBeUndefined();
});

test.each([
  ['another number', [[1], [2]], [[1], [3]], 'bag'],
  ['one row twice and another one not', [[1], [2], [2]], [[1], [1], [2]], 'bag'],
  ['NULL instead of a value', [[0]], [[null]], 'bag'],
  ['a text that is a number', [[1]], [['1']], 'bag'],
  ['another order', [[1], [2]], [[2], [1]], 'ordered'],
  ['fewer rows', [[1], [2]], [[1]], 'count'],
  ['long texts with another end', [['12345678901']], [['12345678902']], 'bag'],
  ['lists of another length', [[[1, null]]], [[[1]]], 'bag'],
] as const)('%s is a difference', (_, expected, actual, comparison) => {
  expect(compareRows(expected as never, actual as never, comparison)).toMatch(/differ|expected/);
});
