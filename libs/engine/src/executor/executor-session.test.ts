import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@tutti/base';
import type { Stage } from '@tutti/sql';
import { openInstance } from '../duckdb/open-instance.js';
import type { ExecutorPool, ExecutorSession, FragmentIo, FragmentOutcome } from '../engine.js';
import { encodeFragment, withResultFormat } from '../fragment.js';
import {
  encodeSession,
  encodeStageTask,
  type FilePart,
  type ResultFormat,
  type StageTable,
  type StageTaskInput,
} from '../stage-fragment.js';
import { filePart, planType, testStage } from '../testing/stages.js';
import { executorProgram, type TestFiles, WatchedLog, writeTestFiles } from '../testing/index.js';
import { createDuckdbExecutorPool } from './executor-pool.js';

const MIB = 2 ** 20;
const never = new AbortController().signal;
// Processes are started and killed here; that takes its time on a busy machine.
jest.setTimeout(60_000);

let files: TestFiles;
let directory: string;
let exchange: string;
let pool: ExecutorPool;
let session: ExecutorSession;
let count = 0;

beforeAll(async () => {
  files = await writeTestFiles();
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'tutti-session-test-')));
  pool = createDuckdbExecutorPool({
    executorPath: executorProgram(),
    warm: 2,
    maxTasks: 4,
    spillDirectory: join(directory, 'spill'),
    spillLimitBytes: 1024 * MIB,
    interruptGraceMs: 500,
    recycleRssBytes: 1024 * MIB,
    log: new WatchedLog(),
    clock: systemClock,
  });
  await pool.start();
}, 60_000);
afterAll(async () => {
  await pool.close();
  files.remove();
  rmSync(directory, { recursive: true });
});
beforeEach(async () => {
  exchange = mkdtempSync(join(directory, 'exchange-'));
  session = await open();
});
afterEach(async () => {
  session.close();
  await session.ended;
});

const flights = (): StageTable => ({
  table: 'demo.main.flights',
  reader: {
    catalog: 'demo',
    schema: 'main',
    name: 'flights',
    format: 'parquet',
    columns: ['id:INTEGER', 'origin:VARCHAR', 'delay:INTEGER', 'price:DECIMAL(12,2)', 'total:BIGINT'].map((spec) => {
      const [name = '', type = ''] = spec.split(':');
      return { name, type };
    }),
  },
});

const open = (splits: readonly FilePart[] = [filePart(files.files.flights)], memoryLimitBytes = 512 * MIB) =>
  pool.open(
    {
      taskId: 'session',
      fragment: encodeSession({ tables: [{ ...flights(), splits }] }),
      memoryLimitBytes,
      threads: 2,
      exchangeDirectory: exchange,
      exchangeRoot: exchange,
    },
    never,
  );

interface Work extends Partial<Omit<StageTaskInput, 'stage'>> {
  readonly stage: Stage;
  readonly inputs?: FragmentIo['inputs'];
  readonly signal?: AbortSignal;
}

async function start({ stage, inputs = [], signal = never, ...rest }: Work, on = session) {
  const outputDirectory = join(exchange, `out-${++count}`);
  mkdirSync(outputDirectory);
  const fragment = encodeStageTask({
    stage,
    index: 0,
    scans: [],
    format: 'rows',
    compression: 'none',
    columnNames: [],
    ...rest,
  });
  return { outputDirectory, run: await on.run(fragment, { inputs, outputDirectory }, signal) };
}

/** Runs a fragment to its end. */
async function finish(work: Work): Promise<{ bytes: Buffer; outcome: FragmentOutcome; paths: string[] }> {
  const { run, outputDirectory } = await start(work);
  const batches: Uint8Array[] = [];
  for await (const batch of run.batches) batches.push(batch);
  const outcome = await run.outcome;
  return {
    bytes: Buffer.concat(batches),
    outcome,
    paths: outcome.files.map(({ name }) => join(outputDirectory, name)),
  };
}

async function failureOf(work: Work): Promise<{ reason?: string; message?: string; position?: unknown }> {
  try {
    await finish(work);
  } catch (error) {
    return error as { reason: string; message: string };
  }
  return {};
}

const result = (sql: string, ...types: string[]): Stage =>
  testStage({ sql, types: types.map(planType), output: { kind: 'result' } });

