// Sessions of a worker: fragments, their inputs, and their ends. Executors are in our hands; disks and transfers are real.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import { seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import {
  type ExchangeFile,
  ExchangeFileSchema,
  FragmentState,
  type RunFragmentResponse,
  TaskService,
  TaskState,
} from '@tutti/contracts/tutti/task/v1/task_pb';
import { type ExecutorSession, type FragmentOutcome, type FragmentRun, TaskError, type TaskUsage } from '@tutti/engine';
import { ExchangeStore } from '@tutti/exchange';
import { createMetrics, readRpcError, readStream } from '@tutti/service';
import { createTestServer, memoryTransport, TestLog, type TestServer } from '@tutti/service/testing';
import { createWorker } from './worker.js';

const MIB = 2 ** 20;
const KEY = 'a key that nobody guesses';
const USAGE: TaskUsage = { rows: 0, cpuMs: 0, memoryBytes: 7, peakMemoryBytes: 9, spilledBytes: 0, rssBytes: 1 };
const OUTCOME: Omit<FragmentOutcome, 'files'> = {
  ...{ rows: 5, bytes: 50, ranges: [{ min: '1', max: '9' }, undefined] },
  ...{ elapsedMs: 12, cpuMs: 11, peakMemoryBytes: 8, spilledBytes: 0 },
};

/** A fragment that a fake executor runs; the test says what comes of it. */
class FakeRun {
  readonly batches: Uint8Array[] = [];
  isSettled = false;
  resolve!: (outcome: FragmentOutcome) => void;
  reject!: (error: Error) => void;
  readonly outcome = new Promise<FragmentOutcome>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor(
    readonly name: string,
    readonly io: Parameters<ExecutorSession['run']>[1],
    readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => this.reject(new TaskError('CANCELED', 'canceled', false)));
    void this.outcome.then(
      () => (this.isSettled = true),
      () => (this.isSettled = true),
    );
  }

  async write(bytes: number, partition = 0): Promise<void> {
    const name = `data_${partition}.parquet`;
    await writeFile(join(this.io.outputDirectory, name), new Uint8Array(bytes).fill(65 + partition));
    this.resolve({ ...OUTCOME, files: [{ name, partition, rows: 5, bytes }] });
  }

  inputs(): string[] {
    return this.io.inputs.flatMap(({ files }) => files.map((file) => readFileSync(file, 'utf8')));
  }
}

class FakeSession implements ExecutorSession {
  readonly opened = Promise.resolve();
  readonly runs: FakeRun[] = [];
  private end!: () => void;
  readonly ended = new Promise<void>((resolve) => (this.end = resolve));
  usage = () => USAGE;
  close = () => this.die();

  run(fragment: Uint8Array, io: FakeRun['io'], signal: AbortSignal): Promise<FragmentRun> {
    expect(this.runs.every(({ isSettled }) => isSettled)).toBe(true);
    const run = new FakeRun(new TextDecoder().decode(fragment), io, signal);
    this.runs.push(run);
    const batches = async function* () {
      yield* run.batches;
      await run.outcome;
    };
    return Promise.resolve({ batches: batches(), outcome: run.outcome });
  }

  die(): void {
    for (const run of this.runs) run.reject(new TaskError('EXECUTOR_CRASHED', 'it died', true));
    this.end();
  }
}

/** A worker with its time and its executors in our hands; its edge port is real. */
class Stage {
  readonly clock = new FakeClock();
  readonly sessions: FakeSession[] = [];
  private readonly directory = mkdtempSync(join(tmpdir(), 'tutti-session-test-'));
  readonly exchange: ExchangeStore;
  readonly metrics = createMetrics({}, { processMetrics: false });
  readonly worker;
  readonly client;
  server!: TestServer;

