import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import { seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { ReportAckSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type { FenceListSchema, TaskLeaseSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import {
  CreateTaskRequestSchema,
  type FetchResultsResponse,
  TaskService,
  TaskState,
} from '@tutti/contracts/tutti/task/v1/task_pb';
import { type EngineTask, type ExecutorPool, TaskError, type TaskRun, type TaskUsage } from '@tutti/engine';
import { ExchangeStore } from '@tutti/exchange';
import { shardOfGroup } from '@tutti/resource-groups';
import { createMetrics, readRpcError, readStream } from '@tutti/service';
import { memoryTransport, TestLog } from '@tutti/service/testing';
import { drainWorker } from './drain.js';
import { createWorker } from './worker.js';

const MIB = 2 ** 20;
const USAGE: TaskUsage = {
  rows: 2,
  cpuMs: 1_500,
  memoryBytes: 7 * MIB,
  peakMemoryBytes: 9 * MIB,
  spilledBytes: 3,
  rssBytes: 1,
};

/** One task of the fake pool; the test says what happens to it. */
class FakeTask {
  readonly run: Promise<TaskRun>;
  /** Whether it goes on although it is told to stop. */
  isStuck = false;
  private start!: (run: TaskRun) => void;
  private refuse!: (error: Error) => void;
  private release!: () => void;
  private readonly items: (Uint8Array | Error | undefined)[] = [];
  private wake = (): void => {};

  constructor(
    readonly task: EngineTask,
    readonly signal: AbortSignal,
  ) {
    this.run = new Promise((resolve, reject) => {
      this.start = resolve;
      this.refuse = reject;
    });
    signal.addEventListener('abort', () => !this.isStuck && this.fail(new TaskError('CANCELED', 'canceled', false)));
  }

  begin(): void {
    const ended = new Promise<void>((resolve) => (this.release = resolve));
    const columns = [{ name: 'v', type: 'INTEGER' }];
    this.start({ columns, batches: this.batches(), usage: () => USAGE, ended });
  }

  rows(text: string): void {
    this.push(new TextEncoder().encode(text));
  }

  end(): void {
    this.push(undefined);
    this.release();
  }

  fail(error: Error): void {
    this.refuse(error);
    this.push(error);
    if (!this.isStuck) this.release?.();
  }

  private push(item: Uint8Array | Error | undefined): void {
    this.items.push(item);
    this.wake();
  }

  private async *batches(): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (this.items.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
      const item = this.items.shift();
      if (item === undefined) return;
      if (item instanceof Error) throw item;
      yield item;
    }
  }
}

class FakePool implements ExecutorPool {
  readonly tasks: FakeTask[] = [];
  start = () => Promise.resolve();
  close = () => Promise.resolve();
  stats = () => ({ warm: 0, busy: 0, pids: [], rssBytes: 0, cpuMs: 0 });

  open = () => Promise.reject(new Error('this pool opens no sessions'));

  run(task: EngineTask, signal: AbortSignal): Promise<TaskRun> {
    const fake = new FakeTask(task, signal);
    this.tasks.push(fake);
    return fake.run;
  }

  task(index = 0): FakeTask {
    const task = this.tasks[index];
    if (task === undefined) throw new Error(`the pool has no task ${index}`);
    return task;
  }
}

/** A worker in memory, with its time and its executors in our hands. */
class Stage {
  readonly clock = new FakeClock();
  readonly pool = new FakePool();
  readonly metrics = createMetrics({}, { processMetrics: false });
  private readonly directory = mkdtempSync(join(tmpdir(), 'tutti-worker-test-'));
  private readonly exchange = ExchangeStore.open({ directory: this.directory, limitBytes: MIB, log: new TestLog() });
  private readonly stop = new AbortController();
  readonly worker = createWorker({
    config: {
      task: {
        maxTasks: 2,
        memoryLimit: 512 * MIB,
        threads: 3,
        spillDirectory: '',
        spillLimit: MIB,
        orphanTimeout: 10_000,
      },
      executor: { warm: 1, interruptGrace: 1_500, recycleRss: MIB },
    },
    pool: this.pool,
    exchange: this.exchange,
    reportSoon: () => this.reports++,
    clock: this.clock,
    random: seededRandom(1),
    log: new TestLog(),
    metrics: this.metrics,
  });
  reports = 0;
  readonly client = createClient(TaskService, memoryTransport(this.worker.clusterRoutes));
  readonly running = this.worker.run(this.stop.signal);

  create(taskId: string, memoryLimitBytes = 0n, lease?: MessageInitShape<typeof TaskLeaseSchema>) {
    const fragment = new Uint8Array([1, 2, 3]);
    const ids = { taskId, queryId: 'q', coordinatorId: 'c1', resourceGroup: 'global' };
    const request = { ...ids, fragment, memoryLimitBytes, ...(lease && { lease }) };
    return this.client.createTask(create(CreateTaskRequestSchema, request));
  }

  /** A resource manager answers the newest report. */
  answer(...fences: MessageInitShape<typeof FenceListSchema>[]): void {
    this.worker.heard(this.clock.now(), create(ReportAckSchema, { resourceManagerId: 'r1', fences }));
  }

  fetch(taskId: string, signal?: AbortSignal) {
    return readStream((inner) => this.client.fetchResults({ taskId }, { signal: inner }), signal);
  }

  status() {
    const status = this.worker.status();
    if (status.case !== 'worker') throw new Error('a worker reports as a worker');
    return status.value;
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.clock.advance(1_000);
    await this.running;
    await this.exchange.close();
    rmdirSync(this.directory);
  }
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

const show = ({ part }: FetchResultsResponse): string => {
  if (part.case === 'columns')
    return `columns ${part.value.columns.map(({ name, type }) => `${name} ${type}`).join(', ')}`;
  if (part.case === 'jsonLines') return `rows ${new TextDecoder().decode(part.value)}`;
  return part.case === 'status' ? `status ${TaskState[part.value.state]}` : 'nothing';
};

async function collect(parts: AsyncIterable<FetchResultsResponse>, into: string[] = []): Promise<string[]> {
  for await (const part of parts) into.push(show(part));
  return into;
}

const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => readRpcError(error),
  );

test('a task goes from its creation to its rows, and ends with its statistics', async () => {
  const { task } = await stage.create('q.0.0');
  expect(task).toMatchObject({
    taskId: 'q.0.0',
    state: TaskState.PLANNED,
    coordinatorId: 'c1',
    resourceGroup: 'global',
  });
  expect(stage.pool.task().task).toMatchObject({ memoryLimitBytes: 512 * MIB, threads: 3 });
  stage.pool.task().begin();
  stage.pool.task().rows('[1]\n[2]\n');
  stage.pool.task().end();
  const parts: FetchResultsResponse[] = [];
  for await (const part of stage.fetch('q.0.0')) parts.push(part);
  expect(parts.map(show)).toEqual(['columns v INTEGER', 'rows [1]\n[2]\n', 'status FINISHED']);
  expect(parts.at(-1)?.part.value).toMatchObject({
    rows: 2n,
    peakMemoryBytes: BigInt(9 * MIB),
    cpuTime: { seconds: 1n, nanos: 500_000_000 },
  });
});

describe('a task that is started by who reads it', () => {
  const ids = { taskId: 'q.0.0', queryId: 'q', coordinatorId: 'c1', resourceGroup: 'global' };
  const request = { ...ids, fragment: new Uint8Array([1]) };
  const start = (taskId: string) => stage.client.fetchResults({ taskId, create: request });

  test('tells first that it was taken, while its executor has not begun', async () => {
    const seen: string[] = [];
    const reading = collect(start('q.0.0'), seen);
    await stage.clock.advance(0);
    expect(seen).toEqual(['status RUNNING']);
    stage.pool.task().begin();
    stage.pool.task().end();
    expect(await reading).toEqual(['status RUNNING', 'columns v INTEGER', 'status FINISHED']);
  });

  test('is refused as any other, and by another id it is none', async () => {
    expect(await errorOf(collect(start('q.9.0')))).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    await stage.create('q.1.0');
    await stage.create('q.2.0');
    expect(await errorOf(collect(start('q.0.0')))).toMatchObject({ reason: 'WORKER_BUSY', neverProcessed: true });
    expect(stage.pool.tasks).toHaveLength(2);
  });
});

test('while there are no rows, the status is sent every 300 ms', async () => {
  await stage.create('q.0.0');
  const seen: string[] = [];
  const reading = collect(stage.fetch('q.0.0'), seen);
  await stage.clock.advance(650);
  expect(seen).toEqual(['status RUNNING', 'status RUNNING']);
  stage.pool.task().begin();
  stage.pool.task().end();
  expect(await reading).toEqual(['status RUNNING', 'status RUNNING', 'columns v INTEGER', 'status FINISHED']);
});

test('creating a task again is no error and starts nothing', async () => {
  await stage.create('q.0.0');
  expect((await stage.create('q.0.0')).task).toMatchObject({ taskId: 'q.0.0' });
  expect(stage.pool.tasks).toHaveLength(1);
});

test('a memory limit may be lower than that of the worker, never higher', async () => {
  await stage.create('q.0.0', BigInt(64 * MIB));
  await stage.create('q.1.0', BigInt(9_000 * MIB));
  expect(stage.pool.tasks.map(({ task }) => task.memoryLimitBytes / MIB)).toEqual([64, 512]);
  expect(stage.status()).toMatchObject({
    memoryReservedBytes: BigInt(576 * MIB),
    memoryLimitBytes: BigInt(1_024 * MIB),
  });
});

test.each([
  [{ taskId: '' }, 'task_id'],
  [{ queryId: '' }, 'query_id'],
  [{ fragment: new Uint8Array() }, 'fragment'],
  [{ memoryLimitBytes: -1n }, 'memory_limit_bytes'],
])('a request with %j is refused, and says what is missing', async (wrong, field) => {
  const good = { taskId: 't', queryId: 'q', coordinatorId: 'c', fragment: new Uint8Array([1]) };
  const error = await errorOf(stage.client.createTask(create(CreateTaskRequestSchema, { ...good, ...wrong })));
  expect(error).toMatchObject({
    code: Code.InvalidArgument,
    reason: 'INVALID_ARGUMENT',
    message: expect.stringContaining(field),
  });
});

test('a busy worker refuses, so that the task may go elsewhere', async () => {
  await stage.create('q.0.0');
  await stage.create('q.1.0');
  expect(await errorOf(stage.create('q.2.0'))).toMatchObject({
    code: Code.ResourceExhausted,
    reason: 'WORKER_BUSY',
    neverProcessed: true,
    retryAfterMs: 500,
  });
});

test('a failed task ends its rows with the reason and the place', async () => {
  await stage.create('q.0.0');
  stage.pool.task().begin();
  stage.pool.task().rows('[1]\n');
  stage.pool.task().fail(new TaskError('QUERY_FAILED', 'Conversion: no number', false, { line: 2, column: 5 }));
  const seen: string[] = [];
  expect(await errorOf(collect(stage.fetch('q.0.0'), seen))).toMatchObject({
    code: Code.InvalidArgument,
    reason: 'QUERY_FAILED',
    message: 'Conversion: no number',
    metadata: { line: '2', column: '5' },
  });
  expect((await stage.client.listTasks({})).tasks).toMatchObject([{ state: TaskState.FAILED }]);
});

test('a task that failed before it was read keeps its error for the reader', async () => {
  await stage.create('q.0.0');
  stage.pool.task().fail(new TaskError('EXECUTOR_CRASHED', 'gone', true));
  await stage.clock.advance(5_000);
  expect(await errorOf(collect(stage.fetch('q.0.0')))).toMatchObject({
    code: Code.Unavailable,
    reason: 'EXECUTOR_CRASHED',
  });
});

test('who reads hears of a failure once the executor has let go, since the task counts for so long', async () => {
  await stage.create('q.0.0');
  stage.pool.task().begin();
  stage.pool.task().isStuck = true;
  const seen: string[] = [];
  const end = errorOf(collect(stage.fetch('q.0.0'))).then((error) => seen.push(error?.reason ?? 'none'));
  stage.pool.task().fail(new TaskError('EXCEEDED_LOCAL_MEMORY_LIMIT', 'too much', false));
  await stage.clock.advance(1_000);
  expect(seen).toEqual([]);
  expect(stage.status().tasks).toMatchObject([{ taskId: 'q.0.0', state: TaskState.FAILED }]);
  stage.pool.task().end();
  await end;
  expect(seen).toEqual(['EXCEEDED_LOCAL_MEMORY_LIMIT']);
});

test('a bug in the worker is told apart from an error of the query', async () => {
  await stage.create('q.0.0');
  stage.pool.task().fail(new Error('secret detail'));
  const error = await errorOf(collect(stage.fetch('q.0.0')));
  expect(error).toMatchObject({ code: Code.Internal, reason: 'INTERNAL_ERROR' });
  expect(error?.message).not.toContain('secret');
});

test('leaving the rows cancels the task', async () => {
  await stage.create('q.0.0');
  stage.pool.task().begin();
  stage.pool.task().rows('[1]\n');
  for await (const { part } of stage.fetch('q.0.0')) if (part.case === 'jsonLines') break;
  await stage.clock.advance(0);
  expect(stage.pool.task().signal.aborted).toBe(true);
  expect((await stage.client.listTasks({})).tasks).toMatchObject([{ state: TaskState.CANCELED }]);
});

test('a canceled task tells its reader so; canceling it again is no error', async () => {
  await stage.create('q.0.0');
  stage.pool.task().begin();
  const reading = errorOf(collect(stage.fetch('q.0.0')));
  await stage.clock.advance(0);
  expect((await stage.client.cancelTask({ taskId: 'q.0.0', reason: 'test' })).task).toMatchObject({
    state: TaskState.CANCELED,
  });
  expect(await reading).toMatchObject({ code: Code.Canceled, reason: 'USER_CANCELED' });
  expect((await stage.client.cancelTask({ taskId: 'q.0.0' })).task).toMatchObject({ state: TaskState.CANCELED });
  expect((await stage.client.cancelTask({ taskId: 'unknown' })).task).toBeUndefined();
});

test('a task that nobody reads is canceled after the orphan timeout', async () => {
  await stage.create('q.0.0');
  stage.pool.task().begin();
  await stage.clock.advance(9_000);
  expect(stage.pool.task().signal.aborted).toBe(false);
  await stage.clock.advance(2_000);
  expect(stage.pool.task().signal.aborted).toBe(true);
  expect(await errorOf(collect(stage.fetch('q.0.0')))).toMatchObject({ reason: 'ABANDONED_QUERY' });
});

test('rows are sent once, and only for tasks that are known', async () => {
  expect(await errorOf(collect(stage.fetch('q.9.9')))).toMatchObject({ code: Code.NotFound, reason: 'TASK_NOT_FOUND' });
  await stage.create('q.0.0');
  const reading = collect(stage.fetch('q.0.0'));
  await stage.clock.advance(0);
  expect(await errorOf(collect(stage.fetch('q.0.0')))).toMatchObject({ code: Code.FailedPrecondition });
  stage.pool.task().begin();
  stage.pool.task().end();
  expect(await reading).toEqual(['columns v INTEGER', 'status FINISHED']);
});

describe('a task with a lease', () => {
  const shard = shardOfGroup('global');
  const lease = (seq: number) => ({ shard, coordinatorIncarnation: 10n, epoch: 3n, seq: BigInt(seq) });
  const fencedUpTo = (seq: number) => [{ coordinatorId: 'c1', incarnation: 10n, epoch: 3n, seq: BigInt(seq) }];
  const list = { shard, epoch: 3n, leasedRootGroups: ['global'] };

  test('waits until the worker has heard the owner of its group, is then taken, and reported with its lease', async () => {
    expect(await errorOf(stage.create('q.0.0', 0n, lease(7)))).toMatchObject({
      code: Code.Unavailable,
      reason: 'WORKER_NOT_ENROLLED',
      neverProcessed: true,
      retryAfterMs: 500,
    });
    const before = stage.reports;
    stage.answer({ ...list, version: 1n });
    expect(stage.reports).toBe(before + 1);
    await stage.create('q.0.1', 0n, lease(7));
    expect(stage.status()).toMatchObject({
      fencesKept: [{ shard, epoch: 3n, version: 1n }],
      tasks: [{ taskId: 'q.0.1', lease: lease(7) }],
    });
  });

  test('need not wait long after the start: reports follow each other quickly until an owner was heard', async () => {
    const soon = async (): Promise<number> => {
      const before = stage.reports;
      stage.answer();
      await stage.clock.advance(100);
      return stage.reports - before;
    };
    expect(await soon()).toBe(1);
    expect(await soon()).toBe(1);
    stage.answer({ ...list, version: 1n });
    expect(await soon()).toBe(0);
  });

  test('is refused when its lease is over; one that runs goes on, counts, and may be asked for again', async () => {
    stage.answer({ ...list, version: 1n });
    await stage.create('q.0.0', 0n, lease(7));
    stage.answer({ ...list, version: 2n, fences: fencedUpTo(7) });
    expect(await errorOf(stage.create('q.1.0', 0n, lease(7)))).toMatchObject({
      code: Code.FailedPrecondition,
      reason: 'LEASE_FENCED',
      neverProcessed: true,
    });
    expect((await stage.create('q.0.0', 0n, lease(7))).task).toMatchObject({ taskId: 'q.0.0' });
    await stage.create('q.2.0', 0n, lease(8));
    expect(stage.status()).toMatchObject({
      fencesKept: [{ shard, version: 2n }],
      tasks: [{ taskId: 'q.0.0' }, { taskId: 'q.2.0' }],
    });
    expect((await stage.metrics.expose()).text).toContain('tutti_tasks_refused_total{reason="fenced"} 1');
  });

  test('is the only one that its group takes, once the owner has said so', async () => {
    await stage.create('q.0.0');
    stage.answer({ ...list, version: 1n });
    expect(await errorOf(stage.create('q.1.0'))).toMatchObject({
      code: Code.FailedPrecondition,
      reason: 'LEASE_REQUIRED',
      neverProcessed: true,
    });
  });

  test.each([
    [{ shard: (shard + 1) % 64 }, /lease.shard is \d+, but resource_group "global" is in shard/],
    [{ shard: 99 }, /lease: shard/],
    [{ epoch: 0n }, /lease: epoch/],
    [{ seq: 2n ** 60n }, /lease: seq/],
    [{ coordinatorIncarnation: 0n }, /lease: coordinator_incarnation/],
  ])('that is forged (%j) is refused', async (wrong, message) => {
    stage.answer({ ...list, version: 1n });
    expect(await errorOf(stage.create('q.0.0', 0n, { ...lease(7), ...wrong }))).toMatchObject({
      code: Code.InvalidArgument,
      message: expect.stringMatching(message),
    });
  });

  test('that comes after a worker stood still waits until a report is answered', async () => {
    stage.answer({ ...list, version: 1n });
    await stage.clock.advance(1_000);
    stage.clock.standStill(6_000);
    expect(await errorOf(stage.create('q.0.0', 0n, lease(7)))).toMatchObject({ reason: 'WORKER_NOT_ENROLLED' });
    stage.answer();
    await stage.create('q.0.1', 0n, lease(7));
  });
});

describe('a task that was stopped', () => {
  test('counts until its executor has let go, and its cancel is not confirmed before that', async () => {
    await stage.create('q.0.0');
    stage.pool.task().begin();
    stage.pool.task().isStuck = true;
    const cancel = errorOf(stage.client.cancelTask({ taskId: 'q.0.0' }));
    await stage.clock.advance(2_500);
    expect(await cancel).toMatchObject({ code: Code.DeadlineExceeded, reason: 'TASK_STOPPING' });
    expect(stage.status().tasks).toMatchObject([{ taskId: 'q.0.0', state: TaskState.CANCELED }]);
    stage.pool.task().end();
    expect((await stage.client.cancelTask({ taskId: 'q.0.0' })).task).toMatchObject({ state: TaskState.CANCELED });
    expect(stage.status().tasks).toEqual([]);
  });

  test('before it came does not begin when it comes', async () => {
    expect(await stage.client.cancelTask({ taskId: 'q.0.0' })).toMatchObject({});
    expect(await errorOf(stage.create('q.0.0'))).toMatchObject({
      code: Code.FailedPrecondition,
      reason: 'USER_CANCELED',
      neverProcessed: true,
    });
    expect(stage.pool.tasks).toEqual([]);
  });
});

test('heartbeats count tasks and memory, and each change is reported soon', async () => {
  await stage.create('q.0.0');
  expect(stage.reports).toBeGreaterThan(0);
  stage.pool.task().begin();
  await stage.clock.advance(0);
  expect(stage.status()).toMatchObject({
    tasksMax: 2,
    memoryUsedBytes: BigInt(7 * MIB),
    tasks: [{ taskId: 'q.0.0', coordinatorId: 'c1', resourceGroup: 'global', queryId: 'q' }],
    tasksEnded: 0n,
  });
  const before = stage.reports;
  stage.pool.task().end();
  await collect(stage.fetch('q.0.0'));
  await stage.clock.advance(0);
  expect(stage.reports).toBeGreaterThan(before);
  expect(stage.status()).toMatchObject({ tasks: [], tasksEnded: 1n, memoryReservedBytes: 0n });
  expect((await stage.metrics.expose()).text).toContain('tutti_tasks_ended_total{outcome="finished"} 1');
});

describe('a drain', () => {
  function drain(said: string[], graceMs: number): Promise<void> {
    return drainWorker({
      server: {
        setReady: (ready) => said.push(`ready ${ready}`),
        drain: () => Promise.resolve(void said.push('closed')),
      },
      presence: { setState: (state) => said.push(state), depart: () => Promise.resolve(void said.push('departed')) },
      tasks: stage.worker.tasks,
      announceDelayMs: 1_000,
      graceMs,
      clock: stage.clock,
      log: new TestLog(),
    });
  }

  test('announces itself, goes on for a while, then refuses new tasks and lets the others end', async () => {
    await stage.create('q.0.0');
    stage.pool.task().begin();
    const reading = collect(stage.fetch('q.0.0'));
    const said: string[] = [];
    const drained = drain(said, 30_000);
    expect(said).toEqual(['ready false', 'DRAINING']);
    await stage.create('q.1.0');
    await stage.clock.advance(1_000);
    expect(await errorOf(stage.create('q.2.0'))).toMatchObject({
      code: Code.Unavailable,
      reason: 'WORKER_DRAINING',
      neverProcessed: true,
    });
    await stage.client.cancelTask({ taskId: 'q.1.0' });
    stage.pool.task().rows('[1]\n');
    stage.pool.task().end();
    expect((await reading).at(-1)).toBe('status FINISHED');
    await stage.clock.advance(100);
    await drained;
    expect(said).toEqual(['ready false', 'DRAINING', 'departed', 'closed']);
  });

  test('stops what has not ended within the grace, saying so', async () => {
    await stage.create('q.0.0');
    stage.pool.task().begin();
    const reading = errorOf(collect(stage.fetch('q.0.0')));
    const drained = drain([], 5_000);
    await stage.clock.advance(7_000);
    await drained;
    expect(await reading).toMatchObject({ code: Code.Unavailable, reason: 'WORKER_DRAINING' });
  });
});
