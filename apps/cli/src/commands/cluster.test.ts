import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import {
  type ClusterNodeSchema,
  ClusterService,
  type GetClusterResponseSchema,
} from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { NodeRole, NodeState } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import {
  type ListQueriesRequest,
  type QueryInfoSchema,
  QueryService,
  QueryState,
  WaitKind,
} from '@tutti/contracts/tutti/query/v1/query_pb';
import {
  type NodeGroupConfigSchema,
  ResourceGroupService,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { WorkerStatusSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { type Routes, rpcError } from '@tutti/service';
import { runInMemory } from '../testing/run-in-memory.js';

type NodeInit = MessageInitShape<typeof ClusterNodeSchema>;

const node = (
  nodeId: string,
  role: NodeRole,
  state: NodeState,
  more: { worker?: MessageInitShape<typeof WorkerStatusSchema> } = {},
): NodeInit => ({
  node: {
    announcement: {
      nodeId,
      role,
      incarnation: 1_795_000_000_000n,
      edgeAddress: `${nodeId}:8080`,
      programVersion: '1.2',
    },
    state,
    age: durationFromMs(400),
  },
  process: { cpuCores: 2, cpuUsedCores: 0.5, rssBytes: 104_857_600n },
  heartbeatAge: durationFromMs(450),
  ...more,
});
const WORKER = {
  worker: {
    memoryLimitBytes: 4_294_967_296n,
    memoryReservedBytes: 1_073_741_824n,
    memoryUsedBytes: 536_870_912n,
    tasksMax: 4,
    tasks: [{}],
  },
};
const HEALTHY = [
  node('c1', NodeRole.COORDINATOR, NodeState.ACTIVE),
  node('rm1', NodeRole.RESOURCE_MANAGER, NodeState.ACTIVE),
  node('w1', NodeRole.WORKER, NodeState.ACTIVE, WORKER),
];

type ConfigInit = MessageInitShape<typeof NodeGroupConfigSchema>;

const config = (nodeId: string, version: string, problems: string[] = []): ConfigInit => ({
  nodeId,
  status: { version, problems },
});

function cluster(
  sums: MessageInitShape<typeof GetClusterResponseSchema>,
  nodes: NodeInit[],
  configs = [config('c1', '0a1b2c3d4e5f'), config('rm1', '0a1b2c3d4e5f')],
): Routes {
  return (router) => {
    router.service(ResourceGroupService, { listResourceGroups: () => ({ configs }) });
    router.service(ClusterService, {
      getCluster: () => ({
        activeCoordinators: 1,
        activeResourceManagers: 1,
        activeWorkers: 1,
        runningQueries: 1,
        queuedQueries: 2,
        runningTasks: 1,
        memoryLimitBytes: 4_294_967_296n,
        memoryReservedBytes: 1_073_741_824n,
        memoryUsedBytes: 536_870_912n,
        resourceManagerId: 'rm1',
        synced: true,
        ...sums,
      }),
      listNodes: () => ({ nodes }),
    });
  };
}

describe('tutti nodes', () => {
  const routes = cluster({}, HEALTHY);

  test('as a table', async () => {
    expect((await runInMemory(['nodes'], { routes })).stdout).toBe(
      [
        ' node | role             | state  |      heard |  tasks |             memory |       cpu |      rss | edge address | version',
        '------+------------------+--------+------------+--------+--------------------+-----------+----------+--------------+---------',
        ' c1   | coordinator      | active | 0.40 s ago |        |                    | 0.50 of 2 | 100.00MB | c1:8080      | 1.2',
        ' rm1  | resource manager | active | 0.40 s ago |        |                    | 0.50 of 2 | 100.00MB | rm1:8080     | 1.2',
        ' w1   | worker           | active | 0.40 s ago | 1 of 4 | 512.00MB of 4.00GB | 0.50 of 2 | 100.00MB | w1:8080      | 1.2',
        '',
      ].join('\n'),
    );
  });

  test('as json', async () => {
    const { stdout } = await runInMemory(['nodes', '-o', 'json'], { routes });
    expect(JSON.parse(stdout)).toMatchObject([
      {
        nodeId: 'c1',
        role: 'COORDINATOR',
        state: 'ACTIVE',
        ageMs: 400,
        startTime: '2026-11-18T11:06:40.000Z',
        work: null,
      },
      { nodeId: 'rm1', heartbeatAgeMs: 450 },
      { nodeId: 'w1', work: { runningTasks: 1, memoryUsedBytes: 536_870_912, memoryLimitBytes: 4_294_967_296 } },
    ]);
  });
});

describe('tutti status', () => {
  test('of a healthy cluster', async () => {
    expect(await runInMemory(['status'], { routes: cluster({}, HEALTHY) })).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: [
        'cluster            ok',
        'coordinators       1 active',
        'resource managers  1 active',
        'workers            1 active',
        'queries            1 running, 2 queued',
        'tasks              1 running',
        'memory             512.00MB used, 1.00GB reserved of 4.00GB',
        'seen by            rm1',
        '',
      ].join('\n'),
    });
  });

  test('of one with a lost worker beside a good one: degraded, but queries run', async () => {
    const lost = node('w2', NodeRole.WORKER, NodeState.SUSPECT);
    const { exitCode, stdout } = await runInMemory(['status'], { routes: cluster({}, [...HEALTHY, lost]) });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^cluster +degraded\n[^]*\nworkers +1 active of 2\n/);
    expect(stdout).toMatch(/\n! worker w2 is suspect, last heard 0\.40 s ago: it gets nothing new\n$/);
  });

  test('whose resource-groups file is broken on a node: degraded, and more is told by tutti groups', async () => {
    const configs = [config('c1', '0a1b2c3d4e5f', ['line 1:1: not JSON']), config('rm1', '0a1b2c3d4e5f')];
    const { exitCode, stdout } = await runInMemory(['status'], { routes: cluster({}, HEALTHY, configs) });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^cluster +degraded\n/);
    expect(stdout).toContain(
      '! the resource-groups file of c1 is wrong; it keeps version 0a1b2c3d4e5f; more by: tutti groups\n',
    );
  });

  test('that is too small says so, for the one who decides about workers', async () => {
    const { stdout } = await runInMemory(['status'], { routes: cluster({ adjustedQueueSize: 2 }, HEALTHY) });
    expect(stdout).toMatch(/\nqueries +1 running, 2 queued, 2 of them could run on a larger cluster\n/);
  });

  test.each([
    ['without an active worker', { activeWorkers: 0 }, 'there is no active worker: queries wait until one comes'],
    ['whose resource manager is starting', { synced: false }, 'resource manager rm1 is starting: it has not heard'],
  ])('of one %s: down, exit code 1', async (_name, sums, problem) => {
    const { exitCode, stdout } = await runInMemory(['status'], { routes: cluster(sums, HEALTHY) });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^cluster +down\n/);
    expect(stdout).toContain(`! ${problem}`);
  });

  test('as json', async () => {
    const { exitCode, stdout } = await runInMemory(['status', '-o', 'json'], {
      routes: cluster({ activeWorkers: 0 }, HEALTHY),
    });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'down',
      problems: ['there is no active worker: queries wait until one comes'],
      cluster: { activeWorkers: 0, synced: true, memoryLimitBytes: 4_294_967_296 },
      nodes: [{ nodeId: 'c1' }, { nodeId: 'rm1' }, { nodeId: 'w1' }],
      groupConfigs: [
        { nodeId: 'c1', version: '0a1b2c3d4e5f', loadTime: null, problems: [] },
        { nodeId: 'rm1', version: '0a1b2c3d4e5f' },
      ],
    });
  });

  test('when no resource manager answers', async () => {
    const routes: Routes = (router) =>
      router.service(ClusterService, {
        getCluster: () => {
          throw rpcError(Code.Unavailable, 'no resource manager answers', { reason: 'RESOURCE_MANAGERS_UNREACHABLE' });
        },
      });
    expect(await runInMemory(['status'], { routes })).toMatchObject({
      exitCode: 1,
      stderr: 'error: RESOURCE_MANAGERS_UNREACHABLE: no resource manager answers\n',
    });
  });

  test('of a server that knows no such service', async () => {
    const { exitCode, stderr } = await runInMemory(['status'], {});
    expect(exitCode).toBe(3);
    expect(stderr).toContain('it answers, but not to this call: is it the edge port of a coordinator?');
  });
});

