import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCatalog, decodePlan, pruneSplits, type Session } from '@tutti/sql';
import { TestLog } from '@tutti/service/testing';
import { openInstance } from '../duckdb/open-instance.js';
import { literal } from '../duckdb/sql-text.js';
import type { EnginePlan, Planner, ScanTable } from '../engine.js';
import { plannerProgram, type TestFiles, writeTestFiles } from '../testing/index.js';
import { createDuckdbPlanner } from './duckdb-planner.js';

const never = new AbortController().signal;
jest.setTimeout(60_000);

const ROWS = 400_000;
const COLUMNS = [
  ['id', 'BIGINT'],
  ['day', 'DATE'],
  ['price', 'DECIMAL(12,2)'],
  ['ts', 'TIMESTAMP'],
  ['name', 'VARCHAR'],
] as const;

let files: TestFiles;
let planner: Planner;

const columnsOf = (columns: readonly (readonly [string, string])[]) => columns.map(([name, type]) => ({ name, type }));
const path = (name: string): string => join(files.directory, name);

/** Rows `from` to `to`, in row groups of `group` rows. */
async function writeRows(name: string, from: number, to: number, group: number): Promise<void> {
  const instance = await openInstance({ threads: '1' });
  const connection = await instance.connect();
  const rows = `SELECT i AS id, DATE '2020-01-01' + (i // 1000)::INTEGER AS day, (i / 4)::DECIMAL(12,2) AS price,
    TIMESTAMP '2020-01-01' + to_seconds(i) AS ts, 'n' || i AS name FROM range(${from}, ${to}) t(i)`;
  await connection.run(`COPY (${rows}) TO ${literal(path(name))} (FORMAT parquet, ROW_GROUP_SIZE ${group})`);
  connection.closeSync();
  instance.closeSync();
}

beforeAll(async () => {
  files = await writeTestFiles();
  await writeRows('a.parquet', 0, 300_000, 100_352);
  await writeRows('b.parquet', 300_000, ROWS, 10_240);
  await writeRows('empty.parquet', 0, 0, 10_240);
  writeFileSync(path('huge.csv'), 'id,total\n1,2\n');
  writeFileSync(path('lines-1.json'), '{"id": 1}\n'.repeat(10));
  writeFileSync(path('lines-2.json'), '{"id": 2}\n'.repeat(30));
  const tables = {
    big: {
      format: 'parquet',
      files: ['a', 'b', 'empty'].map((n) => path(`${n}.parquet`)),
      columns: columnsOf(COLUMNS),
    },
    small: { format: 'parquet', files: [path('empty.parquet')], columns: columnsOf(COLUMNS) },
    huge: {
      format: 'csv',
      files: [path('huge.csv')],
      rows: 1_000_000,
      columns: columnsOf([
        ['id', 'BIGINT'],
        ['total', 'HUGEINT'],
      ]),
    },
    lines: {
      format: 'json',
      files: [path('lines-1.json'), path('lines-2.json')],
      rows: 400_000,
      columns: columnsOf([['id', 'BIGINT']]),
    },
  };
  const catalog = decodeCatalog({ schemas: { main: { tables } } }, { name: 'demo', directory: files.directory });
  if (!('ok' in catalog)) throw new Error(catalog.problems.join('\n'));
  planner = await createDuckdbPlanner({
    catalogs: [catalog.ok],
    log: new TestLog(),
    scratchDirectory: files.directory,
    plannerPath: plannerProgram(),
  });
});
afterAll(async () => {
  await planner.close();
  files.remove();
});

async function planOf(sql: string, distribution?: Session['distribution']): Promise<EnginePlan> {
  const session = { catalog: 'demo', schema: 'main', ...(distribution && { distribution }) };
  const outcome = await planner.plan(sql, session, never);
  if (outcome.kind !== 'query') throw new Error(JSON.stringify(outcome));
  return outcome.plan;
}

async function scanOf(sql: string): Promise<ScanTable> {
  const plan = await planOf(sql);
  const [scan] = plan.kind === 'plan' ? plan.tables : [];
  if (scan === undefined) throw new Error(JSON.stringify(plan));
  return scan;
}

test('a query of much data has a plan that can be decoded', async () => {
  const plan = await planOf(
    'select day, sum(price) as s from big b join lines l using (id) where b.id > 5 group by day',
  );
  if (plan.kind !== 'plan') throw new Error(plan.reason);
  expect(plan.tables.map(({ table, rows }) => `${table} ${rows}`).sort()).toEqual([
    'demo.main.big 400000',
    'demo.main.lines 400000',
  ]);
  const decoded = decodePlan(plan.planJson, plan.explainJson, (stub) => plan.tables.find((t) => t.stubPath === stub));
  expect(decoded).toMatchObject({ ok: { op: expect.any(String) } });
});

