import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@tutti/base';
import { openInstance } from '../duckdb/open-instance.js';
import { literal } from '../duckdb/sql-text.js';
import type { Column, ExecutorPool, TaskRun } from '../engine.js';
import { encodeFragment, type TableReader } from '../fragment.js';
import {
  executorProgram,
  readAll,
  tableReaders,
  type TestFiles,
  WatchedLog,
  writeTestFiles,
} from '../testing/index.js';
import { SPARES_MAX } from './spare-databases.js';
import { SpillDirectories } from './spill-directories.js';
import { createDuckdbExecutorPool, type ExecutorPoolOptions } from './executor-pool.js';

const MIB = 2 ** 20;
const never = new AbortController().signal;
// Processes are started and killed here; that takes its time on a busy machine.
jest.setTimeout(60_000);

let files: TestFiles;
let directory: string;
let pool: ExecutorPool;

beforeAll(async () => {
  files = await writeTestFiles();
  directory = mkdtempSync(join(tmpdir(), 'tutti-pool-test-'));
  pool = await startPool({ warm: 2 });
}, 60_000);
afterAll(async () => {
  await pool.close();
  files.remove();
  rmSync(directory, { recursive: true });
});

async function startPool(options: Partial<ExecutorPoolOptions> = {}): Promise<ExecutorPool> {
  const started = createDuckdbExecutorPool({
    executorPath: executorProgram(),
    warm: 1,
    maxTasks: 4,
    spillDirectory: mkdtempSync(join(directory, 'spill-')),
    spillLimitBytes: 1024 * MIB,
    interruptGraceMs: 500,
    recycleRssBytes: 1024 * MIB,
    log: new WatchedLog(),
    clock: systemClock,
    ...options,
  });
  await started.start();
  return started;
}

const column = (spec: string): Column => {
  const [name = '', type = ''] = spec.split(':');
  return { name, type };
};

/** A fragment as a planner would make it; hostile tests make their own. */
const fragment = (sql: string, columns: string[] = ['v:INTEGER'], tables: string[] = []): Uint8Array =>
  encodeFragment({
    version: 1,
    sql,
    session: { catalog: 'demo', schema: 'main' },
    tables: tableReaders(files.catalogs).filter((table) => tables.includes(table.name)),
    columns: columns.map(column),
  });

const run = (
  sql: string,
  columns?: string[],
  options: { tables?: string[]; memoryLimitBytes?: number; signal?: AbortSignal; on?: ExecutorPool } = {},
): Promise<TaskRun> =>
  (options.on ?? pool).run(
    {
      taskId: 'task',
      fragment: fragment(sql, columns, options.tables),
      memoryLimitBytes: options.memoryLimitBytes ?? 512 * MIB,
      threads: 2,
    },
    options.signal ?? never,
  );

const rowsOf = async (...args: Parameters<typeof run>) => readAll(await run(...args));

/** How a task fails, at its start or in its rows. */
async function failureOf(
  ...args: Parameters<typeof run>
): Promise<{ reason?: string; message?: string; position?: unknown }> {
  try {
    await rowsOf(...args);
  } catch (error) {
    return error as { reason: string; message: string };
  }
  return {};
}

