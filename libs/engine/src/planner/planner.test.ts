import { copyFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Catalog, decodeCatalog } from '@tutti/sql';
import type { Log } from '@tutti/service';
import { TestLog } from '@tutti/service/testing';
import type { Planner, PlanOutcome } from '../engine.js';
import { decodeFragment } from '../fragment.js';
import { plannerProgram, planOrThrow, type TestFiles, WatchedLog, writeTestFiles } from '../testing/index.js';
import { createDuckdbPlanner } from './duckdb-planner.js';

const SESSION = { catalog: 'demo', schema: 'main' };
const never = new AbortController().signal;
// Processes are started and killed here; that takes its time on a busy machine.
jest.setTimeout(60_000);

let files: TestFiles;
let planner: Planner;

const start = (
  catalogs: readonly Catalog[],
  options: { planTimeoutMs?: number; rssLimitBytes?: number; log?: Log } = {},
) =>
  createDuckdbPlanner({
    catalogs,
    log: new TestLog(),
    scratchDirectory: files.directory,
    plannerPath: plannerProgram(),
    ...options,
  });

beforeAll(async () => {
  files = await writeTestFiles();
  planner = await start(files.catalogs);
});
afterAll(async () => {
  await planner.close();
  files.remove();
});

const plan = (statement: string, session = SESSION): Promise<PlanOutcome> => planner.plan(statement, session, never);

async function errorOf(statement: string) {
  const outcome = await plan(statement);
  if (outcome.kind !== 'error') throw new Error(`${statement} is no error: ${outcome.kind}`);
  const { reason, line, column, message } = outcome.error;
  return { summary: `${reason} ${line}:${column}`, message };
}

test.each([
  ['select dely from flights', 'COLUMN_NOT_FOUND 1:8', 'Did you mean "delay"?'],
  ["select 'äöü😀', nope from flights", 'COLUMN_NOT_FOUND 1:16', 'Column "nope" does not exist'],
  ["select\n  'äöü😀' +\n from flights", 'SYNTAX_ERROR 3:2', 'Syntax error at or near "from".'],
  ['select f.dely from flights f', 'COLUMN_NOT_FOUND 1:8', '"f" has no column "dely". Did you mean "delay"?'],
  ['select * from flights join airports using (iatta)', 'COLUMN_NOT_FOUND 0:0', 'Did you mean "iata"?'],
  ['select * from flihgts', 'TABLE_NOT_FOUND 1:15', 'does not exist in demo.main. Did you mean "flights"?'],
  ['from evnts', 'TABLE_NOT_FOUND 1:6', 'Did you mean "raw.events"?'],
  ['from demo.rwa.events', 'SCHEMA_NOT_FOUND 1:6', 'Did you mean "raw"?'],
  ['from dmo.main.flights', 'CATALOG_NOT_FOUND 1:6', 'Did you mean "demo"?'],
  ["select lowr('a')", 'FUNCTION_NOT_FOUND 1:8', 'Did you mean "lower"?'],
  ["select 'a' / 2", 'TYPE_MISMATCH 1:12', 'There is no /(VARCHAR, INTEGER): the types do not fit.'],
  ['select sum(origin) from flights', 'TYPE_MISMATCH 1:8', 'There is no sum(VARCHAR)'],
  ['select id::foo from flights', 'INVALID_STATEMENT 1:12', 'Type "foo" does not exist.'],
  ['select origin, count(*) from flights', 'INVALID_STATEMENT 1:8', 'GROUP BY'],
  ['select ?', 'NOT_SUPPORTED 0:0', 'Parameters'],
  ['select row(1, 2)', 'NOT_SUPPORTED 0:0', 'no names'],
  ['', 'EMPTY_STATEMENT 0:0', 'empty'],
  [' -- nothing\n;', 'EMPTY_STATEMENT 0:0', 'empty'],
  ['select 1; select 2', 'MULTIPLE_STATEMENTS 1:11', 'one at a time'],
  ['selec 1', 'SYNTAX_ERROR 1:1', 'near "selec"'],
  ['select (1', 'SYNTAX_ERROR 1:10', 'end of input'],
  [`select ${'1+'.repeat(3000)}1`, 'SYNTAX_ERROR 0:0', 'Max expression depth limit of 1000 exceeded.'],
  ['pivot flights on origin using count(*)', 'NOT_SUPPORTED 1:1', 'FOR c IN (...)'],
  ['select * from (pivot flights on origin using count(*))', 'NOT_SUPPORTED 1:1', 'FOR c IN (...)'],
  ['begin', 'NOT_SUPPORTED 1:1', 'Transactions'],
  ['explain (format json) select 1', 'NOT_SUPPORTED 1:9', 'no options but ANALYZE'],
  ['explain (analyze, format json) select 1', 'NOT_SUPPORTED 1:9', 'no options but ANALYZE'],
  ['explain analyze show tables', 'NOT_SUPPORTED 0:0', 'EXPLAIN takes a query'],
  ['show create table flights', 'NOT_SUPPORTED 1:6', 'SHOW TABLES'],
  ['select * from (show tables)', 'NOT_SUPPORTED 0:0', 'statement of its own'],
  ['describe nope', 'TABLE_NOT_FOUND 1:10', 'SHOW TABLES'],
])('%s ends as %s', async (statement, summary, message) => {
  const error = await errorOf(statement);
  expect(error.summary).toBe(summary);
  expect(error.message).toContain(message);
  // Nobody can follow the engine's advice to change its settings.
  expect(error.message).not.toMatch(/\bSET\b/);
});

