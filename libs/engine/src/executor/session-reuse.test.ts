import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@tutti/base';
import type { ExecutorPool, ExecutorSession } from '../engine.js';
import { encodeFragment } from '../fragment.js';
import { encodeSession, encodeStageTask } from '../stage-fragment.js';
import { executorProgram, type TestFiles, WatchedLog, writeTestFiles } from '../testing/index.js';
import { filePart, planType, testStage } from '../testing/stages.js';
import { createDuckdbExecutorPool } from './executor-pool.js';

const MIB = 2 ** 20;
const never = new AbortController().signal;
jest.setTimeout(60_000);

// Sessions that one executor has one after the other: which of them get the same database (kept-databases.ts).
let files: TestFiles;
let directory: string;
let exchangeRoot: string;
let pool: ExecutorPool;
let count = 0;

beforeAll(async () => {
  files = await writeTestFiles();
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'tutti-reuse-test-')));
  exchangeRoot = join(directory, 'exchange');
  mkdirSync(exchangeRoot);
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

interface SessionInput {
  readonly paths?: readonly string[];
  readonly memoryLimitBytes?: number;
}

async function inSession<R>(work: (session: ExecutorSession) => Promise<R>, input: SessionInput = {}): Promise<R> {
  const { paths = [files.files.flights], memoryLimitBytes = 256 * MIB } = input;
  const columns = [{ name: 'id', type: 'INTEGER' }];
  const reader = { catalog: 'demo', schema: 'main', name: 'flights', format: 'parquet' as const, columns };
  const splits = paths.map((path) => filePart(path));
  const session = await pool.open(
    {
      taskId: 'session',
      fragment: encodeSession({ tables: [{ table: 'demo.main.flights', reader, splits }] }),
      memoryLimitBytes,
      threads: 2,
      exchangeDirectory: mkdtempSync(join(exchangeRoot, 'task-')),
      exchangeRoot,
    },
    never,
  );
  try {
    return await work(session);
  } finally {
    session.close();
    await session.ended;
  }
}

/** The first value that a fragment makes. */
async function valueOf(session: ExecutorSession, sql: string, type = 'BIGINT', signal = never): Promise<unknown> {
  const outputDirectory = join(exchangeRoot, `out-${++count}`);
  mkdirSync(outputDirectory);
  const stage = testStage({ sql, types: [planType(type)], output: { kind: 'result' } });
  const rest = { index: 0, scans: [], format: 'rows', compression: 'none', columnNames: [] } as const;
  const run = await session.run(encodeStageTask({ stage, ...rest }), { inputs: [], outputDirectory }, signal);
  const value = await firstValue(run.batches);
  await run.outcome;
  return value;
}

async function firstValue(batches: AsyncIterable<Uint8Array>): Promise<unknown> {
  const parts: Uint8Array[] = [];
  for await (const batch of batches) parts.push(batch);
  return (JSON.parse(Buffer.concat(parts).toString()) as unknown[])[0];
}

/** Of one database it only grows, and in a new one it is small. */
const transaction = async (session: ExecutorSession) =>
  Number(await valueOf(session, 'SELECT txid_current()::BIGINT AS c0'));

/** The number of the last of some transactions, of which a new database has had fewer. */
const several = async (session: ExecutorSession): Promise<number> => {
  for (let i = 0; i < 20; i++) await transaction(session);
  return transaction(session);
};

const SORT = 'SELECT max(r) AS c0 FROM (SELECT row_number() OVER (ORDER BY hash(i)) AS r FROM range(6000000) t(i))';

test('a session that ended well leaves its database to the next one', async () => {
  const last = await inSession(several);
  expect(await inSession(transaction)).toBeGreaterThan(last);
});

test('a session with other limits gets a new one', async () => {
  const last = await inSession(several);
  expect(await inSession(transaction, { memoryLimitBytes: 128 * MIB })).toBeLessThan(last);
});

test('a session with a file that no session has had gets a new one', async () => {
  const last = await inSession(several);
  expect(await inSession(transaction, { paths: [files.files.airports] })).toBeLessThan(last);
});

test('a new one may open what the last sessions did, so that sessions of several tables share one in the end', async () => {
  const flights = { paths: [files.files.flights] };
  const airports = { paths: [files.files.airports] };
  await inSession(several, flights);
  const last = await inSession(several, airports);
  expect(await inSession(transaction, flights)).toBeGreaterThan(last);
});

test.each<[string, (session: ExecutorSession) => Promise<unknown>]>([
  ['failed', (session) => valueOf(session, "SELECT ('x' || i)::BIGINT AS c0 FROM range(3) t(i)")],
  ['ran out of memory', (session) => valueOf(session, 'SELECT len(list(i)) AS c0 FROM range(90000000) t(i)')],
  [
    'was canceled',
    (session) => {
      const sql = 'SELECT count(*) AS c0 FROM range(10000000000) t(i) WHERE hash(i) % 7 = 8';
      return valueOf(session, sql, 'BIGINT', AbortSignal.timeout(50));
    },
  ],
])('after a fragment that %s the database is closed', async (_, fails) => {
  const last = await inSession(async (session) => {
    const number = await several(session);
    await expect(fails(session)).rejects.toMatchObject({ name: 'TaskError' });
    return number;
  });
  expect(await inSession(transaction)).toBeLessThan(last);
});

test('a session that spilled leaves no database, and the next one can spill, too', async () => {
  const spill = async (session: ExecutorSession) => {
    const last = await several(session);
    expect(await valueOf(session, SORT)).toBe('6000000');
    expect(session.usage().spilledBytes).toBeGreaterThan(MIB);
    return last;
  };
  const little = { memoryLimitBytes: 80 * MIB };
  const last = await inSession(spill, little);
  expect(await inSession(transaction, little)).toBeLessThan(last);
  await inSession(spill, little);
});

test('no file of a table that no session was given can be read, whoever had the database before', async () => {
  await inSession(several);
  const sql = `SELECT count(*) AS c0 FROM read_parquet('${files.files.airports}')`;
  await inSession((session) => expect(valueOf(session, sql)).rejects.toMatchObject({ name: 'TaskError' }));
});

test('a task with the text of a user gets no database of sessions', async () => {
  const last = await inSession(several);
  const columns = [{ name: 'v', type: 'BIGINT' }];
  const session = { catalog: 'demo', schema: 'main' };
  const sql = 'SELECT txid_current()::BIGINT AS v';
  const fragment = encodeFragment({ version: 1, sql, session, tables: [], columns });
  const task = await pool.run({ taskId: 'task', fragment, memoryLimitBytes: 256 * MIB, threads: 2 }, never);
  expect(Number(await firstValue(task.batches))).toBeLessThan(last);
  await task.ended;
  expect(await inSession(transaction)).toBeGreaterThan(last);
});
