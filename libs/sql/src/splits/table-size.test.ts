import { cut } from '../stages/cut.js';
import { explainStages } from '../stages/explain-stages.js';
import { col, compare, constant, join, scan } from '../stages/testing/plans.js';
import type { Split } from './split.js';
import { tableSizeOf } from './table-size.js';

const settings = {
  workers: 2,
  tasksPerWorker: 2,
  taskRows: 0,
  replicatedRowsMax: 150,
  broadcastRowsMax: 1_000,
  isAdaptive: true,
};

/** Splits of 100 rows each, whose column a counts up: from 0 to 9, from 10 to 19, and so on. */
function sizeOf(count: number) {
  const splits: Split[] = Array.from({ length: count }, (_, index) => ({
    path: `/${index}.parquet`,
    fileBytes: 1_000,
    fileMtimeMs: 1,
    firstRow: 0,
    endRow: undefined,
    rows: 100,
    bytes: 1_000,
    ranges: { a: { min: `${10 * index}`, max: `${10 * index + 9}` } },
  }));
  return tableSizeOf({ rows: 100 * count, splits });
}

const tables = new Map([
  ['t', sizeOf(20)],
  ['files', sizeOf(1_000)],
]);
const INTEGER = { sql: 'INTEGER', id: 'INTEGER', children: [] };
const COLUMNS = [{ name: 'a', type: INTEGER }];
const equals = (value: number) => [compare(col(0), '=', constant(value))];
const between = (least: number, most: number) => [
  compare(col(0), '>=', constant(least)),
  compare(col(0), '<=', constant(most)),
];
const next = (plan: Parameters<typeof cut>[0]) => cut(plan, new Map(), settings, tables);

test('what has to be read is told by the statistics, whatever was asked before', () => {
  const within = (comparison: '=' | '<', value: string) =>
    tables.get('t')?.within?.(COLUMNS, [{ column: 0, comparison, value }]);
  for (let round = 0; round < 2; round++) {
    expect(within('=', '15')).toEqual({ rows: 100, splits: 1, bytes: 1_000 });
    expect(within('<', '20')).toEqual({ rows: 200, splits: 2, bytes: 2_000 });
    expect(within('<', '1000')).toEqual({ rows: 2_000, splits: 20, bytes: 20_000 });
  }
});

test('a statement of which statistics leave little to read runs whole', () => {
  expect(next(scan('t', 1, equals(15)))).toEqual({
    kind: 'whole',
    reason: 'small input: no table has more than 150 rows to be read',
  });
  expect(next(scan('t', 1, between(5, 25)))).toMatchObject({ kind: 'final', stage: { tasks: 3 } });
});

test('a table of which little has to be read is read by every task, and divides no stage', () => {
  const outcome = next(join('inner', scan('t', 1_000), scan('t', 50, equals(15))));
  expect(outcome).toMatchObject({ kind: 'final', stage: { scans: [{ share: 'own' }, { share: 'all' }] } });
  const lines = explainStages(join('inner', scan('t', 1_000), scan('t', 50, equals(15))), settings, tables);
  expect(lines.join('\n')).toContain(`
    Scan: t (a, b), 20 splits divided
    Scan: t (a, b), 1 of 20 splits in every task, where a = 15`);
});

test('one task reads what is left of very many files: a whole statement opens all of them', () => {
  expect(next(scan('files', 1, equals(15)))).toMatchObject({
    kind: 'final',
    stage: { tasks: 1, scans: [{ share: 'all', bounds: [{ column: 0, comparison: '=', value: '15' }] }] },
  });
});