test('an unknown catalog or schema of the session is named, with the nearest one', async () => {
  const noCatalog = await plan('select 1', { catalog: 'deom', schema: 'main' });
  expect(noCatalog).toMatchObject({
    error: { reason: 'CATALOG_NOT_FOUND', message: expect.stringContaining('"demo"') },
  });
  const noSchema = await plan('select 1', { catalog: 'demo', schema: 'mian' });
  expect(noSchema).toMatchObject({ error: { reason: 'SCHEMA_NOT_FOUND', message: expect.stringContaining('"main"') } });
});

test.each([
  ['SHOW CATALOGS', [['demo']]],
  ['show schemas from demo;', [['main'], ['raw']]],
  ["SHOW TABLES /* all */ LIKE '%port%'", [['airports']]],
  ['show tables in "demo".raw', [['events']]],
  ["show columns from flights like 'd%'", [['delay', 'INTEGER', null]]],
  [
    'DESC raw.events',
    [
      ['id', 'BIGINT', null],
      ['tags', 'VARCHAR[]', null],
    ],
  ],
  [
    'describe select id, price * 2 as p from flights',
    [
      ['id', 'INTEGER', null],
      ['p', 'DECIMAL(18,2)', null],
    ],
  ],
])('%s is answered from the catalogs', async (statement, rows) => {
  expect(await plan(statement)).toMatchObject({ kind: 'rows', rows });
});

test.each([
  ['explain', false],
  ['explain analyze', true],
  ['EXPLAIN (ANALYZE)', true],
])('%s of a query is the query, with the plan of the engine', async (words, isAnalyze) => {
  const query = 'select count(*) as n from flights where delay > 3';
  const outcome = await plan(`${words} ${query}`);
  if (outcome.kind !== 'explain') throw new Error(`${outcome.kind} instead of EXPLAIN`);
  const text = outcome.enginePlan.join('\n');
  expect(text).toMatch(/READ_PARQUET/);
  expect(text).toMatch(/delay *> *3/);
  const { columns, tables } = await planOrThrow(planner, query);
  expect(outcome).toMatchObject({ isAnalyze, columns, tables, plan: { kind: 'whole' } });
});