  constructor(limitBytes = MIB) {
    const log = new TestLog();
    this.exchange = ExchangeStore.open({ directory: this.directory, limitBytes, log });
    this.worker = createWorker({
      config: {
        task: {
          ...{ maxTasks: 2, memoryLimit: 512 * MIB, threads: 3, spillDirectory: '', spillLimit: MIB },
          orphanTimeout: 10_000,
        },
        executor: { warm: 1, interruptGrace: 1_500, recycleRss: MIB },
      },
      pool: {
        start: () => Promise.resolve(),
        close: () => Promise.resolve(),
        stats: () => ({ warm: 0, busy: 0, pids: [], rssBytes: 0, cpuMs: 0 }),
        run: () => Promise.reject(new Error('this pool runs no tasks')),
        open: ({ exchangeDirectory }) => {
          expect(exchangeDirectory.startsWith(this.exchange.path)).toBe(true);
          const session = new FakeSession();
          this.sessions.push(session);
          return Promise.resolve(session);
        },
      },
      exchange: this.exchange,
      reportSoon: () => {},
      clock: this.clock,
      random: seededRandom(1),
      log,
      metrics: this.metrics,
    });
    this.client = createClient(TaskService, memoryTransport(this.worker.clusterRoutes));
  }

  async serve(): Promise<this> {
    this.server = await createTestServer({ edgeRoutes: this.worker.edgeRoutes });
    return this;
  }

  create(taskId: string, exchangeKey = KEY) {
    const fragment = new TextEncoder().encode(JSON.stringify({ kind: 'session', version: 1 }));
    const ids = { taskId, queryId: 'q', coordinatorId: 'c1', resourceGroup: 'global' };
    return this.client.createTask({ ...ids, fragment, exchangeKey });
  }

  /** Reads a session until it ends; gives the error with which it does. */
  read(taskId: string, signal?: AbortSignal): { states: TaskState[]; end: Promise<ReturnType<typeof readRpcError>> } {
    const states: TaskState[] = [];
    const parts = readStream((inner) => this.client.fetchResults({ taskId }, { signal: inner }), signal);
    const read = async () => {
      for await (const { part } of parts) if (part.case === 'status') states.push(part.value.state);
      throw new Error('a session ends with an error');
    };
    return { states, end: read().catch((error: unknown) => readRpcError(error)) };
  }

  /** Runs a fragment. */
  fragment(
    taskId: string,
    fragmentId: string,
    files: readonly ExchangeFile[] = [],
    signal?: AbortSignal,
    more: { readonly contentBytesMax?: number; readonly awaitsSession?: boolean } = {},
  ) {
    const inputs = files.length === 0 ? [] : [{ number: 1, files: [...files] }];
    const request = { taskId, fragmentId, fragment: new TextEncoder().encode(fragmentId), inputs, ...more };
    return collect(readStream((inner) => this.client.runFragment(request, { signal: inner }), signal));
  }

  /** The run of a fragment, once it has begun. */
  async run(name: string): Promise<FakeRun> {
    for (;;) {
      const run = this.sessions.flatMap(({ runs }) => runs).find((of) => of.name === name);
      if (run !== undefined) return run;
      await turn();
    }
  }

  /** Where files of this worker are to be had. */
  at(files: readonly ExchangeFile[]): ExchangeFile[] {
    const edgeAddress = this.server.edgeUrl.slice('http://'.length);
    return files.map((file) => ({ ...file, edgeAddress, key: KEY }));
  }

  async end(): Promise<void> {
    this.worker.tasks.apply({ kind: 'drainGraceEnded' });
    await this.server?.drain();
    await this.exchange.removed();
    expect(readdirSync(this.exchange.path)).toEqual([]);
    await this.exchange.close();
    rmdirSync(this.directory);
  }
}

interface Collected {
  readonly parts: RunFragmentResponse['part'][];
  /** The output, or the error. */
  readonly end: Promise<RunFragmentResponse['part'] | ReturnType<typeof readRpcError>>;
}