/** The session still works. */
const isUsable = async () =>
  (await finish({ stage: result('SELECT 1 AS c0', 'INTEGER') })).bytes.toString() === '[1]\n';

const scan = (sql: string, ...types: string[]): Stage =>
  testStage({
    sql,
    types: types.map(planType),
    scans: [
      {
        number: 0,
        table: 'demo.main.flights',
        columns: [
          { name: 'id', type: planType('INTEGER') },
          { name: 'origin', type: planType('VARCHAR') },
        ],
        share: 'own',
        bounds: [],
      },
    ],
  });

const scanned = (...splits: FilePart[]): StageTaskInput['scans'] => [{ number: 0, table: flights(), splits }];

const reading = (sql: string, share: 'all' | 'partition', types: string[], outputs: string[]): Stage =>
  testStage({
    sql,
    types: outputs.map(planType),
    reads: [{ number: 0, stageId: '1', share, types: types.map(planType) }],
    output: { kind: 'result' },
  });

describe('a fragment', () => {
  test('reads rows of files, writes partitions, and the next one reads these', async () => {
    const file = files.files.flights;
    const { outcome, paths } = await finish({
      stage: {
        ...scan('SELECT c0, c1 FROM {{scan:0}} WHERE {{once}}', 'INTEGER', 'VARCHAR'),
        output: { kind: 'partitioned', keys: ['c1'], partitions: 4 },
      },
      scans: scanned(filePart(file, 0, 100), filePart(file, 9_000, 9_500), filePart(file, 9_990)),
      compression: 'zstd',
    });
    expect(outcome).toMatchObject({ rows: 610, ranges: [{ min: '0', max: '9999' }, undefined] });
    expect(outcome.files.reduce((sum, { rows }) => sum + rows, 0)).toBe(610);
    expect(outcome.bytes).toBe(outcome.files.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const { name, partition } of outcome.files)
      expect(name).toMatch(new RegExp(`^__p=${partition}/data_\\d+\\.parquet$`));
    const stage = reading(
      'SELECT count(*) AS c0, sum(c0) AS c1 FROM {{read:0}}',
      'all',
      ['INTEGER', 'VARCHAR'],
      ['BIGINT', 'HUGEINT'],
    );
    const read = await finish({ stage, inputs: [{ number: 0, files: paths }] });
    const sum = 4_950 + (9_000 + 9_499) * 250 + (9_990 + 9_999) * 5;
    expect(read.bytes.toString()).toBe(`["610","${sum}"]\n`);
    expect(read.outcome).toMatchObject({ rows: 1, bytes: read.bytes.length, files: [] });
    expect(session.usage().rows).toBe(611);
  });

  test('without rows writes no file that counts, and is read as an empty relation of its types', async () => {
    const { outcome } = await finish({
      stage: scan('SELECT c0, c0::HUGEINT::VARCHAR AS c1 FROM {{scan:0}} WHERE c0 < 0', 'INTEGER', 'HUGEINT'),
      scans: scanned(filePart(files.files.flights)),
    });
    expect(outcome).toMatchObject({ rows: 0, files: [], ranges: [undefined, undefined] });
    const stage = reading(
      'SELECT max(c0) AS c0, typeof(any_value(c1)) AS c1 FROM {{read:0}}',
      'partition',
      ['INTEGER', 'HUGEINT'],
      ['INTEGER', 'VARCHAR'],
    );
    const { bytes } = await finish({ stage, inputs: [{ number: 0, files: [] }] });
    expect(bytes.toString()).toBe('[null,"VARCHAR"]\n');
    expect((await finish({ stage: scan('SELECT c0 FROM {{scan:0}}', 'INTEGER'), scans: scanned() })).outcome.rows).toBe(
      0,
    );
  });

  test('tells exact ranges only, over all its files', async () => {
    const columns = [
      '(i - 50)::BIGINT',
      '(i / 4)::DECIMAL(20,2)',
      "DATE '2020-01-01' + i::INTEGER",
      "TIMESTAMP '2020-01-01' + to_seconds(i)",
      'i::VARCHAR',
      'i::DOUBLE',
      'NULL::INTEGER',
      "'infinity'::DATE",
      'NULLIF(i, 3)::UBIGINT',
    ];
    const types = ['BIGINT', 'DECIMAL(20,2)', 'DATE', 'TIMESTAMP', 'VARCHAR', 'DOUBLE', 'INTEGER', 'DATE', 'UBIGINT'];
    const sql = `SELECT ${columns.map((column, i) => `${column} AS c${i}`).join(', ')} FROM range(100) t(i)`;
    const { outcome } = await finish({
      stage: testStage({
        sql,
        types: types.map(planType),
        output: { kind: 'partitioned', keys: ['c0'], partitions: 3 },
      }),
    });
    expect(outcome.ranges).toEqual([
      { min: '-50', max: '49' },
      { min: '0.00', max: '24.75' },
      { min: '2020-01-01', max: '2020-04-09' },
      { min: '2020-01-01 00:00:00', max: '2020-01-01 00:01:39' },
      undefined,
      undefined,
      undefined,
      undefined,
      { min: '0', max: '99' },
    ]);
  });

  test('whose columns have other types than planned does not run, and names the column', async () => {
    const stage = testStage({ sql: 'SELECT 1 AS c0, 2 AS c1', types: [planType('INTEGER'), planType('BIGINT')] });
    expect(await failureOf({ stage })).toMatchObject({
      reason: 'INTERNAL_ERROR',
      message: expect.stringContaining('column "c1" is INTEGER and was planned as BIGINT'),
    });
    expect(await isUsable()).toBe(true);
  });

  test.each(['files', 'partitioned'] as const)('may leave the type of a NULL to whoever reads it: %s', async (kind) => {
    const { outcome } = await finish({
      stage: testStage({
        sql: 'SELECT NULL AS c0, 2 AS c1',
        types: [planType('INTEGER'), planType('INTEGER')],
        output: kind === 'files' ? { kind } : { kind, keys: ['c0', 'c1'], partitions: 2 },
      }),
    });
    expect(outcome).toMatchObject({ rows: 1, ranges: [undefined, { min: '2', max: '2' }] });
    expect(outcome.files).toHaveLength(1);
  });

  test('that fails on a value says so without a place in a text that nobody wrote, and the session lives on', async () => {
    const stage = testStage({
      sql: "SELECT ('x' || i)::INTEGER AS c0 FROM range(3) t(i)",
      types: [planType('INTEGER')],
    });
    const failure = await failureOf({ stage });
    expect(failure).toMatchObject({
      reason: 'QUERY_FAILED',
      message: expect.stringContaining("Could not convert string 'x0'"),
    });
    expect(failure.position).toBeUndefined();
    expect(failure.message).not.toMatch(/LINE|SELECT/);
    expect(await isUsable()).toBe(true);
  });

  test('notices a file that has changed since planning', async () => {
    const copy = join(directory, 'copy.parquet');
    copyFileSync(files.files.flights, copy);
    const part = filePart(copy);
    writeFileSync(copy, 'x', { flag: 'a' });
    expect(
      await failureOf({ stage: scan('SELECT c0 FROM {{scan:0}}', 'INTEGER'), scans: scanned(part) }),
    ).toMatchObject({
      reason: 'TABLE_UNREADABLE',
      message: expect.stringMatching(/demo\.main\.flights.*copy\.parquet.*changed since/),
    });
    expect(await isUsable()).toBe(true);
  });

  test.each([
    ['has lost a column', 'id AS other', 'it has no column "id"'],
    ['has another type in a column', "'x' || id AS id", 'its column "id" is VARCHAR, not INTEGER'],
  ])('names table, file and column when a file %s', async (_, select, problem) => {
    const path = join(directory, `other-${++count}.parquet`);
    const instance = await openInstance();
    const connection = await instance.connect();
    await connection.run(`COPY (SELECT ${select} FROM range(10) t(id)) TO '${path}'`);
    connection.closeSync();
    instance.closeSync();
    const own = await open([filePart(path)]);
    const stage = scan('SELECT (c0 % 10)::INTEGER AS c0 FROM {{scan:0}}', 'INTEGER');
    const { run } = await start({ stage, scans: scanned(filePart(path)) }, own);
    await expect(run.outcome).rejects.toMatchObject({
      reason: 'TABLE_UNREADABLE',
      message: `Table demo.main.flights cannot be read: file ${path}: ${problem}, as the catalog declares.`,
    });
    own.close();
    await own.ended;
  });

  test('names table and file when a file is damaged', async () => {
    const broken = join(directory, 'broken.parquet');
    writeFileSync(broken, 'PAR1 this is none PAR1');
    const own = await open([filePart(broken)]);
    const work = { stage: scan('SELECT c0 FROM {{scan:0}}', 'INTEGER'), scans: scanned(filePart(broken)) };
    const { run } = await start(work, own);
    await expect(run.outcome).rejects.toMatchObject({
      reason: 'TABLE_UNREADABLE',
      message: expect.stringMatching(/demo\.main\.flights.*broken\.parquet/),
    });
    own.close();
    await own.ended;
  });

  test.each([
    ['another file', "SELECT count(*) AS c0 FROM read_text('/etc/passwd')"],
    ['another file of the process', "SELECT count(*) AS c0 FROM read_blob('/proc/self/environ')"],
    ['two statements', 'SELECT 1::BIGINT AS c0; SELECT 2'],
    ['COPY', "COPY (SELECT 1) TO '/tmp/evil.csv'"],
    ['SET', "SET memory_limit = '100GB'"],
  ])('is refused: %s', async (_, sql) => {
    const writing = testStage({ sql, types: [planType('BIGINT')] });
    for (const stage of [result(sql, 'BIGINT'), writing])
      expect((await failureOf({ stage })).reason).toMatch(/PERMISSION_DENIED|TABLE_UNREADABLE/);
    expect(await isUsable()).toBe(true);
  });

  test.each([
    ['a parenthesis', "SELECT 1 AS c0) AS t) TO '/tmp/evil.csv' --"],
    ['a parenthesis and another statement', "SELECT 1 AS c0) AS t; COPY (SELECT 1) TO '/tmp/evil.csv' --"],
    ['a comment', 'SELECT 1 AS c0 /*'],
  ])('cannot leave its place in a statement of ours by %s', async (_, sql) => {
    for (const output of [{ kind: 'files' }, { kind: 'result' }] as const)
      expect((await failureOf({ stage: testStage({ sql, types: [planType('INTEGER')], output }) })).message).toMatch(
        /syntax error|unterminated/,
      );
    expect(existsSync('/tmp/evil.csv')).toBe(false);
    expect(await isUsable()).toBe(true);
  });

  test('cannot write outside of the exchange directory', async () => {
    const outputDirectory = mkdtempSync(join(directory, 'outside-'));
    const stage = testStage({ sql: 'SELECT 1 AS c0', types: [planType('INTEGER')] });
    const fragment = encodeStageTask({
      stage,
      index: 0,
      scans: [],
      format: 'rows',
      compression: 'none',
      columnNames: [],
    });
    const run = await session.run(fragment, { inputs: [], outputDirectory }, never);
    await expect(run.outcome).rejects.toMatchObject({ name: 'TaskError' });
    expect(readdirSync(outputDirectory)).toEqual([]);
    expect(await isUsable()).toBe(true);
  });
});