test.each([
  ['select 1 as one;', ['one:INTEGER'], []],
  ['select null as n', ['n:INTEGER'], []],
  ["select '{}'::json as j, {'a': 1::bigint} as s", ['j:JSON', 's:STRUCT("a" BIGINT)'], []],
  ['select sum(total) as s from flights', ['s:HUGEINT'], ['demo.main.flights']],
  [
    'with a as (from flights) select a.id, b.city from a join airports b on iata = origin',
    ['id:INTEGER', 'city:VARCHAR'],
    ['demo.main.airports', 'demo.main.flights'],
  ],
  ['select tags from demo.raw.events', ['tags:VARCHAR[]'], ['demo.raw.events']],
  ['select id from RAW.Events', ['id:BIGINT'], ['demo.raw.events']],
  [
    "from flights pivot (count(*) for origin in ('SEA'))",
    ['id:INTEGER', 'delay:INTEGER', 'price:DECIMAL(12,2)', 'total:BIGINT', 'SEA:BIGINT'],
    ['demo.main.flights'],
  ],
  ['with recursive t as (select 1 a union all select a + 1 from t where a < 5) from t', ['a:INTEGER'], []],
  ['select i from range(3) t(i), unnest([1, 2])', ['i:BIGINT'], []],
  ['values (1), (2)', ['col0:INTEGER'], []],
])('%s is a query with columns %j that reads %j', async (statement, columns, tables) => {
  const query = await planOrThrow(planner, statement);
  expect(query.columns.map(({ name, type }) => `${name}:${type}`)).toEqual(columns);
  expect([...query.tables].sort()).toEqual(tables);
});

test('a fragment carries the files of its own tables only', async () => {
  const { fragment } = await planOrThrow(planner, 'select count(*) from flights');
  expect(decodeFragment(fragment).tables.flatMap((table) => table.files)).toEqual([files.files.flights]);
});

describe('a statement that is costly to plan', () => {
  // Takes many seconds, little memory, and no interruption.
  const BOMB = 'select list_reduce(range(20000000), (a, b) -> a + b)';

  test('fails after the time limit; its process is replaced, and nobody else notices', async () => {
    const log = new WatchedLog();
    const patient = await start(files.catalogs, { planTimeoutMs: 2_500, log });
    const outcome = await patient.plan(BOMB, SESSION, never);
    expect(outcome).toMatchObject({ kind: 'error', error: { reason: 'EXCEEDED_TIME_LIMIT' } });
    expect(await patient.plan('select 1', SESSION, never)).toMatchObject({ kind: 'query' });
    await log.seen('planner-ended');
    expect(await patient.plan('select 2', SESSION, never)).toMatchObject({ kind: 'query' });
    await patient.close();
  });

  test('fails when it takes too much memory, and statements after it are planned', async () => {
    const small = await start(files.catalogs, { rssLimitBytes: 300 * 2 ** 20, planTimeoutMs: 15_000 });
    const outcome = await small.plan('select len(range(200000000))', SESSION, never);
    expect(outcome).toMatchObject({ kind: 'error', error: { reason: 'EXCEEDED_LOCAL_MEMORY_LIMIT' } });
    expect(await small.plan('select 1', SESSION, never)).toMatchObject({ kind: 'query' });
    await small.close();
  });

  test('fails each time for a value that is too large, also when it is made and gone between two looks', async () => {
    const small = await start(files.catalogs, { rssLimitBytes: 300 * 2 ** 20, planTimeoutMs: 60_000 });
    for (let i = 0; i < 3; i++) {
      const outcome = await small.plan("select repeat('x', 200000000)", SESSION, never);
      expect(outcome).toMatchObject({ kind: 'error', error: { reason: 'EXCEEDED_LOCAL_MEMORY_LIMIT' } });
    }
    expect(await small.plan('select 1', SESSION, never)).toMatchObject({ kind: 'query' });
    await small.close();
  });

  test('can be given up', async () => {
    const gone = new AbortController();
    const planned = planner.plan(BOMB, SESSION, gone.signal);
    gone.abort(new Error('the client left'));
    await expect(planned).rejects.toThrow('the client left');
    expect(await plan('select 1')).toMatchObject({ kind: 'query' });
  });
});