function collect(stream: AsyncIterable<RunFragmentResponse>): Collected {
  const parts: RunFragmentResponse['part'][] = [];
  const read = async () => {
    for await (const { part } of stream) parts.push(part);
    return parts.at(-1) ?? { case: undefined };
  };
  return { parts, end: read().catch((error: unknown) => readRpcError(error)) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const statesOf = ({ parts }: Collected) =>
  parts.flatMap((part) => (part.case === 'status' ? [FragmentState[part.value.state]] : []));

async function outputOf({ end }: Collected) {
  const part = await end;
  if (!('case' in part) || part.case !== 'output') throw new Error(`no output: ${JSON.stringify(part)}`);
  return part.value;
}

let stages: Stage[];
beforeEach(() => {
  stages = [];
});
afterEach(async () => {
  for (const stage of stages) await stage.end();
});

async function worker(limitBytes?: number): Promise<Stage> {
  const stage = await new Stage(limitBytes).serve();
  stages.push(stage);
  return stage;
}

test('a fragment writes files, another worker fetches them, and when the sessions end nothing is left', async () => {
  const [a, b] = [await worker(), await worker()];
  await Promise.all([a.create('q.1.0'), b.create('q.2.0')]);
  const reading = [a.read('q.1.0'), b.read('q.2.0')];

  const first = a.fragment('q.1.0', '0.0.0');
  await (await a.run('0.0.0')).write(300_000);
  const output = await outputOf(first);
  expect(output).toMatchObject({ rows: 5n, ranges: [{ min: '1', max: '9' }, {}], fetchedBytes: 0n });
  expect(output.files).toMatchObject([
    { taskId: 'q.1.0', name: '0.0.0/data_0.parquet', bytes: 300_000n, rows: 5n, partition: 0, key: '' },
  ]);

  const second = b.fragment('q.2.0', '1.0.0', a.at(output.files));
  const run = await b.run('1.0.0');
  expect(run.inputs()).toEqual(['A'.repeat(300_000)]);
  run.batches.push(new TextEncoder().encode('[1]\n'));
  run.resolve({ ...OUTCOME, files: [] });
  expect((await outputOf(second)).fetchedBytes).toBe(300_000n);

  const { tasks } = await b.client.listTasks({});
  expect(tasks[0]).toMatchObject({
    fragmentsDone: 1,
    fragmentsOpen: 0,
    exchangeBytes: 300_000n,
    fetchedBytes: 300_000n,
  });
  expect((await b.metrics.expose()).text).toMatch(/tutti_exchange_fetched_bytes_total 300000\n/);
  await Promise.all([a.client.cancelTask({ taskId: 'q.1.0' }), b.client.cancelTask({ taskId: 'q.2.0' })]);
  expect((await Promise.all(reading.map(({ end }) => end))).map(({ reason }) => reason)).toEqual([
    'USER_CANCELED',
    'USER_CANCELED',
  ]);
});

test('a small output comes with its content, which another worker reads although the first one is gone', async () => {
  const [a, b] = [await worker(), await worker()];
  await Promise.all([a.create('q.1.0'), b.create('q.2.0')]);
  void a.read('q.1.0');
  void b.read('q.2.0');
  const asked = (id: string) => a.fragment('q.1.0', id, [], undefined, { contentBytesMax: 1_000 });
  const [small, large] = [asked('0.0.0'), asked('0.1.0')];
  await (await a.run('0.0.0')).write(1_000);
  await (await a.run('0.1.0')).write(1_001);
  const { files } = await outputOf(small);
  expect(files.map(({ content }) => Buffer.from(content).toString())).toEqual(['A'.repeat(1_000)]);
  expect((await outputOf(large)).files.map(({ content }) => content.length)).toEqual([0]);
  await a.client.cancelTask({ taskId: 'q.1.0' });

  const half = a.at(files).map((file) => ({ ...file, content: file.content.subarray(1) }));
  expect(await b.fragment('q.2.0', '1.0.0', half).end).toMatchObject({
    message: expect.stringContaining('content must have its 1000 bytes'),
  });
  const reader = b.fragment('q.2.0', '1.0.0', a.at(files));
  const run = await b.run('1.0.0');
  expect(run.inputs()).toEqual(['A'.repeat(1_000)]);
  await run.write(1);
  expect((await outputOf(reader)).fetchedBytes).toBe(1_000n);
});

test('A1: a fragment that comes before its session waits for it, and not for long', async () => {
  const stage = await worker();
  const early = stage.fragment('q.1.0', '0.0.0', [], undefined, { awaitsSession: true });
  const lost = stage.fragment('q.2.0', '0.0.0', [], undefined, { awaitsSession: true });
  const leave = new AbortController();
  const left = stage.fragment('q.3.0', '0.0.0', [], leave.signal, { awaitsSession: true });
  await turn();
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  await (await stage.run('0.0.0')).write(1);
  await outputOf(early);
  leave.abort('not needed');
  expect(await left.end).toMatchObject({ code: Code.Canceled });
  await stage.clock.advance(1_000);
  expect(await lost.end).toMatchObject({ reason: 'TASK_NOT_FOUND' });
});

test('a session says when it can take fragments, and then how it is, for as long as it is read', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  const reading = stage.read('q.1.0');
  while (reading.states.length === 0) await turn();
  await stage.clock.advance(700);
  expect(reading.states).toEqual([TaskState.RUNNING, TaskState.RUNNING, TaskState.RUNNING]);
});

test('where a fragment stands is told every few hundred milliseconds', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  const first = stage.fragment('q.1.0', '0.0.0');
  const run = await stage.run('0.0.0');
  const second = stage.fragment('q.1.0', '0.1.0');
  while ((await stage.client.listTasks({})).tasks[0]?.fragmentsOpen !== 2) await turn();
  await stage.clock.advance(700);
  expect(statesOf(first)).toEqual(['RUNNING', 'RUNNING']);
  expect(statesOf(second)).toEqual(['QUEUED', 'QUEUED']);
  await run.write(1);
  await (await stage.run('0.1.0')).write(1);
  await Promise.all([outputOf(first), outputOf(second)]);
});

