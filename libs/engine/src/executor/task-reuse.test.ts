import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@tutti/base';
import { openInstance } from '../duckdb/open-instance.js';
import { literal } from '../duckdb/sql-text.js';
import type { ExecutorPool } from '../engine.js';
import { encodeFragment } from '../fragment.js';
import type { ResultFormat } from '../stage-fragment.js';
import {
  executorProgram,
  readAll,
  tableReaders,
  type TestFiles,
  WatchedLog,
  writeTestFiles,
} from '../testing/index.js';
import { createDuckdbExecutorPool } from './executor-pool.js';

const MIB = 2 ** 20;
const never = new AbortController().signal;
jest.setTimeout(60_000);

// Tasks that one executor has one after the other: which of them get the same database (kept-databases.ts).
let files: TestFiles;
let directory: string;
let pool: ExecutorPool;

beforeAll(async () => {
  files = await writeTestFiles();
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'tutti-reuse-test-')));
});
afterAll(() => {
  files.remove();
  rmSync(directory, { recursive: true });
});
beforeEach(async () => {
  pool = createDuckdbExecutorPool({
    executorPath: executorProgram(),
    warm: 1,
    maxTasks: 1,
    spillDirectory: join(directory, 'spill'),
    spillLimitBytes: 1024 * MIB,
    interruptGraceMs: 5_000,
    recycleRssBytes: 4096 * MIB,
    log: new WatchedLog(),
    clock: systemClock,
  });
  await pool.start();
});
afterEach(() => pool.close());

/** The first value of a task with the text of a user. */
async function value(
  sql: string,
  input: {
    readonly table?: string;
    readonly format?: ResultFormat;
    readonly signal?: AbortSignal;
    readonly type?: string;
  } = {},
): Promise<unknown> {
  const { table = 'flights', format, signal = never, type = 'BIGINT' } = input;
  const tables = tableReaders(files.catalogs).filter(({ name }) => name === table);
  const columns = [{ name: 'v', type }];
  const session = { catalog: 'demo', schema: 'main' };
  const fragment = encodeFragment({ version: 1, sql, session, tables, columns, ...(format && { format }) });
  const task = await pool.run({ taskId: 'task', fragment, memoryLimitBytes: 80 * MIB, threads: 2 }, signal);
  try {
    const [row] = await readAll(task);
    return row?.[0];
  } finally {
    await task.ended;
  }
}

const transaction = async (input = {}) => Number(await value('SELECT txid_current()::BIGINT AS v', input));

/** The number of the last of some transactions, of which a new database has had fewer. */
const several = async (input = {}): Promise<number> => {
  for (let i = 0; i < 20; i++) await transaction(input);
  return transaction(input);
};

test('a task that ended well leaves its database to the next one with the same tables', async () => {
  const last = await several();
  expect(await transaction()).toBeGreaterThan(last);
});

test('a task gets neither the database of other tables nor that of another form of results', async () => {
  const last = await several();
  expect(await transaction({ table: 'airports' })).toBeLessThan(last);
  expect(await transaction({ format: 'jsonLines' })).toBeLessThan(last);
  expect(await transaction()).toBeGreaterThan(last);
});

test.each<[string, () => Promise<unknown>]>([
  ['failed', () => value("SELECT ('x' || id)::BIGINT AS v FROM flights")],
  ['ran out of memory', () => value('SELECT len(list(i)) AS v FROM range(90000000) t(i)')],
  [
    'was canceled',
    () => {
      const sql = 'SELECT count(*) AS v FROM range(10000000000) t(i) WHERE hash(i) % 7 = 8';
      return value(sql, { signal: AbortSignal.timeout(50) });
    },
  ],
])('after a task that %s the database is closed', async (_, fails) => {
  const last = await several();
  await expect(fails()).rejects.toMatchObject({ name: 'TaskError' });
  expect(await transaction()).toBeLessThan(last);
});

test('a task that spilled leaves no database, and the next one can spill, too', async () => {
  const sort = 'SELECT max(r) AS v FROM (SELECT row_number() OVER (ORDER BY hash(i)) AS r FROM range(6000000) t(i))';
  const last = await several();
  expect(await value(sort)).toBe('6000000');
  expect(await transaction()).toBeLessThan(last);
  expect(await value(sort)).toBe('6000000');
});

test('random numbers that a task has made predictable are not those of the next task', async () => {
  const random = 'SELECT random() AS v';
  const input = { type: 'DOUBLE' };
  await several();
  await value('SELECT "SetSeed"(0.5)::VARCHAR AS v', { type: 'VARCHAR' });
  const first = await value(random, input);
  await value('SELECT "SetSeed"(0.5)::VARCHAR AS v', { type: 'VARCHAR' });
  expect(await value(random, input)).not.toBe(first);
});

test('a table whose file is replaced between two tasks is read anew, also where the footer of the old one was kept', async () => {
  const sql = 'SELECT count(*) AS v FROM flights';
  const path = files.files.flights;
  const kept = readFileSync(path);
  const age = (seconds: number) => utimesSync(path, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
  try {
    // The engine keeps nothing of a file that has just been written.
    age(200);
    expect(Number(await value(sql))).toBe(10_000);
    expect(Number(await value(sql))).toBe(10_000);
    await writeFlights(7);
    age(100);
    expect(Number(await value(sql))).toBe(7);
    copyFileSync(files.files.airports, path);
    await expect(value(sql)).rejects.toMatchObject({ reason: 'TABLE_UNREADABLE' });
  } finally {
    writeFileSync(path, kept);
  }
});

/** Replaces the file of flights with one of fewer rows. */
async function writeFlights(rows: number): Promise<void> {
  const instance = await openInstance();
  const connection = await instance.connect();
  const path = files.files.flights;
  await connection.run(`CREATE TABLE fewer AS FROM read_parquet(${literal(path)}) LIMIT ${rows}`);
  await connection.run(`COPY fewer TO ${literal(path)} (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}
