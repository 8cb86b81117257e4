import { create } from '@bufbuild/protobuf';
import { CoordinatorStatusSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { readRpcError } from '@tutti/service';
import { db1Groups } from './testing/db1-groups.js';
import type { FakeWorker } from './testing/fake-worker.js';
import { groupsOf, Listening, oneGroup, TestCluster, type TestCoordinator } from './testing/test-cluster.js';

describe('new resource groups while queries run and wait', () => {
  let cluster: TestCluster;
  let worker: FakeWorker;
  beforeEach(() => {
    cluster = new TestCluster();
    worker = cluster.worker('w1');
  });
  afterEach(() => cluster.stop());

  const from = ({ client }: TestCoordinator, source: string) =>
    new Listening(client, { statement: 'hold', session: { user: 'user', source } });
  const state = (heard: Listening) => heard.states.at(-1);

  test('DB-1: larger limits start what waits, at once, and no more than they allow', async () => {
    const c1 = cluster.coordinator('c1', 'aaaaa', db1Groups());
    const first = from(c1, 'dashboard');
    await cluster.until(() => state(first) === 'RUNNING', 10);
    const second = from(c1, 'dashboard');
    await cluster.until(() => second.last?.waitReason !== undefined, 10);
    c1.groupFile.load(db1Groups({ user: 4, dashboard: 2 }));
    await cluster.until(() => state(second) === 'RUNNING', 10);
    const third = from(c1, 'dashboard');
    const adhoc = [from(c1, 'adhoc'), from(c1, 'adhoc')];
    await cluster.until(() => adhoc.every((heard) => state(heard) === 'RUNNING'), 10);
    expect(state(third)).toBe('QUEUED');
    expect(worker.tasks.size).toBe(4);
    await c1.client.cancelQuery({ queryId: first.last?.queryId ?? '' });
    await cluster.until(() => state(third) === 'RUNNING', 10);
    expect(worker.tasks.size).toBe(4);
  });

  test('DB-2: a new selector takes what nobody took, and is gone again with the next file', async () => {
    const c1 = cluster.coordinator('c1', 'aaaaa', db1Groups());
    const rejected = from(c1, 'reject');
    await cluster.until(() => rejected.over, 10);
    expect(readRpcError(rejected.error).reason).toBe('MISSING_RESOURCE_GROUP_SELECTOR');
    c1.groupFile.load(db1Groups({ first: [{ source: 'reject', group: 'global.user-${USER}.adhoc-${USER}' }] }));
    const taken = from(c1, 'reject');
    await cluster.until(() => state(taken) === 'RUNNING', 10);
    c1.groupFile.load(db1Groups());
    const again = from(c1, 'reject');
    await cluster.until(() => again.over, 10);
    expect(readRpcError(again.error).reason).toBe('MISSING_RESOURCE_GROUP_SELECTOR');
    expect(state(taken)).toBe('RUNNING');
  });

  const groupNamed = (name: string, more: object = {}) => ({ name, hardConcurrencyLimit: 1, maxQueued: 9, ...more });

  test('a query whose group is gone goes to another one, and keeps the time that it has waited', async () => {
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const first = from(c1, 'x');
    await cluster.until(() => state(first) === 'RUNNING', 10);
    const second = from(c1, 'x');
    await cluster.until(() => second.last?.waitReason !== undefined, 10);
    await cluster.clock.advance(5_000);
    c1.groupFile.load(groupsOf({ rootGroups: [groupNamed('other')], selectors: [{ group: 'other' }] }));
    await cluster.until(() => state(second) === 'RUNNING', 10);
    expect(second.last).toMatchObject({ resourceGroup: 'other' });
    expect(second.last?.queued?.seconds).toBe(5n);
    expect(state(first)).toBe('RUNNING');
    expect(c1.log.events()).toContain('query-moved');
    worker.end('finish');
    await cluster.until(() => first.over, 10);
    expect(first.error).toBeUndefined();
  });

  test('a query that the new groups do not take ends, and is told that they are new', async () => {
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(0));
    const heard = from(c1, 'x');
    await cluster.until(() => heard.last?.waitReason !== undefined, 10);
    const selectors = [{ user: 'root', group: 'other' }];
    c1.groupFile.load(groupsOf({ rootGroups: [groupNamed('other')], selectors }));
    await cluster.until(() => heard.over, 10);
    const { reason, message } = readRpcError(heard.error);
    expect(reason).toBe('MISSING_RESOURCE_GROUP_SELECTOR');
    expect(message).toMatch(
      /^The resource groups have changed, and "global" takes no queries any more\. Query did not/,
    );
  });

  test('a queue timeout counts from the first group on', async () => {
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(0));
    const heard = from(c1, 'x');
    await cluster.clock.advance(20_000);
    const closed = groupNamed('closed', { hardConcurrencyLimit: 0, queueTimeout: '30s' });
    c1.groupFile.load(groupsOf({ rootGroups: [closed], selectors: [{ group: 'closed' }] }));
    await cluster.clock.advance(9_000);
    expect(heard.over).toBe(false);
    await cluster.until(() => heard.over, 100);
    expect(readRpcError(heard.error).reason).toBe('EXCEEDED_QUEUED_TIME_LIMIT');
    expect(heard.last?.queued?.seconds).toBe(30n);
  });

  test('every question and every report says which version holds, and what is wrong with the file', async () => {
    const gated = (limit: number) => oneGroup(limit, 100, { admissionMode: 'gated' });
    const c1 = cluster.coordinator('c1', 'aaaaa', gated(1));
    const status = () => create(CoordinatorStatusSchema, c1.status().value as object).groupConfig;
    const heard = from(c1, 'x');
    await cluster.until(() => state(heard) === 'RUNNING', 10);
    expect(cluster.resourceManager.configVersions.get('c1')).toBe('v1');
    expect(status()).toMatchObject({ version: 'v1', problems: [] });
    c1.groupFile.load(gated(2));
    c1.groupFile.problems = ['line 1:1: not JSON'];
    const second = from(c1, 'x');
    await cluster.until(() => state(second) === 'RUNNING', 10);
    expect(cluster.resourceManager.configVersions.get('c1')).toBe('v2');
    expect(status()).toMatchObject({ version: 'v2', problems: ['line 1:1: not JSON'] });
  });
});