test('the next fragment runs while the output of the one before it is told', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  const request = { taskId: 'q.1.0', fragmentId: '0.0.0', fragment: new TextEncoder().encode('0.0.0') };
  const reader = stage.client.runFragment(request)[Symbol.asyncIterator]();
  const output = reader.next();
  await (await stage.run('0.0.0')).write(1);
  expect((await output).value?.part.case).toBe('output');
  const next = stage.fragment('q.1.0', '0.1.0');
  await (await stage.run('0.1.0')).write(1);
  await outputOf(next);
  expect(await reader.next()).toMatchObject({ done: true });
});

test('K3: who leaves a session ends it: its fragments, its executor and its files', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  const leave = new AbortController();
  const reading = stage.read('q.1.0', leave.signal);
  const running = stage.fragment('q.1.0', '0.0.0');
  const waiting = stage.fragment('q.1.0', '0.1.0');
  const run = await stage.run('0.0.0');
  leave.abort('enough');
  await reading.end;
  for (const { end } of [running, waiting]) expect(await end).toMatchObject({ reason: 'USER_CANCELED' });
  expect(run.signal.aborted).toBe(true);
  expect(await stage.fragment('q.1.0', '0.2.0').end).toMatchObject({ code: Code.NotFound, reason: 'TASK_NOT_FOUND' });
  await stage.exchange.removed();
  expect(readdirSync(stage.exchange.path)).toEqual([]);
});

test('K4: a session that nobody reads is canceled', async () => {
  const stage = await worker();
  const stop = new AbortController();
  const running = stage.worker.run(stop.signal);
  await stage.create('q.1.0');
  await stage.clock.advance(11_000);
  const { tasks } = await stage.client.listTasks({});
  expect(tasks).toMatchObject([{ taskId: 'q.1.0', state: TaskState.CANCELED }]);
  stop.abort();
  await stage.clock.advance(1_000);
  await running;
});

test('K6: a draining worker takes no session, and goes on with those that it has', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  stage.worker.tasks.apply({ kind: 'drainBegan' });
  expect(await stage.create('q.2.0').catch((error: unknown) => readRpcError(error))).toMatchObject({
    reason: 'WORKER_DRAINING',
  });
  const fragment = stage.fragment('q.1.0', '0.0.0');
  await (await stage.run('0.0.0')).write(10);
  expect((await outputOf(fragment)).files).toHaveLength(1);
  stage.worker.tasks.apply({ kind: 'drainGraceEnded' });
  expect(await stage.fragment('q.1.0', '0.1.0').end).toMatchObject({ reason: 'TASK_NOT_FOUND' });
});

test('an executor that dies ends its session and its fragments, also when none runs', async () => {
  const stage = await worker();
  await Promise.all([stage.create('q.1.0'), stage.create('q.2.0')]);
  const reading = [stage.read('q.1.0'), stage.read('q.2.0')];
  const fragment = stage.fragment('q.1.0', '0.0.0');
  await stage.run('0.0.0');
  for (const session of stage.sessions) session.die();
  for (const { end } of [fragment, ...reading])
    expect(await end).toMatchObject({ code: Code.Unavailable, reason: 'EXECUTOR_CRASHED' });
  expect(stage.worker.tasks.unfinished()).toEqual([]);
});

