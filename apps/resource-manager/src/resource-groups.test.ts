import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { GroupState, type ResourceGroup } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { TaskState, type TaskStatusSchema } from '@tutti/contracts/tutti/task/v1/task_pb';
import { parseGroupConfig } from '@tutti/resource-groups';
import { type Counts, counts, failure, query, Stage } from './testing/stage.js';

/** The groups of DB-1, without its selectors by tags. */
const DB_1 = {
  cpuQuotaPeriod: '1h',
  rootGroups: [
    {
      ...{ name: 'global', softMemoryLimit: '50%', hardConcurrencyLimit: 1_000, maxQueued: 100 },
      ...{ softCpuLimit: '10s', hardCpuLimit: '20s' },
      subGroups: [
        { name: 'bi-${USER}', softMemoryLimit: '1MB', hardConcurrencyLimit: 3, maxQueued: 2 },
        {
          ...{ name: 'user-${USER}', softMemoryLimit: '1MB', hardConcurrencyLimit: 3, maxQueued: 3 },
          subGroups: [
            { name: 'adhoc-${USER}', softMemoryLimit: '1MB', hardConcurrencyLimit: 3, maxQueued: 3 },
            { name: 'dashboard-${USER}', softMemoryLimit: '1MB', hardConcurrencyLimit: 1, maxQueued: 1 },
          ],
        },
      ],
    },
    { name: 'explain', softMemoryLimit: '1MB', hardConcurrencyLimit: 0, maxQueued: 1 },
  ],
  selectors: [
    { source: '(?i)explain', group: 'explain' },
    { source: 'dash', group: 'global.user-${USER}.dashboard-${USER}' },
    { group: 'global.user-${USER}.adhoc-${USER}' },
  ],
};

function loaded(file: object) {
  const parsed = parseGroupConfig(JSON.stringify(file));
  if (!('ok' in parsed)) throw new Error(parsed.problems.join('\n'));
  return { config: parsed.ok, version: '0a1b2c3d4e5f' };
}

const USER = 'global.user-${USER}';

/** What a coordinator reports of a user's adhoc group, and of those above it. */
const adhoc = (user: string, running: number, queued = 0, more: { memoryBytes?: bigint } = {}): Counts[] => [
  counts('global', 0),
  { ...counts(`global.user-${user}`, 0), template: USER },
  { ...counts(`global.user-${user}.adhoc-${user}`, running, queued), template: `${USER}.adhoc-\${USER}`, ...more },
];

const task = (taskId: string, more: MessageInitShape<typeof TaskStatusSchema>) => ({
  ...{ taskId, queryId: 'q', coordinatorId: 'c1', resourceGroup: 'global', state: TaskState.RUNNING, ...more },
});

const brief = ({ group, running, queued, state }: ResourceGroup) =>
  `${group} ${running}+${queued} ${GroupState[state]}`;