const LONG = 'SELECT count(*) AS c0 FROM range(10000000000) t(i) WHERE hash(i) % 7 = 8';

describe('canceling', () => {
  test('a fragment that writes leaves the session usable', async () => {
    const controller = new AbortController();
    const { run } = await start({
      stage: testStage({ sql: LONG, types: [planType('BIGINT')] }),
      signal: controller.signal,
    });
    controller.abort();
    await expect(run.outcome).rejects.toMatchObject({ reason: 'CANCELED' });
    expect(await isUsable()).toBe(true);
  });

  test('a fragment that the engine cannot stop ends the session with its executor', async () => {
    const controller = new AbortController();
    const sql =
      'SELECT len(list_sort(list_transform(range(30000000), lambda x: hash(x + i)))) AS c0 FROM range(1) t(i)';
    const own = await open(undefined, 4096 * MIB);
    const { run } = await start(
      { stage: testStage({ sql, types: [planType('BIGINT')] }), signal: controller.signal },
      own,
    );
    controller.abort();
    await expect(run.outcome).rejects.toMatchObject({ reason: 'CANCELED' });
    own.close();
    await own.ended;
  });

  test.each(['rows', 'jsonLines', 'parquet'] as const)(
    'leaving the %s of a result frees the engine',
    async (format) => {
      const stage = result('SELECT i AS c0 FROM range(1000000000) t(i)', 'BIGINT');
      const { run } = await start({ stage, format });
      for await (const batch of run.batches) {
        expect(batch.length).toBeGreaterThan(0);
        break;
      }
      await expect(run.outcome).rejects.toMatchObject({ reason: 'CANCELED' });
      expect(await isUsable()).toBe(true);
    },
  );

  test('closing a session ends its fragment', async () => {
    const own = await open();
    const { run } = await start({ stage: testStage({ sql: LONG, types: [planType('BIGINT')] }) }, own);
    own.close();
    await expect(run.outcome).rejects.toMatchObject({ reason: 'CANCELED' });
    await own.ended;
    await expect(start({ stage: result('SELECT 1 AS c0', 'INTEGER') }, own)).rejects.toMatchObject({
      reason: 'CANCELED',
    });
  });
});