test('who leaves a fragment interrupts it; what it wrote is removed, and the next one runs', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  const leave = new AbortController();
  const left = stage.fragment('q.1.0', '0.0.0', [], leave.signal);
  const next = stage.fragment('q.1.0', '0.1.0');
  const run = await stage.run('0.0.0');
  await writeFile(join(run.io.outputDirectory, 'half.parquet'), 'x');
  leave.abort('not needed');
  expect(await left.end).toMatchObject({ code: Code.Canceled });
  await (await stage.run('0.1.0')).write(10);
  await outputOf(next);
  expect(readdirSync(join(run.io.outputDirectory, '..'))).toEqual(['0.1.0']);
});

test('inputs of the next fragment come while another one runs', async () => {
  const [a, b] = [await worker(), await worker()];
  await Promise.all([a.create('q.1.0'), b.create('q.2.0')]);
  void a.read('q.1.0');
  void b.read('q.2.0');
  const made = a.fragment('q.1.0', '0.0.0');
  await (await a.run('0.0.0')).write(1_000);
  const { files } = await outputOf(made);
  const running = b.fragment('q.2.0', '1.0.0');
  const first = await b.run('1.0.0');
  const next = b.fragment('q.2.0', '2.0.0', a.at(files));
  while (b.exchange.stats().fetchedBytes < 1_000) await turn();
  expect(first.isSettled).toBe(false);
  await first.write(1);
  await outputOf(running);
  await (await b.run('2.0.0')).write(1);
  expect((await outputOf(next)).inputWait).toMatchObject({ seconds: 0n, nanos: 0 });
});

test('an input does not wait for the one before it, and each keeps its own files', async () => {
  const [a, b] = [await worker(), await worker()];
  await Promise.all([a.create('q.1.0'), b.create('q.2.0')]);
  void a.read('q.1.0');
  void b.read('q.2.0');
  const made: ExchangeFile[] = [];
  for (const [index, bytes] of [10, 20, 30].entries()) {
    const output = a.fragment('q.1.0', `${index}.0.0`);
    await (await a.run(`${index}.0.0`)).write(bytes);
    made.push(...a.at((await outputOf(output)).files));
  }
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const connected = once(silent, 'connection') as Promise<[Socket]>;
  const edgeAddress = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const inputsOf = (...files: ExchangeFile[][]) => files.map((of, index) => ({ number: index + 1, files: of }));
  const request = { taskId: 'q.2.0', fragment: new TextEncoder().encode('whole') };
  const left = new AbortController();
  const stuck = inputsOf([{ ...made[0]!, edgeAddress }], [made[1]!]);
  const waits = collect(
    readStream(
      (signal) => b.client.runFragment({ ...request, fragmentId: '3.0.0', inputs: stuck }, { signal }),
      left.signal,
    ),
  );
  const [socket] = await connected;
  while (b.exchange.stats().fetchedBytes < 20) await turn();
  left.abort(new Error('enough'));
  await waits.end;
  socket.destroy();
  silent.close();
  const inputs = inputsOf([made[0]!, made[1]!], [], [made[2]!]);
  const whole = collect(
    readStream((signal) => b.client.runFragment({ ...request, fragmentId: '4.0.0', inputs }, { signal })),
  );
  const run = await b.run('whole');
  const lengths = run.io.inputs.map(({ files }) => files.map((file) => readFileSync(file).length));
  expect(lengths).toEqual([[10, 20], [], [30]]);
  await run.write(1);
  await outputOf(whole);
});

test('a file that cannot be had fails its fragment, names the task that made it, and leaves the session alone', async () => {
  const [a, b] = [await worker(), await worker()];
  await Promise.all([a.create('q.1.0'), b.create('q.2.0')]);
  void a.read('q.1.0');
  void b.read('q.2.0');
  const made = a.fragment('q.1.0', '0.0.0');
  await (await a.run('0.0.0')).write(1_000);
  const { files } = await outputOf(made);
  await a.client.cancelTask({ taskId: 'q.1.0' });
  expect(await b.fragment('q.2.0', '1.0.0', a.at(files)).end).toMatchObject({
    code: Code.Unavailable,
    reason: 'EXCHANGE_LOST',
    metadata: { task_id: 'q.1.0', name: '0.0.0/data_0.parquet' },
  });
  const other = b.fragment('q.2.0', '1.0.1');
  await (await b.run('1.0.1')).write(1);
  await outputOf(other);
});