describe('the resource groups of a cluster', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = new Stage();
    stage.loaded = loaded(DB_1);
    await stage.settled();
  });
  afterEach(() => stage.end());

  const list = async (group = '') => (await stage.groups.listResourceGroups({ group })).groups;
  const one = async (group: string) => (await list(group)).find((row) => row.group === group);

  it('are there with their limits before anybody uses them', async () => {
    expect((await list()).map(brief)).toEqual(['explain 0+0 CAN_QUEUE', 'global 0+0 CAN_RUN']);
    expect(await one('global')).toMatchObject({
      ...{ hardConcurrencyLimit: 1_000, softConcurrencyLimit: 1_000, maxQueued: 100, template: 'global' },
      ...{ schedulingPolicy: 'fair', schedulingWeight: 1, guarantee: 0, coordinators: [] },
      ...{ softCpuLimit: { seconds: 10n }, hardCpuLimit: { seconds: 20n }, cpuUsed: { seconds: 0n, nanos: 0 } },
    });
    const explain = await one('explain');
    expect(explain?.softMemoryLimitBytes).toBe(1_048_576n);
    expect([explain?.cpuUsed, explain?.softCpuLimit, explain?.hardCpuLimit]).toEqual([undefined, undefined, undefined]);
  });

  it('DQ-7: 3 running and 1 queued at c2; no larger cluster would start the one that waits', async () => {
    for (const id of ['c1', 'c2', 'w1', 'w2', 'w3', 'w4']) await stage.announce(id);
    const ids = ['q1', 'q2', 'q3'];
    for (const worker of ['w1', 'w2', 'w3', 'w4'])
      await stage.worker(worker, 1, { tasks: ids.map((id) => task(`${id}.${worker}`, { queryId: id })) });
    await stage.coordinator('c1', 1);
    const queries = [...ids.map((id) => query(id, QueryState.RUNNING)), query('q4', QueryState.QUEUED)];
    await stage.coordinator('c2', 1, { queries, groups: adhoc('u', 3, 1) });
    expect(await stage.cluster.getCluster({})).toMatchObject({
      ...{ runningQueries: 3, queuedQueries: 1, adjustedQueueSize: 0, runningTasks: 12, activeWorkers: 4 },
    });
    await stage.coordinator('c2', 2, { queries, groups: adhoc('u', 2, 4) });
    await stage.coordinator('c1', 2, { groups: adhoc('v', 1, 1) });
    expect((await stage.cluster.getCluster({})).adjustedQueueSize).toBe(2);
  });

  it('DQ-9: a group is asked for with all below it; one that nobody knows is not found', async () => {
    await stage.coordinator('c1', 1, { groups: adhoc('user1', 1) });
    await stage.coordinator('c2', 1, { groups: adhoc('user2', 1) });
    expect((await list('global')).map(brief)).toEqual([
      'global 2+0 CAN_RUN',
      'global.user-user1 1+0 CAN_RUN',
      'global.user-user1.adhoc-user1 1+0 CAN_RUN',
      'global.user-user2 1+0 CAN_RUN',
      'global.user-user2.adhoc-user2 1+0 CAN_RUN',
    ]);
    expect((await list('global.user-user2')).map(({ group }) => group)).toEqual([
      ...['global.user-user2', 'global.user-user2.adhoc-user2'],
    ]);
    expect(await failure(stage.groups.listResourceGroups({ group: 'globl' }))).toMatchObject({
      code: Code.NotFound,
      reason: 'GROUP_NOT_FOUND',
      message: 'No group "globl" is configured or in use. Did you mean "global"?',
    });
    expect(await failure(stage.groups.listResourceGroups({ group: 'global.user-nobody' }))).toMatchObject({
      reason: 'GROUP_NOT_FOUND',
    });
  });

  it('have limits by their template, whatever the coordinators are configured to', async () => {
    await stage.coordinator('c1', 1, { groups: [...adhoc('a.b', 3, 3), counts('removed', 1)] });
    const row = await one('global.user-a.b.adhoc-a.b');
    expect(row).toMatchObject({ hardConcurrencyLimit: 3, maxQueued: 3, state: GroupState.FULL });
    expect(await one('removed')).toMatchObject({ hardConcurrencyLimit: 10, schedulingPolicy: '', template: 'removed' });
  });

  it('come page by page', async () => {
    await stage.coordinator('c1', 1, { groups: adhoc('u', 1) });
    const first = await stage.groups.listResourceGroups({ pageSize: 2, group: 'global' });
    expect(first.groups.map(({ group }) => group)).toEqual(['global', 'global.user-u']);
    const { nextPageToken: pageToken } = first;
    const second = await stage.groups.listResourceGroups({ pageSize: 2, group: 'global', pageToken });
    expect(second.groups.map(({ group }) => group)).toEqual(['global.user-u.adhoc-u']);
    expect(second.nextPageToken).toBe('');
    expect([first.configs.length, second.configs.length]).toEqual([1, 0]);
    expect(await failure(stage.groups.listResourceGroups({ pageSize: -1 }))).toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });

  it('hold memory on all coordinators, and on workers whose coordinator is gone', async () => {
    for (const id of ['c1', 'w1', 'w2']) await stage.announce(id);
    const held = (user: string, memoryBytes: bigint) => adhoc(user, 1, 0, { memoryBytes });
    await stage.coordinator('c1', 1, { groups: held('u', 600_000n) });
    await stage.coordinator('c2', 1, { groups: held('u', 500_000n) });
    await stage.worker('w1', 1, { memoryLimitBytes: 4_000_000n, tasks: [] });
    const tasks = ['t1', 't2'].map((id) => {
      return task(id, { coordinatorId: 'gone', resourceGroup: 'global.user-v', memoryBytes: 450_000n });
    });
    await stage.worker('w2', 1, { memoryLimitBytes: 2_000_000n, tasks });
    expect(await one('global.user-u')).toMatchObject({
      ...{ memoryBytes: 1_100_000n, softMemoryLimitBytes: 1_048_576n, state: GroupState.CAN_QUEUE },
      coordinators: [
        { nodeId: 'c1', memoryBytes: 600_000n },
        { nodeId: 'c2', memoryBytes: 500_000n },
      ],
    });
    expect(await one('global')).toMatchObject({ memoryBytes: 2_000_000n, softMemoryLimitBytes: 3_000_000n });
    const { groups } = await stage.ask('c2', 2, held('u', 500_000n));
    expect(groups.map(({ group, memoryBytes }) => [group, memoryBytes])).toEqual([
      ['global.user-u.adhoc-u', 600_000n],
      ['global.user-v', 900_000n],
    ]);
  });

  it('use CPU while their queries run, and get it back once for the whole cluster', async () => {
    const used = (ms: number): Counts[] => [
      { ...counts('global', 0), cpuQuotaCores: 2 },
      { ...counts('global.x', 1), cpuTime: durationFromMs(ms) },
    ];
    const cpuOf = async (id: string, sequence: number, ms: number) => {
      const { cpu } = await stage.ask(id, sequence, used(ms));
      return Object.fromEntries(cpu.map(({ group, used: one }) => [group, one && durationMs(one)]));
    };
    expect(await cpuOf('c1', 1, 70_000)).toEqual({});
    expect(await cpuOf('c2', 1, 0)).toEqual({});
    expect(await cpuOf('c1', 2, 76_000)).toEqual({ global: 6_000 });
    expect(await cpuOf('c2', 2, 5_000)).toEqual({ global: 11_000 });
    expect(await one('global')).toMatchObject({ cpuUsed: { seconds: 11n }, state: GroupState.CAN_RUN });
    await stage.clock.advance(1_000);
    expect(await cpuOf('c2', 3, 5_000)).toEqual({ global: 9_000 });
    await stage.coordinator('c1', 3, { groups: used(91_500) });
    expect(await one('global')).toMatchObject({ cpuUsed: { seconds: 24n, nanos: 5e8 }, state: GroupState.CAN_QUEUE });
  });

  it('go on with the CPU that an older resource manager has counted, and not a younger one', async () => {
    const cpu = (used: number) => [{ group: 'global', used: durationFromMs(used), quotaCores: 2 }];
    const tell = (id: string, sequence: number, used: number, incarnation: bigint) =>
      stage.report(id, sequence, { case: 'resourceManager', value: { cpu: cpu(used) } }, incarnation);
    const used = async () => {
      const { cpuUsed } = (await one('global')) ?? {};
      return cpuUsed && durationMs(cpuUsed);
    };
    await tell('r3', 1, 50_000, 8n);
    expect(await used()).toBe(0);
    await tell('r2', 1, 20_000, 6n);
    expect([await used(), (await one('global'))?.state]).toEqual([20_000, GroupState.CAN_QUEUE]);
    await tell('r2', 2, 30_000, 6n);
    expect(await used()).toBe(20_000);
    await stage.clock.advance(1_000);
    expect(await used()).toBe(18_000);
  });

  it('are kept by each node in some version, and the list says so', async () => {
    const versions = async () => {
      const { configs } = await stage.groups.listResourceGroups({});
      return configs.map(({ nodeId, status }) => [nodeId, status?.version, ...(status?.problems ?? [])].join(' '));
    };
    await stage.coordinator('c2', 1, { groupConfig: { version: 'built-in' } });
    await stage.coordinator('c1', 1, { groupConfig: { version: '0a1b2c3d4e5f', problems: ['line 1:2: bad'] } });
    await stage.report('r2', 1, { case: 'resourceManager', value: { groupConfig: { version: '999999999999' } } });
    stage.problems = ['line 3:1: worse'];
    const others = ['r1 0a1b2c3d4e5f line 3:1: worse', 'r2 999999999999'];
    expect(await versions()).toEqual(['c1 0a1b2c3d4e5f line 1:2: bad', 'c2 built-in', ...others]);
    await stage.groups.getUsage({ nodeId: 'c1', incarnation: 1n, sequence: 2n, configVersion: '111111111111' });
    await stage.groups.getUsage({ nodeId: 'c2', incarnation: 1n, sequence: 2n, configVersion: 'built-in' });
    expect(await versions()).toEqual(['c1 111111111111', 'c2 built-in', ...others]);
  });

  it('take queries by the selectors of the file', async () => {
    expect(await stage.groups.selectResourceGroup({ user: 'alice', source: 'dash' })).toMatchObject({
      ...{ group: 'global.user-alice.dashboard-alice', template: `${USER}.dashboard-\${USER}`, selector: 2 },
      configVersion: '0a1b2c3d4e5f',
    });
  });
});