describe('catalogs are checked at start', () => {
  const column = (name: string, type: string) => ({ name, type });
  const catalogOf = (tables: Record<string, unknown>): readonly Catalog[] => {
    const decoded = decodeCatalog({ schemas: { main: { tables } } }, { name: 'demo', directory: files.directory });
    if (!('ok' in decoded)) throw new Error(decoded.problems.join('\n'));
    return [decoded.ok];
  };

  test('and every problem of every table is listed', async () => {
    const broken = join(files.directory, 'broken.parquet');
    writeFileSync(broken, 'this is no parquet file');
    const catalogs = catalogOf({
      missing: { format: 'parquet', files: ['nope.parquet'], columns: [column('a', 'INTEGER')] },
      broken: { format: 'parquet', files: [broken], columns: [column('a', 'INTEGER')] },
      wrong: {
        format: 'parquet',
        files: [files.files.flights],
        columns: [column('id', 'VARCHAR'), column('dest', 'VARCHAR')],
      },
      text: {
        format: 'csv',
        files: [files.files.airports],
        columns: [column('iata', 'INTEGER'), column('city', 'VARCHAR')],
      },
      empty: {
        format: 'json',
        prefix: mkdtempSync(join(files.directory, 'empty-')),
        columns: [column('a', 'INTEGER')],
      },
    });
    const log = new TestLog();
    const checked = await start(catalogs, { log });
    expect(log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      { table: 'demo.main.missing', problems: [expect.stringMatching(/^file .*nope.parquet: it does not exist$/)] },
      {
        table: 'demo.main.broken',
        problems: [expect.stringMatching(/^file .*broken.parquet: it is no Parquet file, or only a part of one$/)],
      },
      {
        table: 'demo.main.wrong',
        problems: [
          expect.stringMatching(
            /^file .*flights.parquet: its column "id" is INTEGER, not VARCHAR, as the catalog declares$/,
          ),
          expect.stringMatching(/: it has no column "dest", which the catalog declares, but id, origin, delay, price,/),
        ],
      },
      { table: 'demo.main.text', problems: [expect.stringMatching(/^file .*airports.csv: line 2 has "/)] },
      {
        table: 'demo.main.empty',
        problems: [expect.stringMatching(/^no .json or .jsonl or .ndjson file below /)],
      },
    ]);
    await checked.close();
  });

  describe('one table that cannot be read keeps no coordinator from starting', () => {
    const hint = 'Put the file back, or correct the catalog and restart the coordinators.';
    const parquet = (file: string) => ({ format: 'parquet', files: [file], columns: [column('id', 'INTEGER')] });
    const answer = async (of: Planner, statement: string) => {
      const outcome = await of.plan(statement, SESSION, never);
      return outcome.kind === 'error' ? `${outcome.error.reason}: ${outcome.error.message}` : outcome.kind;
    };

    test('its statements are refused with the table, the file and the cause; others run', async () => {
      const damaged = join(files.directory, 'damaged-footer.parquet');
      const bytes = readFileSync(files.files.flights);
      writeFileSync(damaged, bytes.fill(0xee, bytes.length - 200, bytes.length - 8));
      const some = await start(catalogOf({ good: parquet(files.files.flights), bad: parquet(damaged) }));
      const refused = `TABLE_UNREADABLE: Table demo.main.bad cannot be read: file ${damaged}: its Parquet footer is damaged. ${hint}`;
      expect(await answer(some, 'select * from bad')).toBe(refused);
      expect(await answer(some, 'explain select * from good join bad using (id)')).toBe(refused);
      expect(await answer(some, 'describe bad')).toBe('rows');
      expect(await answer(some, 'select * from good')).toBe('query');
      await some.close();
    });

    test('it is well again as soon as its file is, also for the process that plans next', async () => {
      const late = join(files.directory, 'late.parquet');
      const log = new WatchedLog();
      const some = await start(catalogOf({ t: parquet(late) }), { log });
      await log.seen('table-unreadable');
      const gone = `TABLE_UNREADABLE: Table demo.main.t cannot be read: file ${late}: it does not exist. ${hint}`;
      expect(await answer(some, 'from t')).toBe(gone);
      writeFileSync(late, 'no Parquet yet');
      expect(await answer(some, 'from t')).toMatch(/late.parquet: it is no Parquet file, or only a part of one\. /);
      copyFileSync(files.files.flights, late);
      expect(await answer(some, 'from t')).toBe('query');
      await log.seen('table-readable');
      const forced = await some.plan('from t', { ...SESSION, distribution: 'forced' }, never);
      expect(forced).toMatchObject({ kind: 'query', plan: { kind: 'plan', tables: [{ rows: 10_000 }] } });
      await some.close();
    });
  });

  test('a CSV file with other columns than the catalog declares is refused, unless the catalog names its header', async () => {
    const write = (name: string, text: string): string => {
      writeFileSync(join(files.directory, name), text);
      return join(files.directory, name);
    };
    const columns = [column('a', 'INTEGER'), column('b_c', 'VARCHAR')];
    const tableOf = (name: string, text: string, csv = {}) => ({
      format: 'csv',
      files: [write(name, text)],
      columns,
      csv,
    });
    const catalogs = catalogOf({
      good: tableOf('good.csv', '"A",b c\n1,x\n'),
      named: tableOf('named.csv', 'zz,"y\ny"\n1,x\n', { headerNames: ['zz', 'y\ny'] }),
      headless: tableOf('headless.csv', '1,x\n', { header: false }),
      empty: tableOf('empty.csv', ''),
      swapped: tableOf('swapped.csv', 'b_c,a\n1,2\n'),
      short: tableOf('short.csv', 'a\n1\n'),
      long: tableOf('long.csv', 'a,b_c,d\n1,x,y\n'),
      torn: tableOf('torn.csv', 'a,b_c\n1\n'),
    });
    const log = new TestLog();
    const checked = await start(catalogs, { log });
    expect(log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['problems'])).toEqual([
      [expect.stringMatching(/^file .*swapped.csv: its header is b_c, a, and the catalog declares a, b_c;/)],
      [expect.stringMatching(/^file .*short.csv: its header is a, and the catalog declares a, b_c;/)],
      [expect.stringMatching(/^file .*long.csv: its header is a, b_c, d, and the catalog declares a, b_c;/)],
      [expect.stringMatching(/^file .*torn.csv: line 2 has 1 values, and the catalog declares 2 columns$/)],
    ]);
    await checked.close();
  });

  test('a prefix stands for all files below it', async () => {
    const directory = mkdtempSync(join(files.directory, 'many-'));
    for (const name of ['b.jsonl', 'a.jsonl', 'notes.txt']) writeFileSync(join(directory, name), '{"a": 1}\n');
    const many = await start(
      catalogOf({ t: { format: 'json', prefix: directory, columns: [column('a', 'INTEGER')] } }),
    );
    const { fragment } = await planOrThrow(many, 'from t');
    expect(decodeFragment(fragment).tables[0]?.files).toEqual([join(directory, 'a.jsonl'), join(directory, 'b.jsonl')]);
    await many.close();
  });

  test('and the planner leaves no file behind', async () => {
    const scratchDirectory = mkdtempSync(join(tmpdir(), 'tutti-planner-test-'));
    const log = new TestLog();
    const short = await createDuckdbPlanner({
      catalogs: files.catalogs,
      log,
      scratchDirectory,
      plannerPath: plannerProgram(),
    });
    await short.close();
    expect(readdirSync(scratchDirectory)).toEqual([]);
  });
});