test.each<[string, Session['distribution'], string]>([
  ['select 1', undefined, 'no table is read'],
  ['select * from small', undefined, 'small input: its tables have 0 rows in all'],
  ['select * from big', 'single', 'the session asks for one worker (distribution = single)'],
  ['select 1', 'forced', 'no table is read'],
  ['with b as (select 1 as id) select * from (select 1 from big limit 0) where false', 'forced', 'no table is read'],
  [
    'select sum(total) from huge',
    undefined,
    'column "total" of huge is HUGEINT, which does not go from stage to stage',
  ],
  [`select * from big where list_contains(range(300000), id)`, undefined, 'its plan is too long'],
])('%s with distribution %s runs whole', async (sql, distribution, reason) => {
  expect(await planOf(sql, distribution)).toEqual({ kind: 'whole', reason });
});

test('what is small has a plan when the session forces it, and a column of HUGEINT that is not read is no hindrance', async () => {
  expect(await planOf('select * from small', 'forced')).toMatchObject({ kind: 'plan' });
  expect(await planOf('select id from huge')).toMatchObject({ kind: 'plan' });
});

test('row groups are splits, small ones joined, and all together have every row once', async () => {
  const { splits, rows } = await scanOf('select id, name from big');
  expect(rows).toBe(ROWS);
  const [a, b, empty] = ['a', 'b', 'empty'].map((n) => path(`${n}.parquet`));
  expect(splits.map(({ path: file, firstRow, endRow, rows: n }) => [file, firstRow, endRow, n])).toEqual([
    [a, 0, 100_352, 100_352],
    [a, 100_352, 200_704, 100_352],
    [a, 200_704, undefined, 99_296],
    [b, 0, 71_680, 71_680],
    [b, 71_680, undefined, 28_320],
    [empty, 0, undefined, 0],
  ]);
  const { size, mtimeMs } = statSync(a ?? '');
  expect(splits[0]).toMatchObject({ fileBytes: size, fileMtimeMs: mtimeMs });
});

test('statistics are of the columns that the plan reads, and splits are left out by them', async () => {
  const { splits, columns } = await scanOf(
    "select name from big where day < '2020-02-01' and ts > '2020-01-01' and id < 9",
  );
  expect(splits[3]?.ranges).toEqual({
    id: { min: '300000', max: '371679', isFull: true },
    day: { min: '2020-10-27', max: '2021-01-06', isFull: true },
    ts: { min: '2020-01-04 11:20:00', max: '2020-01-05 07:14:39', isFull: true },
  });
  const typed = columns.map(({ name, type }) => ({ name, type: { sql: type, id: type, children: [] } }));
  const kept = (column: number, comparison: '<' | '>', value: string) =>
    pruneSplits(splits, typed, [{ column, comparison, value }]).map(({ rows }) => rows);
  // Of an empty file nothing is known.
  expect(kept(0, '<', '100352')).toEqual([100_352, 0]);
  expect(kept(1, '>', '2020-12-31')).toEqual([71_680, 28_320, 0]);
  expect(kept(3, '<', '2020-01-01 00:00:10')).toEqual([100_352, 0]);
});

test('files of other formats are splits as they are, with their part of the rows', async () => {
  const { splits } = await scanOf('select * from lines');
  expect(splits.map(({ firstRow, endRow, rows, ranges }) => ({ firstRow, endRow, rows, ranges }))).toEqual([
    { firstRow: 0, endRow: undefined, rows: 100_000, ranges: {} },
    { firstRow: 0, endRow: undefined, rows: 300_000, ranges: {} },
  ]);
});

test('names are looked up in the session of the statement', async () => {
  const session = { catalog: 'demo', schema: 'nope' };
  expect(await planner.plan('select * from big', session, never)).toMatchObject({ kind: 'error' });
  const scan = await scanOf('select b.id from demo.big b');
  expect(scan.table).toBe('demo.main.big');
});

describe('files change', () => {
  const outcomeOf = (sql: string) => planner.plan(sql, { catalog: 'demo', schema: 'main' }, never);

  test('and are looked at anew', async () => {
    await scanOf('select id from big');
    await writeRows('b.parquet', 300_000, 350_000, 10_240);
    expect(await scanOf('select id from big')).toMatchObject({ rows: 350_000 });
    utimesSync(path('b.parquet'), 1, 1);
    const { splits } = await scanOf('select id from big');
    expect(splits[3]).toMatchObject({ fileMtimeMs: 1_000, rows: 50_000, endRow: undefined });
  });

  test('a file that is damaged or gone is named, with its table and what to do', async () => {
    writeFileSync(path('b.parquet'), 'this is no parquet file');
    const damaged = await outcomeOf('select id from big');
    const start = `Table demo.main.big cannot be read: file ${path('b.parquet')}:`;
    const hint = 'Put the file back, or correct the catalog and restart the coordinators.';
    expect(damaged).toMatchObject({
      kind: 'error',
      error: { reason: 'TABLE_UNREADABLE', message: `${start} it is no Parquet file, or only a part of one. ${hint}` },
    });
    rmSync(path('b.parquet'));
    expect(await outcomeOf('explain select id from big')).toMatchObject({
      kind: 'error',
      error: { reason: 'TABLE_UNREADABLE', message: `${start} it does not exist. ${hint}` },
    });
    await writeRows('b.parquet', 300_000, ROWS, 10_240);
    expect(await scanOf('select id from big')).toMatchObject({ rows: ROWS });
  });
});