describe('a task', () => {
  test('reads Parquet, CSV and JSON tables and returns rows', async () => {
    const sql = `SELECT city, count(*) AS n, sum(price) AS p FROM flights JOIN airports ON iata = origin
      WHERE id IN (SELECT id FROM raw.events) GROUP BY ALL ORDER BY city`;
    const task = await run(sql, ['city:VARCHAR', 'n:BIGINT', 'p:DECIMAL(38,2)'], {
      tables: ['flights', 'airports', 'events'],
    });
    expect(task.columns).toEqual([column('city:VARCHAR'), column('n:BIGINT'), column('p:DECIMAL(38,2)')]);
    expect(await readAll(task)).toEqual([
      ['New York', '1', '3.00'],
      ['San Francisco', '1', '1.50'],
    ]);
    expect(task.usage()).toMatchObject({ rows: 2, spilledBytes: 0 });
    expect(task.usage().cpuMs).toBeGreaterThan(0);
    expect(task.usage().rssBytes).toBeGreaterThan(10 * MIB);
  });

  test('can SUMMARIZE a table', async () => {
    const names = ['column_name', 'column_type', 'min', 'max'].map((name) => `${name}:VARCHAR`);
    const sql = 'SELECT column_name, column_type, min, max FROM (SUMMARIZE airports)';
    expect(await rowsOf(sql, names, { tables: ['airports'] })).toHaveLength(2);
  });

  test('keeps the order of many rows', async () => {
    const rows = await rowsOf('SELECT i::INTEGER AS v FROM range(300000) t(i) ORDER BY i DESC');
    expect(rows).toHaveLength(300_000);
    expect(rows.every(([value], index) => value === 299_999 - index)).toBe(true);
  });

  test('sends rows of 2 MB each, however many one chunk holds', async () => {
    const rows = await rowsOf("SELECT repeat('x', 2000000) AS v FROM range(300)", ['v:VARCHAR'], {
      memoryLimitBytes: 1024 * MIB,
    });
    expect(rows).toHaveLength(300);
    expect(new Set(rows.map(([value]) => String(value).length))).toEqual(new Set([2_000_000]));
  });

  test('that fails in mid-stream says why, and never looks complete', async () => {
    const sql = "SELECT (CASE WHEN i = 900000 THEN error('boom') ELSE i END)::INTEGER AS v FROM range(1000000) t(i)";
    expect(await failureOf(sql)).toMatchObject({ reason: 'QUERY_FAILED', message: expect.stringContaining('boom') });
  });

  test('that fails on a value names the place in the statement', async () => {
    const failure = await failureOf("SELECT\n  ('x' || i)::INTEGER AS v FROM range(3) t(i)");
    expect(failure).toMatchObject({ reason: 'QUERY_FAILED', position: { line: 2 } });
    expect(failure.message).toContain("Could not convert string 'x0' to INT32");
  });

  test('whose file is gone, or has changed, is no query error', async () => {
    const gone = join(directory, 'gone.csv');
    writeFileSync(gone, 'a\n1\n');
    const table: TableReader = {
      catalog: 'demo',
      schema: 'main',
      name: 't',
      format: 'csv',
      files: [gone],
      columns: [column('a:INTEGER')],
    };
    const task = (columns: string[]) => ({
      taskId: 't',
      fragment: encodeFragment({
        version: 1,
        sql: 'FROM t',
        session: { catalog: 'demo', schema: 'main' },
        tables: [table],
        columns: columns.map(column),
      }),
      memoryLimitBytes: 512 * MIB,
      threads: 1,
    });
    expect(await readAll(await pool.run(task(['a:INTEGER']), never))).toEqual([[1]]);
    await expect(pool.run(task(['a:BIGINT']), never)).rejects.toMatchObject({ reason: 'TABLE_UNREADABLE' });
    rmSync(gone);
    await expect(pool.run(task(['a:INTEGER']), never)).rejects.toMatchObject({
      reason: 'TABLE_UNREADABLE',
      message: expect.stringContaining('demo.main.t'),
    });
  });
});