describe('tutti queries', () => {
  const running: MessageInitShape<typeof QueryInfoSchema> = {
    queryId: '20261122_151200_00001_k3x9q',
    state: QueryState.RUNNING,
    statement: 'SELECT\n  count(*)\n FROM flights',
    session: { user: 'ann', source: 'tutti-cli', catalog: 'demo', schema: 'main' },
    resourceGroup: 'global.adhoc',
    coordinatorId: 'c1',
    createTime: timestampFromMs(1_795_000_000_000),
    elapsed: durationFromMs(1_500),
    queued: durationFromMs(20),
    stats: { rows: 12_345n, resultBytes: 1_048_576n, cpuTime: durationFromMs(900), workerIds: ['w1', 'w2'] },
  };
  const failed: MessageInitShape<typeof QueryInfoSchema> = {
    queryId: '20261122_151100_00000_k3x9q',
    state: QueryState.FAILED,
    statement: `SELECT ${'x, '.repeat(100)}`,
    error: { reason: 'COLUMN_NOT_FOUND', message: 'no column "x"', line: 1, column: 8, retriable: false },
  };
  const queued: MessageInitShape<typeof QueryInfoSchema> = {
    ...running,
    queryId: '20261122_151201_00002_abcde',
    state: QueryState.QUEUED,
    waitReason: {
      kind: WaitKind.CONCURRENCY_LIMIT,
      blockingGroup: 'global',
      hardConcurrencyLimit: 1,
      runningElsewhere: 1,
      queuedAhead: 2,
      dataAge: durationFromMs(90),
      message: '"global" runs 1 of 1: 0 here, 1 elsewhere',
    },
  };
  const asked: ListQueriesRequest[] = [];
  const routes: Routes = (router) =>
    router.service(QueryService, {
      listQueries: (request) => {
        asked.push(request);
        if (request.states.includes(QueryState.QUEUED)) return { queries: [queued, running] };
        return request.pageToken === '' ? { queries: [running], nextPageToken: 'two' } : { queries: [failed] };
      },
      getQuery: ({ queryId }) => {
        const query = [running, failed, queued].find((other) => other.queryId === queryId);
        if (query === undefined) throw rpcError(Code.NotFound, `no query ${queryId}`, { reason: 'QUERY_NOT_FOUND' });
        return { query };
      },
    });
  beforeEach(() => (asked.length = 0));

  test('as a table, page by page', async () => {
    const { stdout } = await runInMemory(['queries', '--user', 'ann', '--limit', '5'], { routes });
    expect(asked).toMatchObject([
      { pageSize: 5, pageToken: '', user: 'ann' },
      { pageSize: 4, pageToken: 'two', user: 'ann' },
    ]);
    const [head, , first, second] = stdout.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    expect(head).toEqual('query state user group coordinator elapsed queued rows statement'.split(' '));
    expect(first).toEqual([
      ...['20261122_151200_00001_k3x9q', 'running', 'ann', 'global.adhoc', 'c1', '1.50 s', '0.02 s', '12,345'],
      'SELECT count(*) FROM flights',
    ]);
    expect(second?.[1]).toBe('failed: COLUMN_NOT_FOUND');
    expect(second?.at(-1)).toMatch(/^SELECT x, .{40,}…$/);
  });

  test('that wait say why', async () => {
    const { stdout } = await runInMemory(['queries', '--state', 'QUEUED, running'], { routes });
    expect(asked).toMatchObject([{ states: [QueryState.QUEUED, QueryState.RUNNING] }]);
    expect(stdout).toContain('| waits because ');
    expect(stdout).toContain('| "global" runs 1 of 1: 0 here, 1 elsewhere | SELECT count(*) FROM flights\n');
  });

  test('as json', async () => {
    const { stdout } = await runInMemory(['queries', '-o', 'json', '--limit', '1'], { routes });
    expect(asked).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        queryId: running.queryId,
        state: 'RUNNING',
        rows: 12_345,
        elapsedMs: 1_500,
        workers: ['w1', 'w2'],
        error: null,
      },
    ]);
  });

  test('show: one that waits', async () => {
    const { stdout } = await runInMemory(['queries', 'show', queued.queryId ?? ''], { routes });
    expect(stdout).toBe(
      [
        'query          20261122_151201_00002_abcde',
        'state          queued',
        'waits because  "global" runs 1 of 1: 0 here, 1 elsewhere',
        'data age       0.09 s',
        'user           ann',
        'source         tutti-cli',
        'context        demo.main',
        'group          global.adhoc',
        'coordinator    c1',
        'workers        w1 w2',
        'created        2026-11-18T11:06:40.000Z',
        'elapsed        1.50 s',
        'queued         0.02 s',
        'cpu            0.90 s',
        'result         12,345 rows, 1.00MB',
        'memory         0B now, 0B at most',
        'statement      SELECT',
        '                 count(*)',
        '                FROM flights',
        '',
      ].join('\n'),
    );
  });

  test('show: one that failed', async () => {
    const { stdout } = await runInMemory(['queries', 'show', failed.queryId ?? ''], { routes });
    expect(stdout).toContain(
      'error      COLUMN_NOT_FOUND: no column "x"\nat         line 1, column 8\nretriable  no\n',
    );
  });

  test('show: as json, wherever -o stands', async () => {
    for (const argv of [
      ['queries', 'show', '-o', 'json'],
      ['queries', '-o', 'json', 'show'],
    ]) {
      const { stdout } = await runInMemory([...argv, queued.queryId ?? ''], { routes });
      expect(JSON.parse(stdout)).toMatchObject({ state: 'QUEUED', waitReason: { queuedAhead: 2, dataAgeMs: 90 } });
    }
  });

  test('show: one that nobody knows', async () => {
    expect(await runInMemory(['queries', 'show', 'x'], { routes })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: QUERY_NOT_FOUND: no query x\n',
    });
  });
});

describe('tutti kill', () => {
  const kill = (state: QueryState, argv: string[] = []) =>
    runInMemory(['kill', 'q1', '--reason', 'too "big"', ...argv], {
      routes: (router) =>
        router.service(QueryService, {
          cancelQuery: ({ queryId, reason }) => ({
            query: { queryId, state, error: { reason: 'ADMINISTRATIVELY_KILLED', message: reason } },
          }),
        }),
    });

  test('cancels a query, with a reason', async () => {
    expect(await kill(QueryState.CANCELED)).toEqual({ exitCode: 0, stdout: 'query q1 is canceled\n', stderr: '' });
    expect(JSON.parse((await kill(QueryState.CANCELED, ['-o', 'json'])).stdout)).toMatchObject({
      queryId: 'q1',
      state: 'CANCELED',
      error: { message: 'too "big"' },
    });
  });

  test('says when the query had ended, or has not yet', async () => {
    expect((await kill(QueryState.FINISHED)).stdout).toBe('query q1 had already ended: finished\n');
    expect((await kill(QueryState.RUNNING)).stdout).toBe('query q1 is being canceled (running)\n');
  });
});
