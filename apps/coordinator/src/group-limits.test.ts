import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { CoordinatorStatusSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { WaitKind } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import type { FakeWorker } from './testing/fake-worker.js';
import { groupsOf, Listening, oneGroup, TestCluster } from './testing/test-cluster.js';

const seconds = (count: number) => ({ seconds: BigInt(count), nanos: 0 });
const MIB = 1 << 20;

describe('limits of queries', () => {
  let cluster: TestCluster;
  let worker: FakeWorker;
  beforeEach(() => {
    cluster = new TestCluster();
    worker = cluster.worker('w1'); // 4 tasks, 4 MiB for all of them
  });
  afterEach(() => cluster.stop());

  const holding = async (client: ConstructorParameters<typeof Listening>[0], request: object = {}) => {
    const before = worker.created.length;
    const heard = new Listening(client, { statement: 'hold', ...request });
    await cluster.until(() => worker.created.length > before && worker.holding !== undefined, 10);
    return heard;
  };

  test('DB-4: the time in the queue does not count, and the message tells the limit', async () => {
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(0));
    const request = { statement: 'hold', timeLimit: { seconds: 0n, nanos: 1_000_000 } };
    const heard = new Listening(c1.client, request);
    await cluster.clock.advance(5_000);
    expect(heard.states.at(-1)).toBe('QUEUED');
    c1.groupFile.load(oneGroup(1));
    await cluster.until(() => heard.over, 10);
    const { reason, message } = readRpcError(heard.error);
    expect(reason).toBe('EXCEEDED_TIME_LIMIT');
    expect(message).toContain('its time limit of 1.00ms, counted from its admission (time_limit of the request)');
  });

  test('a query runs no longer than its group allows, and says so', async () => {
    const perQueryLimits = { executionTimeLimit: '5s' };
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1, 10, { perQueryLimits }));
    const heard = await holding(client, { timeLimit: seconds(60) });
    expect(heard.last?.limits).toMatchObject({ executionTime: seconds(5), memoryBytes: 0n });
    await cluster.clock.advance(5_000);
    await cluster.until(() => heard.over);
    expect(heard.error?.rawMessage).toContain(
      '5.00s, counted from its admission (perQueryLimits.executionTimeLimit of',
    );
  });

  test('a query that used too much CPU ends, and its task with it', async () => {
    const perQueryLimits = { cpuTimeLimit: '1.5s' };
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1, 10, { perQueryLimits }));
    const heard = await holding(client, { cpuTimeLimit: seconds(9) });
    expect(heard.last?.limits?.cpuTime).toEqual(expect.objectContaining({ seconds: 1n, nanos: 500_000_000 }));
    worker.use(MIB, 1_500);
    await cluster.clock.advance(200);
    expect(heard.over).toBe(false);
    worker.use(MIB, 2_000);
    await cluster.until(() => heard.over);
    expect(readRpcError(heard.error)).toMatchObject({
      code: Code.ResourceExhausted,
      reason: 'EXCEEDED_CPU_LIMIT',
      message:
        'The query used 2.00s of CPU, its limit is 1.50s (perQueryLimits.cpuTimeLimit of group "global"). ' +
        'Narrow it, or raise the limit.',
    });
    expect(worker.canceled).toEqual(worker.created);
  });

  test('the CPU of a task that was lost counts too', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = await holding(client, { cpuTimeLimit: seconds(3) });
    worker.use(MIB, 2_000);
    await cluster.clock.advance(1);
    worker.end('die');
    await cluster.until(() => worker.created.length === 2 && worker.holding !== undefined, 10);
    worker.use(MIB, 500);
    await cluster.clock.advance(1);
    expect(heard.over).toBe(false);
    worker.use(MIB, 1_500);
    await cluster.until(() => heard.over);
    expect(heard.error?.rawMessage).toContain('The query used 3.50s of CPU, its limit is 3.00s (cpu_time_limit of');
  });

  test.each([
    ['its request', 512 << 10, '1MB', 512 << 10, 'The limit is memory_limit_bytes of the request.'],
    ['its group', 0, '256kB', 256 << 10, 'The limit is perQueryLimits.totalMemoryLimit of group "global".'],
    ['the worker', 8 * MIB, '9MB', 8 * MIB, 'The limit is task.memoryLimit of the worker w1.'],
  ])('a query that runs out of memory is told that %s limits it', async (_who, asked, grouped, sent, origin) => {
    const perQueryLimits = { totalMemoryLimit: grouped };
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1, 10, { perQueryLimits }));
    const heard = await holding(client, { memoryLimitBytes: BigInt(asked) });
    expect(worker.holding?.memoryLimitBytes).toBe(sent);
    worker.end('outOfMemory');
    await cluster.until(() => heard.over);
    expect(readRpcError(heard.error)).toMatchObject({
      reason: 'EXCEEDED_LOCAL_MEMORY_LIMIT',
      message: `The query needs more than its memory limit. ${origin}`,
    });
  });

  test('limits are fixed at the admission', async () => {
    const limited = (time: string) => oneGroup(1, 10, { perQueryLimits: { executionTimeLimit: time } });
    const c1 = cluster.coordinator('c1', 'aaaaa', limited('1m'));
    const first = await holding(c1.client);
    const second = new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => second.last?.waitReason !== undefined, 10);
    c1.groupFile.load(limited('2s'));
    await cluster.clock.advance(3_000);
    expect(first.over).toBe(false); // It was admitted with a minute.
    worker.end('finish');
    await cluster.until(() => second.states.includes('RUNNING'), 10);
    await cluster.clock.advance(2_000);
    await cluster.until(() => second.over);
    expect(second.error?.rawMessage).toContain('its time limit of 2.00s');
  });
});