describe('a file that was replaced after the catalog was read', () => {
  const columns = [column('a:INTEGER'), column('b:VARCHAR')];

  async function failureWith(format: TableReader['format'], content: string, sql = 'SELECT a FROM t') {
    const file = join(directory, `replaced.${format}`);
    const instance = await openInstance();
    const connection = await instance.connect();
    if (format === 'parquet') await connection.run(`COPY (${content}) TO ${literal(file)} (FORMAT parquet)`);
    else writeFileSync(file, content);
    connection.closeSync();
    instance.closeSync();
    const table: TableReader = { catalog: 'own', schema: 'main', name: 't', format, files: [file], columns };
    const session = { catalog: 'own', schema: 'main' };
    const task = {
      taskId: 't',
      fragment: encodeFragment({ version: 1, sql, session, tables: [table], columns: [column('a:INTEGER')] }),
      memoryLimitBytes: 512 * MIB,
      threads: 1,
    };
    return pool
      .run(task, never)
      .then(readAll)
      .then(
        (rows) => ({ rows }),
        (error: { reason: string; message: string }) => ({
          reason: error.reason,
          message: error.message.replace(file, 'F'),
        }),
      );
  }

  test.each([
    [
      'csv',
      'zz,yy\n1,x\n',
      'its header is zz, yy, and the catalog declares a, b; if that is right, name the header in csv.headerNames',
    ],
    ['csv', 'a,b\n1,x\n2\n', 'line 3 has 1 values, and the catalog declares 2 columns'],
    ['csv', 'a,b\nfoo,x\n', 'line 2 has "foo" in column "a", which is INTEGER in the catalog'],
    ['csv', 'a,b\n1,"x\n2,y\n', 'line 2 has a quote that does not end'],
    ['json', '{"a": "foo", "b": "x"}\n', 'value "foo" of record 1 is not what the catalog declares'],
    ['json', '[1, 2]\n', 'record 1: Expected OBJECT, but got ARRAY: [1,2]'],
    ['json', '{"a": 1,\n', 'malformed JSON near record 2: unexpected end of data'],
    ['parquet', "SELECT 'x' AS b", 'it has no column "a", which the catalog declares'],
  ] as const)('names table, file and fault: %s %j', async (format, content, fault) => {
    const message = `Table own.main.t cannot be read: file F: ${fault}.`;
    expect(await failureWith(format, content)).toEqual({ reason: 'TABLE_UNREADABLE', message });
  });

  test('is no error of the query when its columns have other types', async () => {
    const failure = await failureWith('parquet', "SELECT 'x' AS a, 'y' AS b", 'SELECT sum(a)::INTEGER AS a FROM t');
    expect(failure).toMatchObject({ reason: 'TABLE_UNREADABLE', message: expect.stringContaining('own.main.t') });
  });
});