test('an executor that is killed ends its session, and says so to the fragment and to the next one', async () => {
  const before = new Set(pool.stats().pids);
  const own = await open();
  const { run } = await start(
    { stage: testStage({ sql: 'SELECT 1::BIGINT AS c0', types: [planType('BIGINT')] }) },
    own,
  );
  await run.outcome;
  const long = await start({ stage: testStage({ sql: LONG, types: [planType('BIGINT')] }) }, own);
  // The other session of this test idles; all executors may go.
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await expect(long.run.outcome).rejects.toMatchObject({ reason: 'EXECUTOR_CRASHED', retriable: true });
  await own.ended;
  await session.ended;
  await expect(start({ stage: result('SELECT 1 AS c0', 'INTEGER') }, own)).rejects.toMatchObject({
    reason: 'EXECUTOR_CRASHED',
  });
});

describe('results', () => {
  const sql = "SELECT i AS c0, 'x' || i AS c1, i * 0.5 AS c2 FROM range(100000) t(i) ORDER BY i DESC";
  const stage = () => result(sql, 'BIGINT', 'VARCHAR', 'DECIMAL(20,1)');
  const spelled = () => `SELECT c0, c1, c2::DECIMAL(20,1) AS c2 FROM (${sql})`;

  test('are the same lines by either way, in order', async () => {
    const ours = await finish({ stage: { ...stage(), sql: spelled() } });
    const engines = await finish({ stage: { ...stage(), sql: spelled() }, format: 'jsonLines' });
    expect(engines.bytes.equals(ours.bytes)).toBe(true);
    expect(engines.outcome).toMatchObject({ rows: 100_000, bytes: ours.bytes.length });
    expect(engines.bytes.toString().startsWith('["99999","x99999","49999.5"]\n')).toBe(true);
  });

  test.each(['rows', 'jsonLines'] as const)('of more rows than were expected are whole: %s', async (format) => {
    for (const rows of [2_047, 2_048, 2_049, 5_000]) {
      const some = result(`SELECT i AS c0 FROM range(${rows}) t(i)`, 'BIGINT');
      const { bytes, outcome } = await finish({ stage: { ...some, estimatedRows: 1 }, format });
      expect(bytes.toString().split('\n')).toHaveLength(rows + 1);
      expect(outcome.rows).toBe(rows);
    }
  });

  test('with nested types are lines, too', async () => {
    const { bytes, outcome } = await finish({ stage: result('SELECT [1, 2] AS c0', 'INTEGER[]'), format: 'jsonLines' });
    expect(bytes.toString()).toBe('[[1,2]]\n');
    expect(outcome.rows).toBe(1);
  });

  test('as Parquet are one file with the names of the query', async () => {
    const { bytes, outcome } = await finish({
      stage: { ...stage(), sql: spelled() },
      format: 'parquet',
      columnNames: ['a', 'A', 'b'],
    });
    expect(outcome).toMatchObject({ rows: 100_000, bytes: bytes.length });
    const file = join(exchange, 'result.parquet');
    writeFileSync(file, bytes);
    const check = result(
      `SELECT count(a) AS c0, max(A_1) AS c1, max(b)::VARCHAR AS c2 FROM '${file}'`,
      'BIGINT',
      'VARCHAR',
      'VARCHAR',
    );
    expect((await finish({ stage: check })).bytes.toString()).toBe('["100000","x99999","49999.5"]\n');
  });

  test.each(['rows', 'jsonLines', 'parquet'] as const)('as %s that fail in the middle say why', async (format) => {
    const failing =
      "SELECT (CASE WHEN i = 900000 THEN error('boom') ELSE i END)::INTEGER AS c0 FROM range(1000000) t(i)";
    expect(await failureOf({ stage: result(failing, 'INTEGER'), format })).toMatchObject({
      reason: 'QUERY_FAILED',
      message: expect.stringContaining('boom'),
    });
    expect(await isUsable()).toBe(true);
  });

  test('without rows end at once', async () => {
    const none = result('SELECT 1 AS c0 WHERE false', 'INTEGER');
    expect((await finish({ stage: none, format: 'jsonLines' })).bytes).toHaveLength(0);
    expect((await finish({ stage: none, format: 'parquet' })).bytes.length).toBeGreaterThan(0);
  });
});

