import { explainStages } from './explain-stages.js';
import { col, compare, constant, group, join, scan, topN } from './testing/plans.js';

const settings = {
  workers: 2,
  tasksPerWorker: 2,
  taskRows: 0,
  replicatedRowsMax: 100,
  broadcastRowsMax: 1_000,
  isAdaptive: true,
};
const tables = new Map([
  ['hive.main.orders', { rows: 1_000_000, splits: 9, bytes: 1_000_000 }],
  ['hive.main.items', { rows: 4_000_000, splits: 30, bytes: 1_000_000 }],
  ['hive.main.days', { rows: 50, splits: 1, bytes: 1_000_000 }],
]);

test('stages are told from the last to the first', () => {
  const orders = scan('hive.main.orders', 200_000, [compare(col(1), '>=', constant(7))]);
  const items = join('inner', scan('hive.main.items', 4_000_000), scan('hive.main.days', 50));
  const plan = topN(group(join('inner', items, orders), [1], 300_000), 10);
  expect(explainStages(plan, settings, tables).join('\n')).toBe(
    `
Stage final [1 task]
    Output: result, about 10 rows
    Operators: read 0-gather > top-N
    Read: stage 0-gather, whole in every task
Stage 0-gather [4 tasks]
    Output: files, about 10 rows
    Operators: read 1-partial > final aggregate > partial top-N
    Read: stage 1-partial, by partition
Stage 1-partial [4 tasks]
    Output: hash (c0), about 300000 rows
    Operators: read 2-left > read 2-right > inner join > partial aggregate
    Read: stage 2-left, by partition
    Read: stage 2-right, by partition
Stage 2-right [4 tasks]
    Output: hash (c0), about 200000 rows
    Operators: scan hive.main.orders
    Scan: hive.main.orders (a, b), 9 splits divided, where b >= 7
Stage 2-left [4 tasks]
    Output: hash (c0), about 4000000 rows
    Operators: scan hive.main.items > scan hive.main.days > inner join
    Scan: hive.main.items (a, b), 30 splits divided
    Scan: hive.main.days (a, b), whole in every task
`.trim(),
  );
});

test('why a statement runs whole', () => {
  expect(explainStages(scan('hive.main.days', 50), settings, tables)).toEqual([
    'Runs whole on one worker: small input: no table has more than 100 rows to be read',
  ]);
});