describe('what running queries use', () => {
  let cluster: TestCluster;
  let worker: FakeWorker;
  beforeEach(() => {
    cluster = new TestCluster();
    worker = cluster.worker('w1');
  });
  afterEach(() => cluster.stop());

  test('is reported by group, while they run and after', async () => {
    const global = { name: 'global', hardConcurrencyLimit: 2, maxQueued: 10, hardCpuLimit: '1h' };
    const config = groupsOf({ cpuQuotaPeriod: '1h', rootGroups: [global], selectors: [{ group: 'global' }] });
    const c1 = cluster.coordinator('c1', 'aaaaa', config);
    const groups = () => create(CoordinatorStatusSchema, c1.status().value as object).groups;
    new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => worker.holding !== undefined, 10);
    worker.use(3 * MIB, 1_500);
    await cluster.clock.advance(200);
    expect(groups()).toMatchObject([{ group: 'global', memoryBytes: BigInt(3 * MIB), cpuTime: { seconds: 1n } }]);
    expect(groups()[0]?.cpuQuotaCores).toBe(1);
    expect(await c1.expose()).toContain(`tutti_group_memory_bytes{resource_group="global"} ${3 * MIB}`);
    worker.use(3 * MIB, 4_000);
    worker.end('finish');
    await cluster.clock.advance(200);
    expect(groups()).toMatchObject([{ group: 'global', memoryBytes: 0n, cpuTime: { seconds: 4n } }]);
  });

  test('a group whose queries hold more than its share of the workers starts no more', async () => {
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(10, 10, { softMemoryLimit: '50%' }));
    const first = new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => worker.holding !== undefined, 10);
    worker.use(3 * MIB, 10);
    await cluster.clock.advance(200);
    const second = new Listening(c1.client, { statement: 'rows 1' });
    await cluster.until(() => second.last?.waitReason?.kind === WaitKind.MEMORY_LIMIT, 10);
    expect(second.last?.waitReason).toMatchObject({
      blockingGroup: 'global',
      limit: BigInt(2 * MIB),
      used: BigInt(3 * MIB),
    });
    cluster.worker('w2'); // Half of two workers is 4 MiB.
    await cluster.until(() => second.over, 10);
    expect(second.error).toBeUndefined();
    first.leave();
  });
});