test('memory past the limit fails the fragment only', async () => {
  const own = await open(undefined, 64 * MIB);
  const hungry = testStage({ sql: 'SELECT len(list(i)) AS c0 FROM range(50000000) t(i)', types: [planType('BIGINT')] });
  const { run } = await start({ stage: hungry }, own);
  await expect(run.outcome).rejects.toMatchObject({ reason: 'EXCEEDED_LOCAL_MEMORY_LIMIT' });
  const { run: next } = await start({ stage: testStage({ sql: 'SELECT 1 AS c0', types: [planType('INTEGER')] }) }, own);
  expect(await next.outcome).toMatchObject({ rows: 1 });
  own.close();
  await own.ended;
});

test('a fragment need not wait for the database', async () => {
  const own = await open();
  const { run } = await start({ stage: testStage({ sql: 'SELECT 1 AS c0', types: [planType('INTEGER')] }) }, own);
  expect(await run.outcome).toMatchObject({ rows: 1 });
  await own.opened;
  own.close();
  await own.ended;
});

test('a fragment of a session that never opens fails with what was wrong, and the executor is free', async () => {
  const task = {
    taskId: 't',
    memoryLimitBytes: 64 * MIB,
    threads: 1,
    exchangeDirectory: exchange,
    exchangeRoot: exchange,
  };
  const own = await pool.open({ ...task, fragment: new Uint8Array([1]) }, never);
  const outputDirectory = exchange;
  const run = own.run(new Uint8Array([1]), { inputs: [], outputDirectory }, never);
  const why = await own.opened.catch((error: unknown) => error);
  expect(why).toMatchObject({ name: 'TaskError' });
  await expect(run.then(({ outcome }) => outcome)).rejects.toBe(why);
  await own.ended;
  const next = await open();
  await next.opened;
  next.close();
  await next.ended;
});