describe('memory', () => {
  test('past the limit a query fails and names the limit; the executor lives on', async () => {
    const only = await startPool({ maxTasks: 1 });
    const before = only.stats().pids;
    const failure = await failureOf('SELECT len(list(i))::INTEGER AS v FROM range(60000000) t(i)', undefined, {
      memoryLimitBytes: 128 * MIB,
      on: only,
    });
    expect(failure).toMatchObject({
      reason: 'EXCEEDED_LOCAL_MEMORY_LIMIT',
      message: expect.stringContaining('128.00MB'),
    });
    expect(await rowsOf('SELECT 1 AS v', undefined, { on: only })).toEqual([[1]]);
    expect(only.stats().pids).toEqual(before);
    await only.close();
  }, 60_000);

  test('a sort that is larger than memory spills, succeeds, and leaves nothing on disk', async () => {
    const spillDirectory = mkdtempSync(join(directory, 'spill-'));
    const spilling = await startPool({ spillDirectory });
    const sql =
      'SELECT count(*)::INTEGER AS v FROM (SELECT i, row_number() OVER (ORDER BY hash(i)) AS n FROM range(8000000) t(i)) WHERE n > 0';
    const task = await run(sql, undefined, { memoryLimitBytes: 96 * MIB, on: spilling });
    expect(await readAll(task)).toEqual([[8_000_000]]);
    expect(task.usage().spilledBytes).toBeGreaterThan(MIB);
    expect(task.usage().peakMemoryBytes).toBeGreaterThan(32 * MIB);
    await task.ended;
    const [own = ''] = readdirSync(spillDirectory);
    expect(own).toMatch(new RegExp(`^tutti-spill-${process.pid}-`));
    expect(readdirSync(join(spillDirectory, own)).filter((name) => !name.startsWith('result-'))).toEqual([]);
    await spilling.close();
    expect(readdirSync(spillDirectory)).toEqual([]);
  }, 60_000);

  test('past the spill limit a query fails and names that', async () => {
    const strict = await startPool({ spillLimitBytes: 8 * MIB });
    const sql = 'SELECT i AS v FROM range(10000000) t(i) ORDER BY hash(i)';
    const failure = await failureOf(sql, ['v:BIGINT'], { memoryLimitBytes: 64 * MIB, on: strict });
    expect(failure).toMatchObject({ reason: 'EXCEEDED_SPILL_LIMIT', message: expect.stringContaining('8.00MB') });
    await strict.close();
  }, 60_000);

  test('a spill directory that cannot be written is no unreadable table', async () => {
    const spillDirectory = mkdtempSync(join(directory, 'spill-'));
    const blocked = await startPool({ spillDirectory });
    const [own = ''] = readdirSync(spillDirectory);
    writeFileSync(join(spillDirectory, own, 'spill-1'), 'in the way');
    const sql = 'SELECT i AS v FROM range(10000000) t(i) ORDER BY hash(i)';
    const failure = await failureOf(sql, ['v:BIGINT'], { memoryLimitBytes: 64 * MIB, on: blocked });
    expect(failure).toMatchObject({
      reason: 'EXCEEDED_SPILL_LIMIT',
      message: expect.stringContaining('cannot write to its spill directory'),
    });
    await blocked.close();
  });

  test('that the engine does not account for ends the executor, and the error is the same', async () => {
    const only = await startPool({ maxTasks: 1 });
    const failure = await failureOf('SELECT len(range(400000000))::INTEGER AS v', undefined, {
      memoryLimitBytes: 32 * MIB,
      on: only,
    });
    expect(failure).toMatchObject({ reason: 'EXCEEDED_LOCAL_MEMORY_LIMIT' });
    expect(await rowsOf('SELECT 1 AS v', undefined, { on: only })).toEqual([[1]]);
    await only.close();
  }, 60_000);

  test('an executor that has grown is replaced after its task', async () => {
    const frugal = await startPool({ maxTasks: 1, recycleRssBytes: 10 * MIB });
    const [before] = frugal.stats().pids;
    expect(await rowsOf('SELECT 1 AS v', undefined, { on: frugal })).toEqual([[1]]);
    expect(await rowsOf('SELECT 2 AS v', undefined, { on: frugal })).toEqual([[2]]);
    expect(frugal.stats().pids).not.toContain(before);
    await frugal.close();
  }, 60_000);
});

describe('canceling', () => {
  const UNINTERRUPTIBLE =
    'SELECT len(list_sort(list_transform(range(30000000), x -> hash(x + i))))::INTEGER AS v FROM range(1) t(i)';

  test.each([
    ['a scan', 'SELECT count(*)::INTEGER AS v FROM range(100000000000)'],
    ['a sleep', 'SELECT sleep_ms(60000)::INTEGER AS v'],
    ['an expression that cannot be interrupted', UNINTERRUPTIBLE],
  ])(
    '%s ends within 2 s, and the pool goes on',
    async (_, sql) => {
      const stop = new AbortController();
      const failed = failureOf(sql, undefined, { signal: stop.signal });
      await busy(pool);
      const startedAt = performance.now();
      stop.abort();
      expect(await failed).toMatchObject({ reason: 'CANCELED' });
      expect(await rowsOf('SELECT 1 AS v')).toEqual([[1]]);
      await idle(pool);
      expect(performance.now() - startedAt).toBeLessThan(2_000 + LOADED_MACHINE_MS);
    },
    60_000,
  );

  test('a task that has not started yet never runs', async () => {
    await expect(run('SELECT 1 AS v', undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      reason: 'CANCELED',
    });
  });

  test('leaving the rows cancels the task', async () => {
    const task = await run('SELECT i AS v FROM range(1000000000) t(i)', ['v:BIGINT']);
    for await (const batch of task.batches) {
      expect(batch.byteLength).toBeGreaterThan(1_000);
      break;
    }
    await task.ended;
    expect(task.usage().rows).toBeLessThan(1_000_000);
  });
});

/** The promise is 2 s on a machine that is not overloaded; this one may be. What is canceled would take a minute. */
const LOADED_MACHINE_MS = 15_000;

