import { engineLines } from './engine-lines.js';

test('the plan of the engine is an operator a line, with what it does', () => {
  const scan = {
    name: 'READ_PARQUET',
    children: [],
    extra_info: { Filters: "a = 'x\ny'", 'Estimated Cardinality': 7 },
  };
  const join = {
    name: 'COMPARISON_JOIN',
    children: [scan, { name: 'EMPTY_RESULT', children: [] }],
    extra_info: { 'Join Type': 'INNER', Conditions: ['(a = b)', '(c = d)'], Empty: '', 'Estimated Cardinality': '12' },
  };
  expect(engineLines(JSON.stringify([join]))).toEqual([
    'COMPARISON_JOIN, about 12 rows [Join Type: INNER; Conditions: (a = b), (c = d)]',
    "  READ_PARQUET, about 7 rows [Filters: a = 'x y']",
    '  EMPTY_RESULT',
  ]);
  expect(engineLines('[]')).toEqual([]);
  expect(engineLines('['.repeat(10_000))).toEqual(['(not shown: more than 800 levels)']);
});