describe('two coordinators with the groups of Presto', () => {
  let cluster: TestCluster;
  let coordinators: readonly [TestCoordinator, TestCoordinator];
  beforeEach(() => {
    cluster = new TestCluster();
    cluster.worker('w1');
    coordinators = [cluster.coordinator('c0', 'aaaaa', db1Groups()), cluster.coordinator('c1', 'bbbbb', db1Groups())];
  });
  afterEach(() => cluster.stop());

  const from = ({ client }: TestCoordinator, source: string, user = 'user') =>
    new Listening(client, { statement: 'hold', session: { user, source } });
  const runs = (heard: Listening) => heard.states.at(-1) === 'RUNNING';

  test('DQ-1: three that run on one coordinator keep the fourth on the other one waiting', async () => {
    const [c0, c1] = coordinators;
    const three = [from(c1, 'adhoc'), from(c1, 'adhoc'), from(c1, 'adhoc')];
    await cluster.until(() => three.every(runs), 10);
    const fourth = from(c0, 'adhoc');
    await cluster.clock.advance(2_000);
    expect(fourth.last?.waitReason).toMatchObject({ runningHere: 0, runningElsewhere: 3, limit: 3n, used: 3n });
    await c1.client.cancelQuery({ queryId: three[0]?.last?.queryId ?? '' });
    await cluster.until(() => runs(fourth), 10);
  });

  test('DQ-3: what runs on both counts together, in the group above too', async () => {
    const [c0, c1] = coordinators;
    const own = from(c0, 'adhoc');
    const others = [from(c1, 'adhoc'), from(c1, 'adhoc')];
    await cluster.until(() => [own, ...others].every(runs), 10);
    const dashboard = from(c0, 'dashboard');
    await cluster.clock.advance(2_000);
    expect(dashboard.last?.waitReason?.blockingGroup).toBe('global.user-user');
    await c0.client.cancelQuery({ queryId: own.last?.queryId ?? '' });
    await cluster.until(() => runs(dashboard), 10);
  });

  test('DQ-4: of a burst over both coordinators three run and one waits', async () => {
    const [c0, c1] = coordinators;
    const burst = [from(c0, 'adhoc'), from(c1, 'adhoc'), from(c0, 'dashboard'), from(c1, 'adhoc')];
    await cluster.until(() => burst.filter(runs).length === 3, 10);
    await cluster.clock.advance(5_000);
    expect(burst.filter(runs)).toHaveLength(3);
    expect(burst.filter((heard) => heard.states.at(-1) === 'QUEUED')).toHaveLength(1);
  });
});
