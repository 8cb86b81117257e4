import { create } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { CoordinatorStatusSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { QueryState, WaitKind } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { FakeWorker } from './testing/fake-worker.js';
import { groupsOf, Listening, TestCluster, type TestCoordinator } from './testing/test-cluster.js';

const MIB = 1 << 20;

/** Its first MiB fills the buffer; then the coordinator does not read the stream of the task any more. */
const UNREAD = 'big 8 hold';

describe('what a query uses whose client does not read', () => {
  let cluster: TestCluster;
  let worker: FakeWorker;
  let c1: TestCoordinator;
  beforeEach(() => {
    cluster = new TestCluster();
    worker = cluster.worker('w1');
    const limits = { softMemoryLimit: '2MB', hardCpuLimit: '1h' };
    const global = { name: 'global', hardConcurrencyLimit: 9, maxQueued: 10, ...limits };
    const config = { cpuQuotaPeriod: '1h', rootGroups: [global], selectors: [{ group: 'global' }] };
    c1 = cluster.coordinator('c1', 'aaaaa', groupsOf(config));
  });
  afterEach(() => cluster.stop());

  const submit = async (request: object = {}) => {
    await cluster.meet();
    const { query } = await c1.client.submitQuery({ statement: UNREAD, ...request });
    await cluster.until(() => worker.tasks.size === 1);
    return query?.queryId ?? '';
  };
  const queryOf = async (queryId: string) => {
    const { query } = await c1.client.getQuery({ queryId });
    const { cpuTime, memoryBytes } = query?.stats ?? {};
    return { state: query?.state, cpuMs: cpuTime && durationMs(cpuTime), memoryBytes: Number(memoryBytes) };
  };
  const groupUse = () => {
    const [group] = create(CoordinatorStatusSchema, c1.status().value as object).groups;
    return { cpuMs: group?.cpuTime && durationMs(group.cpuTime), memoryBytes: Number(group?.memoryBytes) };
  };

  test('E2: reaches its group and who asks for it', async () => {
    const queryId = await submit();
    worker.useUnread(3 * MIB, 1_500);
    await cluster.clock.advance(1_200);
    expect(groupUse()).toEqual({ cpuMs: 1_500, memoryBytes: 3 * MIB });
    expect(await queryOf(queryId)).toEqual({ state: QueryState.RUNNING, cpuMs: 1_500, memoryBytes: 3 * MIB });
    const second = new Listening(c1.client, { statement: 'rows 1' });
    await cluster.until(() => second.last?.waitReason?.kind === WaitKind.MEMORY_LIMIT, 10);
    worker.useUnread(MIB, 2_000);
    await cluster.until(() => second.over, 10);
    expect(groupUse()).toEqual({ cpuMs: 2_000, memoryBytes: MIB });
  });

  test('E2: what it used until its cancel is charged, although nobody had heard of it', async () => {
    const queryId = await submit();
    worker.useUnread(3 * MIB, 400);
    await c1.client.cancelQuery({ queryId });
    await cluster.clock.advance(200);
    expect(worker.listed).toBe(0);
    expect(groupUse()).toEqual({ cpuMs: 400, memoryBytes: 0 });
    expect(await queryOf(queryId)).toEqual({ state: QueryState.CANCELED, cpuMs: 400, memoryBytes: 0 });
  });

  test('E2: past its CPU limit it ends', async () => {
    const queryId = await submit({ cpuTimeLimit: { seconds: 2n, nanos: 0 } });
    worker.useUnread(MIB, 2_500);
    await cluster.clock.advance(1_200);
    expect((await c1.client.getQuery({ queryId })).query?.error?.reason).toBe('EXCEEDED_CPU_LIMIT');
    expect(worker.canceled).toEqual(worker.created);
  });

  test('a worker that fails to answer is asked again; one that hangs is not asked twice', async () => {
    const queryId = await submit();
    worker.useUnread(MIB, 900);
    worker.listing = 'fail';
    await cluster.clock.advance(3_500);
    expect([worker.listed, groupUse().cpuMs]).toEqual([3, 0]);
    worker.listing = 'hang';
    await cluster.clock.advance(5_000);
    expect(worker.listed).toBe(4);
    await c1.client.cancelQuery({ queryId });
    await cluster.clock.advance(5_000);
    expect([worker.listed, groupUse().cpuMs]).toEqual([4, 900]);
  });

  test('nobody is asked about a task whose rows are read, nor when it is over', async () => {
    new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => worker.holding !== undefined, 10);
    for (let cpuMs = 300; cpuMs <= 6_000; cpuMs += 300) {
      worker.use(MIB, cpuMs);
      await cluster.clock.advance(300);
    }
    worker.end('finish');
    await cluster.clock.advance(5_000);
    expect([worker.listed, groupUse().cpuMs]).toEqual([0, 6_000]);
  });
});
