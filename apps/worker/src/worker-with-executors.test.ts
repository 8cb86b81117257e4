// The worker over real sockets, with real executors.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { createClient, type Client } from '@connectrpc/connect';
import { seededRandom, systemClock } from '@tutti/base';
import { TaskService, TaskState } from '@tutti/contracts/tutti/task/v1/task_pb';
import { createDuckdbExecutorPool, createDuckdbPlanner, type ExecutorPool, type Planner } from '@tutti/engine';
import { executorProgram, planOrThrow, plannerProgram, type TestFiles, writeTestFiles } from '@tutti/engine/testing';
import { ExchangeStore } from '@tutti/exchange';
import { createClusterTransport, createMetrics, readRpcError, readStream } from '@tutti/service';
import { createTestServer, type TestServer, TestLog } from '@tutti/service/testing';
import { createWorker, type Worker } from './worker.js';

let files: TestFiles;
let planner: Planner;
let pool: ExecutorPool;
let worker: Worker;
let server: TestServer;
let client: Client<typeof TaskService>;
let transport: ReturnType<typeof createClusterTransport>;
let spillDirectory: string;
let exchange: ExchangeStore;
let count = 0;

beforeAll(async () => {
  files = await writeTestFiles();
  spillDirectory = mkdtempSync(join(tmpdir(), 'tutti-worker-test-'));
  const log = new TestLog();
  const common = { log, clock: systemClock };
  planner = await createDuckdbPlanner({
    ...common,
    catalogs: files.catalogs,
    scratchDirectory: spillDirectory,
    plannerPath: plannerProgram(),
  });
  const executor = { warm: 2, interruptGrace: 500, recycleRss: 2 ** 30 };
  const task = {
    maxTasks: 2,
    memoryLimit: 2 ** 28,
    threads: 2,
    spillDirectory,
    spillLimit: 2 ** 28,
    orphanTimeout: 60_000,
  };
  pool = createDuckdbExecutorPool({
    ...common,
    executorPath: executorProgram(),
    warm: executor.warm,
    maxTasks: task.maxTasks,
    spillDirectory,
    spillLimitBytes: task.spillLimit,
    interruptGraceMs: executor.interruptGrace,
    recycleRssBytes: executor.recycleRss,
  });
  await pool.start();
  exchange = ExchangeStore.open({ directory: spillDirectory, limitBytes: 2 ** 28, log });
  const metrics = createMetrics({}, { processMetrics: false });
  worker = createWorker({
    ...common,
    config: { task, executor },
    pool,
    exchange,
    metrics,
    reportSoon: () => {},
    random: seededRandom(1),
  });
  server = await createTestServer({ clusterRoutes: worker.clusterRoutes, edgeRoutes: worker.edgeRoutes });
  transport = createClusterTransport({ address: server.clusterAddress });
  client = createClient(TaskService, transport);
}, 30_000);

afterAll(async () => {
  transport.close();
  await server.drain();
  await pool.close();
  await exchange.close();
  await planner.close();
  files.remove();
  expect(readdirSync(spillDirectory)).toEqual([]);
  rmSync(spillDirectory, { recursive: true });
});

async function createTask(statement: string): Promise<string> {
  const { fragment } = await planOrThrow(planner, statement);
  const taskId = `q.${count++}.0`;
  await client.createTask({ taskId, queryId: 'q', coordinatorId: 'c', resourceGroup: 'global', fragment });
  return taskId;
}

const fetch = (taskId: string) => readStream((signal) => client.fetchResults({ taskId }, { signal }));

async function rowsOf(taskId: string): Promise<string> {
  let text = '';
  for await (const { part } of fetch(taskId))
    if (part.case === 'jsonLines') text += new TextDecoder().decode(part.value);
  return text;
}

test('rows of a query over catalog tables arrive as JSON lines', async () => {
  const taskId = await createTask(
    'SELECT city, count(*) AS n FROM flights JOIN airports ON iata = origin GROUP BY 1 ORDER BY 1',
  );
  expect(await rowsOf(taskId)).toBe('["New York","3333"]\n["San Francisco","3333"]\n["Seattle","3334"]\n');
});

test('megabytes of rows arrive whole and in order', async () => {
  const taskId = await createTask("SELECT i::INTEGER AS i, repeat('x', 90) AS t FROM range(100000) t(i) ORDER BY i");
  const lines = (await rowsOf(taskId)).trimEnd().split('\n');
  expect(lines).toHaveLength(100_000);
  expect(lines.every((line, index) => line.startsWith(`[${index},`))).toBe(true);
});

test('an error at the last row ends the stream with the error', async () => {
  const taskId = await createTask(
    "SELECT CASE WHEN i = 299999 THEN error('at the end') ELSE i END AS v FROM range(300000) t(i)",
  );
  const error = await rowsOf(taskId).catch((thrown: unknown) => readRpcError(thrown));
  expect(error).toMatchObject({ reason: 'QUERY_FAILED', message: expect.stringContaining('at the end') });
});

test('a client that leaves in mid-stream frees the executor', async () => {
  const taskId = await createTask('SELECT i FROM range(1000000000) t(i)');
  for await (const { part } of fetch(taskId)) if (part.case === 'jsonLines') break;
  const { task } = await client.cancelTask({ taskId });
  expect(pool.stats().busy).toBe(0);
  expect(task && task.cpuTime && durationMs(task.cpuTime)).toBeGreaterThan(0);
  expect((await client.listTasks({})).tasks.find((task) => task.taskId === taskId)).toMatchObject({
    state: TaskState.CANCELED,
  });
});

test('a killed executor fails its query with a clear error, and the next one runs', async () => {
  const taskId = await createTask('SELECT sleep_ms(60000) AS v');
  const failed = rowsOf(taskId).catch((thrown: unknown) => readRpcError(thrown));
  for (const pid of pool.stats().pids) process.kill(pid, 'SIGKILL');
  expect(await failed).toMatchObject({ reason: 'EXECUTOR_CRASHED' });
  expect(await rowsOf(await createTask('SELECT 1 AS v'))).toBe('[1]\n');
});
