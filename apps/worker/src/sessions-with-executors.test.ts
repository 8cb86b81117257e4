// Two workers over real sockets, with real executors: a query of two stages whose rows go from worker to worker.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@connectrpc/connect';
import { seededRandom, systemClock } from '@tutti/base';
import { type ExchangeFile, type FragmentOutput, TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import {
  createDuckdbExecutorPool,
  encodeSession,
  encodeStageTask,
  type ExecutorPool,
  type FilePart,
  type StageTable,
  type StageTaskInput,
} from '@tutti/engine';
import { executorProgram, type TestFiles, writeTestFiles } from '@tutti/engine/testing';
import { ExchangeStore } from '@tutti/exchange';
import { createClusterTransport, createMetrics, readRpcError, readStream } from '@tutti/service';
import { createTestServer, TestLog, type TestServer } from '@tutti/service/testing';
import { createWorker } from './worker.js';

const KEY = 'a key that nobody guesses';
const INTERRUPT_GRACE_MS = 500;

class TestWorker {
  private constructor(
    readonly directory: string,
    readonly pool: ExecutorPool,
    readonly exchange: ExchangeStore,
    readonly server: TestServer,
    readonly transport: ReturnType<typeof createClusterTransport>,
    readonly client: Client<typeof TaskService>,
  ) {}

  static async start(): Promise<TestWorker> {
    const directory = mkdtempSync(join(tmpdir(), 'tutti-sessions-test-'));
    const common = { log: new TestLog(), clock: systemClock };
    const executor = { warm: 1, interruptGrace: INTERRUPT_GRACE_MS, recycleRss: 2 ** 30 };
    const pool = createDuckdbExecutorPool({
      ...common,
      ...{ executorPath: executorProgram(), warm: 1, maxTasks: 1, spillDirectory: directory, spillLimitBytes: 2 ** 28 },
      ...{ interruptGraceMs: INTERRUPT_GRACE_MS, recycleRssBytes: 2 ** 30 },
    });
    await pool.start();
    const exchange = ExchangeStore.open({ directory, limitBytes: 2 ** 28, log: common.log });
    const task = { maxTasks: 1, memoryLimit: 2 ** 28, threads: 1, spillDirectory: directory, spillLimit: 2 ** 28 };
    const worker = createWorker({
      ...common,
      config: { task: { ...task, orphanTimeout: 60_000 }, executor },
      ...{ pool, exchange, reportSoon: () => {}, random: seededRandom(1) },
      metrics: createMetrics({}, { processMetrics: false }),
    });
    const server = await createTestServer({ clusterRoutes: worker.clusterRoutes, edgeRoutes: worker.edgeRoutes });
    const transport = createClusterTransport({ address: server.clusterAddress });
    return new TestWorker(directory, pool, exchange, server, transport, createClient(TaskService, transport));
  }

  async stop(): Promise<void> {
    this.transport.close();
    await this.server.drain();
    await this.pool.close();
    await this.exchange.close();
    expect(readdirSync(this.directory)).toEqual([]);
    rmSync(this.directory, { recursive: true });
  }
}

let files: TestFiles;
let workers: [TestWorker, TestWorker];
let flights: StageTable;
let count = 0;
const opened = new Set<Session>();

beforeAll(async () => {
  files = await writeTestFiles();
  workers = await Promise.all([TestWorker.start(), TestWorker.start()]);
  const columns = [
    { name: 'id', type: 'INTEGER' },
    { name: 'origin', type: 'VARCHAR' },
    { name: 'delay', type: 'INTEGER' },
    { name: 'price', type: 'DECIMAL(12,2)' },
    { name: 'total', type: 'BIGINT' },
  ];
  const reader = { catalog: 'demo', schema: 'main', name: 'flights', format: 'parquet', columns } as const;
  flights = { table: 'demo.main.flights', reader };
}, 60_000);

afterAll(async () => {
  for (const worker of workers) await worker.stop();
  files.remove();
});

afterEach(async () => {
  for (const session of opened) await session.end();
});

/** A session of a query on a worker, read by us. */
class Session {
  readonly ended: Promise<ReturnType<typeof readRpcError>>;
  private readonly leave = new AbortController();

  private constructor(
    readonly worker: TestWorker,
    readonly taskId: string,
  ) {
    const read = async () => {
      const reading = (signal: AbortSignal) => worker.client.fetchResults({ taskId }, { signal });
      for await (const { part } of readStream(reading, this.leave.signal)) expect(part.case).toBe('status');
      throw new Error('a session ends with an error');
    };
    this.ended = read().catch((error: unknown) => readRpcError(error));
  }

  static async open(worker: TestWorker): Promise<Session> {
    const taskId = `q.${count++}.0`;
    const fragment = encodeSession({ tables: [{ ...flights, splits: [{ path: files.files.flights }] }] });
    const ids = { taskId, queryId: 'q', coordinatorId: 'c', resourceGroup: 'global' };
    await worker.client.createTask({ ...ids, fragment, exchangeKey: KEY });
    const session = new Session(worker, taskId);
    opened.add(session);
    return session;
  }

  /** Runs a fragment to its end: its output and, of a result, its rows. */
  async run(fragmentId: string, task: StageTaskInput, inputs: readonly ExchangeFile[] = []) {
    const request = {
      taskId: this.taskId,
      fragmentId,
      fragment: encodeStageTask(task),
      inputs: task.stage.reads.map(({ number }) => ({ number, files: [...inputs] })),
    };
    let rows = '';
    let output: FragmentOutput | undefined;
    for await (const { part } of readStream((signal) => this.worker.client.runFragment(request, { signal }))) {
      if (part.case === 'rows') rows += new TextDecoder().decode(part.value);
      if (part.case === 'output') output = part.value;
    }
    if (output === undefined) throw new Error('the fragment ended without its output');
    return { output, rows };
  }

  /** Files as a coordinator tells them to others. */
  files(output: FragmentOutput): ExchangeFile[] {
    const edgeAddress = `127.0.0.1:${this.worker.server.ports.edge}`;
    return output.files.map((file) => ({ ...file, edgeAddress, key: KEY }));
  }

  async end(): Promise<void> {
    opened.delete(this);
    this.leave.abort('enough');
    await this.ended;
    await this.worker.client.cancelTask({ taskId: this.taskId });
    await this.worker.exchange.removed();
  }
}

const type = (sql: string) => ({ sql, id: sql, children: [] });
const common = { format: 'rows', compression: 'none', columnNames: ['origin', 'flights'] } as const;
const stage = { tasks: 2, estimatedRows: 1, operators: [], distribution: 'hash (c0)', bounds: [] };

/** The first stage: counts of a share of the flights, by origin, in two partitions. */
function partial(index: number, firstRow: number, endRow: number): StageTaskInput {
  const { size, mtimeMs } = statSync(files.files.flights);
  const split: FilePart = { path: files.files.flights, fileBytes: size, fileMtimeMs: mtimeMs, firstRow, endRow };
  const columns = [{ name: 'origin', type: type('VARCHAR') }];
  const scan = { number: 0, table: flights.table, columns, share: 'own', bounds: [] } as const;
  return {
    ...common,
    index,
    scans: [{ number: 0, table: flights, splits: [split] }],
    stage: {
      ...stage,
      id: 's0',
      sql: 'SELECT c0, count(*) AS c1 FROM {{scan:0}} GROUP BY c0',
      types: [type('VARCHAR'), type('BIGINT')],
      scans: [scan],
      reads: [],
      output: { kind: 'partitioned', keys: ['c0'], partitions: 2 },
    },
  };
}

/** The second stage: the sums of one partition. */
const final = (
  index: number,
  sql = 'SELECT c0, sum(c1)::BIGINT AS c1 FROM {{read:0}} GROUP BY c0',
): StageTaskInput => ({
  ...common,
  index,
  scans: [],
  stage: {
    ...stage,
    id: 's1',
    sql,
    types: [type('VARCHAR'), type('BIGINT')],
    scans: [],
    reads: [{ number: 0, stageId: 's0', share: 'partition', types: [type('VARCHAR'), type('BIGINT')] }],
    output: { kind: 'result' },
  },
});

test('an aggregate over two workers gives each group once, and leaves nothing on their disks', async () => {
  const [a, b] = [await Session.open(workers[0]), await Session.open(workers[1])];
  const partials = await Promise.all([a.run('0.0.0', partial(0, 0, 4_000)), b.run('0.1.0', partial(1, 4_000, 10_000))]);
  const made = [...a.files(partials[0].output), ...b.files(partials[1].output)];
  expect(made.reduce((sum, { rows }) => sum + Number(rows), 0)).toBe(6);
  const of = (partition: number) => made.filter((file) => file.partition === partition);
  const finals = await Promise.all([a.run('1.0.0', final(0), of(0)), b.run('1.1.0', final(1), of(1))]);
  const lines = finals.flatMap(({ rows }) => rows.split('\n').filter((line) => line !== ''));
  expect(lines.sort()).toEqual(['["JFK","3333"]', '["SEA","3334"]', '["SFO","3333"]']);
  const remote = [
    ...of(0).filter(({ taskId }) => taskId === b.taskId),
    ...of(1).filter(({ taskId }) => taskId === a.taskId),
  ];
  const fetched = finals.reduce((sum, { output }) => sum + Number(output.fetchedBytes), 0);
  expect(fetched).toBe(remote.reduce((sum, { bytes }) => sum + Number(bytes), 0));
  expect(fetched).toBeGreaterThan(0);
  await Promise.all([a.end(), b.end()]);
  for (const { exchange, pool } of workers) {
    expect(readdirSync(exchange.path)).toEqual([]);
    expect(pool.stats().busy).toBe(0);
  }
}, 30_000);

test('an input without files is an empty table', async () => {
  const session = await Session.open(workers[0]);
  const task = final(0, 'SELECT c0, c1 FROM {{read:0}}');
  const { rows, output } = await session.run('1.0.0', task);
  expect([rows, output.rows]).toEqual(['', 0n]);
  await session.end();
}, 30_000);

test('an error in a fragment leaves the session to the next one', async () => {
  const session = await Session.open(workers[0]);
  const failed = session.run('1.0.0', final(0, "SELECT error('boom')::VARCHAR AS c0, 1::BIGINT AS c1"));
  expect(await failed.catch((error: unknown) => readRpcError(error))).toMatchObject({
    reason: 'QUERY_FAILED',
    message: expect.stringContaining('boom'),
  });
  const { rows } = await session.run('1.0.1', final(0, "SELECT 'x' AS c0, 1::BIGINT AS c1"));
  expect(rows).toBe('["x","1"]\n');
  await session.end();
}, 30_000);

test('a killed executor ends the session with a clear error, and the next one is a new one', async () => {
  const session = await Session.open(workers[0]);
  await session.run('1.0.0', final(0, "SELECT 'x' AS c0, 1::BIGINT AS c1"));
  for (const pid of workers[0].pool.stats().pids) process.kill(pid, 'SIGKILL');
  expect(await session.ended).toMatchObject({ reason: 'EXECUTOR_CRASHED' });
  const next = await Session.open(workers[0]);
  expect((await next.run('1.0.0', final(0, "SELECT 'y' AS c0, 2::BIGINT AS c1"))).rows).toBe('["y","2"]\n');
  await next.end();
}, 30_000);