/** Resolves when some executor works. Looks now and then: a loop without rest would take a core from the executors. */
async function busy(of: ExecutorPool): Promise<void> {
  while (of.stats().busy === 0) await nextLook();
}
async function idle(of: ExecutorPool): Promise<void> {
  while (of.stats().busy > 0) await nextLook();
}
const nextLook = () => new Promise((resolve) => setTimeout(resolve, 5));

test('a reader that stops stops the engine: what is produced ahead of it is bounded', async () => {
  const task = await run("SELECT i AS v, repeat('x', 100) AS t FROM range(50000000) t(i)", ['v:BIGINT', 't:VARCHAR']);
  const batches = task.batches[Symbol.asyncIterator]();
  await batches.next();
  // One batch is with the reader and two are on their way, of about 2,400 rows each.
  while (task.usage().rows < 2 * 2_000) await nextLook();
  // An engine that went on would be far ahead by the time that another one has done this.
  expect(await rowsOf('SELECT count(DISTINCT hash(i) % 1000)::INTEGER AS v FROM range(10000000) t(i)')).toEqual([
    [1000],
  ]);
  expect(task.usage().rows).toBeLessThan(4 * 2_500);
  await batches.return?.();
  await task.ended;
}, 60_000);

describe('executors', () => {
  test('are used again, each task on a database of its own', async () => {
    const only = await startPool({ maxTasks: 1 });
    const pids = only.stats().pids;
    for (let i = 0; i < 3; i++) {
      const task = await run('SELECT count(*)::INTEGER AS v FROM flights', undefined, {
        tables: ['flights'],
        on: only,
      });
      expect(await readAll(task)).toEqual([[10_000]]);
      await task.ended;
    }
    expect(only.stats().pids).toEqual(pids);
    await only.close();
  });

  test('give way to the worker itself, whose heartbeats and cancellations must not wait for queries', () => {
    const own = getPriority();
    expect(pool.stats().pids.map((pid) => getPriority(pid) - own)).toEqual([10, 10]);
  });

  test('that crash fail their own task only, with a retriable error, and are replaced', async () => {
    const spillDirectory = mkdtempSync(join(directory, 'spill-'));
    const two = await startPool({ maxTasks: 2, spillDirectory });
    const [pid = 0] = two.stats().pids;
    const victim = failureOf('SELECT sleep_ms(60000)::INTEGER AS v', undefined, { on: two });
    await busy(two);
    const other = run('SELECT i AS v FROM range(100000) t(i)', ['v:BIGINT'], { on: two });
    process.kill(pid, 'SIGKILL');
    expect(await victim).toMatchObject({
      reason: 'EXECUTOR_CRASHED',
      retriable: true,
      message: expect.stringContaining('SIGKILL'),
    });
    expect(await readAll(await other)).toHaveLength(100_000);
    expect(await rowsOf('SELECT 1 AS v', undefined, { on: two })).toEqual([[1]]);
    await two.close();
  }, 60_000);

  test('end themselves in the middle of a task when their parent stands still: others may have given the task up', async () => {
    const child = fork(executorProgram(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await once(child, 'message');
    const task = { memoryLimitBytes: 512 * MIB, threads: 1, spillLimitBytes: MIB };
    const spillDirectory = join(mkdtempSync(join(directory, 'spill-')), 'task');
    child.send({ kind: 'run', fragment: fragment('SELECT sleep_ms(60000)::INTEGER AS v'), spillDirectory, ...task });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });

  test('that are all busy refuse a task at once', async () => {
    const only = await startPool({ maxTasks: 1 });
    const stop = new AbortController();
    const first = failureOf('SELECT sleep_ms(60000)::INTEGER AS v', undefined, { on: only, signal: stop.signal });
    await busy(only);
    await expect(run('SELECT 1 AS v', undefined, { on: only })).rejects.toMatchObject({
      reason: 'WORKER_BUSY',
      retriable: true,
    });
    stop.abort();
    await first;
    await only.close();
  }, 60_000);

  test('that cannot be started end the start with an error', async () => {
    const missing = createDuckdbExecutorPool({
      executorPath: join(directory, 'no-such-program.mjs'),
      warm: 3,
      maxTasks: 3,
      spillDirectory: mkdtempSync(join(directory, 'spill-')),
      spillLimitBytes: MIB,
      interruptGraceMs: 100,
      recycleRssBytes: MIB,
      log: new WatchedLog(),
      clock: systemClock,
    });
    await expect(missing.start()).rejects.toMatchObject({ reason: 'EXECUTOR_CRASHED' });
    await missing.close();
  }, 60_000);

  test('know nothing of the environment of their parent', async () => {
    expect(existsSync(`/proc/${pool.stats().pids[0]}/environ`)).toBe(process.platform === 'linux');
    expect(process.env['HOME']).toBeDefined();
    const failure = await failureOf("SELECT getenv('HOME') AS v", ['v:VARCHAR']);
    expect(failure).toMatchObject({ reason: 'PERMISSION_DENIED' });
  });
});

describe('spill directories', () => {
  test('that cannot be made are an error at once, and no endless loop', () => {
    expect(() => SpillDirectories.open('/proc/nope/spill')).toThrow(
      /task\.spillDirectory: \/proc\/nope\/spill cannot be used: (ENOENT|EACCES|EPERM)/,
    );
  });

  test('of processes that are gone are removed at start; those of living ones stay', async () => {
    const spillDirectory = mkdtempSync(join(directory, 'spill-'));
    const pathOf = (name: string) => join(spillDirectory, `tutti-spill-${name}`);
    // The last two: our own number in an earlier life, and somebody else's directory.
    const names = ['999999999-a', `${process.ppid}-a`, `${process.pid}-earlier`, 'notes'];
    for (const name of names) mkdirSync(pathOf(name));
    writeFileSync(join(pathOf('999999999-a'), 'duckdb_temp_storage.tmp'), 'x');
    const sibling = await startPool({ spillDirectory });
    const started = await startPool({ spillDirectory });
    expect(names.map((name) => existsSync(pathOf(name)))).toEqual([false, true, false, true]);
    expect(readdirSync(spillDirectory)).toHaveLength(4);
    await sibling.close();
    await started.close();
  });
});

// The planner refuses all of this. An executor does not rely on it: here the SQL comes straight to it.
describe('an executor refuses', () => {
  test.each([
    ['reading another file', () => "FROM read_csv('/etc/passwd')"],
    ['reading a file by name', () => "FROM '/etc/passwd'"],
    ['reading its own files past their tables', () => `FROM read_text('${files.files.flights}')`],
    ['a path with ..', () => `FROM read_csv('${files.directory}/../../etc/passwd')`],
    ['listing files', () => "FROM glob('/*')"],
    ['COPY to a new file', () => `COPY (SELECT 1 AS v) TO '${join(directory, 'evil.csv')}'`],
    ['COPY over a data file', () => `COPY (SELECT 1 AS v) TO '${files.files.flights}' (FORMAT parquet)`],
    [
      'EXPLAIN ANALYZE of COPY',
      () => `EXPLAIN ANALYZE COPY (SELECT 1 AS v) TO '${files.files.flights}' (FORMAT parquet)`,
    ],
    ['ATTACH', () => `ATTACH '${join(directory, 'evil.db')}' AS evil`],
    ['ATTACH in memory', () => "ATTACH ':memory:' AS evil"],
    ['EXPORT', () => `EXPORT DATABASE '${join(directory, 'evil')}'`],
    ['SET', () => "SET memory_limit = '100GB'"],
    ['RESET', () => 'RESET memory_limit'],
    ['PRAGMA', () => 'PRAGMA enable_profiling'],
    ['INSTALL', () => 'INSTALL httpfs'],
    ['LOAD', () => 'LOAD httpfs'],
    ['logging to a file', () => `FROM enable_logging(storage = 'file', storage_path = '${join(directory, 'log')}')`],
    [
      'profiling over a data file',
      () => `FROM enable_profiling(format = 'json', save_location = '${files.files.flights}')`,
    ],
    ['SQL in a string', () => "FROM query('SELECT 1 AS v')"],
    ['a table by the text of its name', () => "FROM query_table('flights')"],
    ['serialised SQL', () => "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1 AS v'))"],
    ['several statements', () => 'SELECT 1 AS v; DROP VIEW flights'],
    ['CREATE', () => 'CREATE TABLE t AS SELECT 1 AS v'],
    ['CREATE MACRO', () => "CREATE MACRO m() AS TABLE FROM read_csv('/etc/passwd')"],
    ['DROP', () => 'DROP VIEW flights'],
    ['USE', () => 'USE memory'],
    ['SET VARIABLE', () => 'SET VARIABLE x = 1'],
    ['system tables', () => 'FROM duckdb_settings()'],
    ['information_schema', () => 'FROM information_schema.tables'],
    ['tables of no task', () => 'FROM airports'],
    ['settings', () => "SELECT current_setting('temp_directory') AS v"],
  ])('%s', async (_, sql) => {
    const before = statSync(files.files.flights);
    const entries = readdirSync(directory);
    expect(await failureOf(sql(), undefined, { tables: ['flights'] })).toMatchObject({ reason: 'PERMISSION_DENIED' });
    const after = statSync(files.files.flights);
    expect([after.size, after.mtimeMs]).toEqual([before.size, before.mtimeMs]);
    expect(readdirSync(directory)).toEqual(entries);
    expect(await rowsOf('SELECT count(*)::INTEGER AS v FROM flights', undefined, { tables: ['flights'] })).toEqual([
      [10_000],
    ]);
  });
});

test('many short tasks in a row each find a database, more of them than one executor keeps ready', async () => {
  const one = await startPool({ warm: 1, maxTasks: 1 });
  const [pid] = one.stats().pids;
  for (let n = 0; n < 3 * SPARES_MAX; n++) {
    const task = await run(`SELECT ${n} AS v`, undefined, { on: one });
    expect(await readAll(task)).toEqual([[n]]);
    await task.ended;
  }
  expect(one.stats().pids).toEqual([pid]);
  await one.close();
});

// What would hold if the gate had a hole: the engine itself is locked to the files of the task.
test('a locked database opens no other file, not even through a symbolic link in the list of a table', async () => {
  const link = join(directory, 'link.csv');
  symlinkSync('/etc/passwd', link);
  const { ExecutorDatabase } = await import('./executor-database.js');
  const { openStatementGate } = await import('./statement-gate.js');
  const database = await ExecutorDatabase.open(await openStatementGate());
  await database.admit(
    {
      version: 1,
      sql: 'SELECT 1',
      session: { catalog: 'demo', schema: 'main' },
      tables: tableReaders(files.catalogs).filter((table) => table.name === 'airports'),
      columns: [],
    },
    { equal: '', files: [] },
    {
      memoryLimitBytes: 64 * MIB,
      threads: 1,
      spillDirectory: join(directory, 'spill'),
      spillLimitBytes: MIB,
      resultPipe: join(directory, 'result'),
    },
  );
  for (const sql of [
    "FROM read_text('/etc/passwd')",
    `FROM read_text('${link}')`,
    `FROM read_text('${directory}/../../etc/passwd')`,
    `FROM read_csv('${files.files.flights}')`,
    "FROM read_blob('/proc/self/environ')",
    `COPY (SELECT 1) TO '${join(directory, 'evil.csv')}'`,
    `ATTACH '${join(directory, 'evil.db')}'`,
    "SET memory_limit = '100GB'",
    'SET enable_external_access = true',
    'RESET allowed_paths',
    'LOAD httpfs',
  ])
    await expect(database.connection.run(sql)).rejects.toThrow(/Permission|Invalid Input|Catalog|IO|lock/);
  database.close();
  expect(existsSync(join(directory, 'evil.csv')) || existsSync(join(directory, 'evil.db'))).toBe(false);
});