test('a fragment that writes more than a query may keep is stopped while it writes', async () => {
  const stage = await worker(1_000);
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  const fragment = stage.fragment('q.1.0', '0.0.0');
  const run = await stage.run('0.0.0');
  await writeFile(join(run.io.outputDirectory, 'data_0.parquet'), new Uint8Array(1_001));
  await stage.clock.advance(1_000);
  expect(await fragment.end).toMatchObject({
    code: Code.ResourceExhausted,
    reason: 'EXCEEDED_EXCHANGE_LIMIT',
    message: expect.stringContaining('Query q'),
  });
  expect(run.isSettled).toBe(true);
  expect(stage.exchange.stats().heldBytes).toBe(0);
});

test('an error of a fragment is its own: the session runs the next one', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  const fragment = stage.fragment('q.1.0', '0.0.0');
  (await stage.run('0.0.0')).reject(new TaskError('QUERY_FAILED', 'overflow', false));
  expect(await fragment.end).toMatchObject({ code: Code.InvalidArgument, reason: 'QUERY_FAILED', message: 'overflow' });
  const next = stage.fragment('q.1.0', '0.0.1');
  await (await stage.run('0.0.1')).write(1);
  await outputOf(next);
});

test('what makes no sense is refused in words', async () => {
  const stage = await worker();
  const failed = (call: Promise<unknown>) => call.catch((error: unknown) => readRpcError(error));
  expect(await failed(stage.create('q.1.0', 'short'))).toMatchObject({
    message: expect.stringContaining('exchange_key of a session needs 16'),
  });
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  expect(await stage.fragment('q.1.0', '../../x').end).toMatchObject({
    message: expect.stringContaining('fragment_id'),
  });
  expect(await stage.fragment('q.9.0', '0.0.0').end).toMatchObject({ reason: 'TASK_NOT_FOUND' });
  const nowhere = create(ExchangeFileSchema, { taskId: 'q.2.0', name: '0.0.0/x', edgeAddress: 'host/path' });
  expect(await stage.fragment('q.1.0', '0.0.0', [nowhere]).end).toMatchObject({
    message: expect.stringContaining('needs edge_address'),
  });
  const running = stage.fragment('q.1.0', '0.0.0');
  const run = await stage.run('0.0.0');
  expect(await stage.fragment('q.1.0', '0.0.0').end).toMatchObject({ code: Code.AlreadyExists });
  await run.write(1);
  await outputOf(running);
  expect(await stage.fragment('q.1.0', '0.0.0').end).toMatchObject({ code: Code.AlreadyExists });
});

test('more fragments than may wait are refused', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  const first = stage.fragment('q.1.0', '0.0.0');
  await stage.run('0.0.0');
  const waiting = Array.from({ length: 64 }, (_, index) => stage.fragment('q.1.0', `1.${index}.0`));
  while ((await stage.client.listTasks({})).tasks[0]?.fragmentsOpen !== 65) await turn();
  expect(await stage.fragment('q.1.0', '2.0.0').end).toMatchObject({
    code: Code.ResourceExhausted,
    reason: 'WORKER_BUSY',
    neverProcessed: true,
  });
  await stage.client.cancelTask({ taskId: 'q.1.0' });
  for (const { end } of [first, ...waiting]) expect(await end).toMatchObject({ reason: 'USER_CANCELED' });
});

test('others reach the edge port with the key of the query only, and can do nothing else there', async () => {
  const stage = await worker();
  await stage.create('q.1.0');
  void stage.read('q.1.0');
  const made = stage.fragment('q.1.0', '0.0.0');
  await (await stage.run('0.0.0')).write(10);
  const { files } = await outputOf(made);
  const edge = createClient(TaskService, memoryTransport(stage.worker.edgeRoutes));
  const fetch = async (key: string) => {
    const request = { taskId: 'q.1.0', key, name: files[0]?.name ?? '', offset: 0n };
    let bytes = 0;
    for await (const { chunk } of edge.fetchExchange(request)) bytes += chunk.length;
    return bytes;
  };
  expect(await fetch(KEY)).toBe(10);
  expect(await fetch('guessed').catch((error: unknown) => readRpcError(error))).toMatchObject({
    code: Code.PermissionDenied,
  });
  const denied = await edge.createTask({ taskId: 'q.3.0' }).catch((error: unknown) => readRpcError(error));
  expect(denied).toMatchObject({ code: Code.Unimplemented });
});