test('a session that is closed at once, with a fragment, ends', async () => {
  const own = await open();
  const stage = testStage({ sql: 'SELECT 1 AS c0', types: [planType('INTEGER')] });
  const begun = start({ stage }, own);
  own.close();
  await expect(begun.then(({ run }) => run.outcome)).rejects.toMatchObject({ reason: 'CANCELED' });
  await expect(own.opened).rejects.toMatchObject({ reason: 'CANCELED' });
  await own.ended;
});

test('what is no session, or no task of a stage, is refused', async () => {
  const task = {
    taskId: 't',
    memoryLimitBytes: 64 * MIB,
    threads: 1,
    exchangeDirectory: exchange,
    exchangeRoot: exchange,
  };
  const other = await pool.open({ ...task, fragment: new Uint8Array([1]) }, never);
  await expect(other.opened).rejects.toMatchObject({ name: 'TaskError' });
  await other.ended;
  await expect(
    session.run(new Uint8Array([1]), { inputs: [], outputDirectory: exchange }, never),
  ).rejects.toMatchObject({
    reason: 'INTERNAL_ERROR',
  });
  expect(await isUsable()).toBe(true);
  expect(existsSync('/tmp/evil.csv')).toBe(false);
});

describe('a whole query', () => {
  const whole = (sql: string, columns: string[], format: ResultFormat, inputRows?: number) => {
    const reader = { ...flights().reader, files: [files.files.flights] };
    const typed = columns.map((type, i) => ({ name: `v${i}`, type }));
    const query = {
      version: 1,
      sql,
      session: { catalog: 'demo', schema: 'main' },
      tables: [reader],
      columns: typed,
      ...(inputRows !== undefined && { inputRows }),
    } as const;
    const fragment = withResultFormat(encodeFragment(query), format);
    return pool.run({ taskId: 't', fragment, memoryLimitBytes: 512 * MIB, threads: 2 }, never);
  };
  const bytesOf = async (...args: Parameters<typeof whole>): Promise<Buffer> => {
    const run = await whole(...args);
    const batches: Uint8Array[] = [];
    for await (const batch of run.batches) batches.push(batch);
    await run.ended;
    expect(run.usage().rows).toBe(10_000);
    return Buffer.concat(batches);
  };
  const sql = 'SELECT id AS v0, origin AS v1, price AS v2 FROM flights ORDER BY id';
  const types = ['INTEGER', 'VARCHAR', 'DECIMAL(12,2)'];

  test('gives the same lines by either way, and one file of Parquet', async () => {
    const lines = await bytesOf(sql, types, 'rows');
    expect((await bytesOf(sql, types, 'jsonLines')).equals(lines)).toBe(true);
    expect((await bytesOf(sql, types, 'parquet')).subarray(0, 4).toString()).toBe('PAR1');
  });

  test.each(['rows', 'jsonLines', 'parquet'] as const)(
    'that fails on a value names its place, as %s too',
    async (format) => {
      const run = await whole("SELECT\n  ('x' || id)::INTEGER AS v0 FROM flights", ['INTEGER'], format);
      const read = async () => {
        for await (const batch of run.batches) expect(batch).toBeUndefined();
      };
      await expect(read()).rejects.toMatchObject({ reason: 'QUERY_FAILED', position: { line: 2 } });
      await run.ended;
    },
  );

  describe.each(['rows', 'jsonLines'] as const)('that reads little, as %s,', (format) => {
    const linesOf = async (sql: string, columns: string[]): Promise<string> => {
      const run = await whole(sql, columns, format, 10_000);
      let lines = '';
      for await (const batch of run.batches) lines += Buffer.from(batch).toString();
      await run.ended;
      expect(run.usage().rows).toBe(lines.split('\n').length - 1);
      return lines;
    };

    test('gives few rows, and many', async () => {
      expect(await linesOf('SELECT 1 AS v0, origin AS v1 FROM flights WHERE id = 3', ['INTEGER', 'VARCHAR'])).toMatch(
        /^\[1,"\w+"\]\n$/,
      );
      const lines = await linesOf('SELECT id AS v0 FROM flights ORDER BY id', ['INTEGER']);
      expect(
        lines
          .trim()
          .split('\n')
          .map((line) => Number(line.slice(1, -1))),
      ).toEqual(Array.from({ length: 10_000 }, (_, id) => id));
    });

    test('names the place of a value that it fails on', async () => {
      const failing = "SELECT\n  ('x' || id)::INTEGER AS v0 FROM flights WHERE id = 3";
      await expect(linesOf(failing, ['INTEGER'])).rejects.toMatchObject({
        reason: 'QUERY_FAILED',
        position: { line: 2 },
      });
    });

    test('does not answer with other types than planned', async () => {
      await expect(linesOf('SELECT id AS v0 FROM flights WHERE id = 3', ['BIGINT'])).rejects.toMatchObject({
        reason: 'TABLE_UNREADABLE',
        message: expect.stringContaining('column "v0" is INTEGER now and was planned as BIGINT'),
      });
    });
  });

  test('whose rows become ever more has its lines without holding them', async () => {
    const sql = 'SELECT a.id AS v0 FROM flights a, flights b WHERE b.id < 300';
    const run = await whole(sql, ['INTEGER'], 'jsonLines');
    let bytes = 0;
    for await (const batch of run.batches) bytes += batch.length;
    expect(bytes).toBeGreaterThan(10 * MIB);
    expect(run.usage()).toMatchObject({ rows: 3_000_000 });
    await run.ended;
  });

  test('whose lines nobody wants any more frees its executor', async () => {
    const run = await whole('SELECT a.id AS v0 FROM flights a, flights b', ['INTEGER'], 'jsonLines');
    for await (const batch of run.batches) {
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    await run.ended;
  });
});
