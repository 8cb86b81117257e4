import { Code } from '@connectrpc/connect';
import { NodeRole, NodeState } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { TaskState } from '@tutti/contracts/tutti/task/v1/task_pb';
import { type Counts, counts, failure, query, Stage } from './testing/stage.js';

describe('a resource manager', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });
  afterEach(() => stage.end());

  describe('that has just started', () => {
    it('takes counts but answers no question until every node that others know of has reported', async () => {
      await stage.announce('c1', ['c1', 'c2', 'w1']);
      await stage.coordinator('c1', 1, { groups: [counts('global', 3)] });
      await stage.worker('w1', 1);
      expect(await failure(stage.ask('c1', 2))).toMatchObject({
        code: Code.Unavailable,
        reason: 'RESOURCE_MANAGER_STARTING',
        retryAfterMs: 100,
      });
      expect(await failure(stage.groups.getUsage({}))).toMatchObject({ reason: 'RESOURCE_MANAGER_STARTING' });
      await stage.coordinator('c2', 1, { groups: [counts('global', 4)] });
      const { groups, resourceManagerId, resourceManagerIncarnation } = await stage.ask('c1', 3, [counts('global', 3)]);
      expect(groups).toMatchObject([{ group: 'global', running: 4 }]);
      expect([resourceManagerId, resourceManagerIncarnation]).toEqual(['r1', 7n]);
    });

    it('is ready once it is synced, and says whom it waits for until then', async () => {
      await stage.announce('c1', ['c1', 'c2']);
      await stage.coordinator('c1', 1);
      await stage.pass(1_000);
      await stage.coordinator('c2', 1);
      await stage.pass(200);
      expect(stage.readiness).toEqual(['waits for any coordinator', 'ready']);
    });
  });

  describe('hears reports', () => {
    beforeEach(() => stage.settled());

    it('an empty report asks how it stands', async () => {
      const { ack } = await stage.heartbeats.reportNode({});
      expect(ack).toMatchObject({
        sequence: 0n,
        resourceManagerId: 'r1',
        resourceManagerIncarnation: 7n,
        synced: true,
      });
    });

    it('refuses a report that names no node or no status', async () => {
      const status = { case: 'worker' as const, value: {} };
      for (const faulty of [
        stage.report('', 1, status),
        stage.report('w1', 0, status),
        stage.report('w1', 1, { case: undefined }),
      ]) {
        expect(await failure(faulty)).toMatchObject({ code: Code.InvalidArgument, reason: 'INVALID_ARGUMENT' });
      }
    });

    it('RM-2: late reports change nothing', async () => {
      const list = async () => {
        const { queries } = await stage.cluster.listQueries({});
        return queries.map(({ queryId, state }) => `${queryId} ${QueryState[state]}`);
      };
      await stage.coordinator('c1', 2, { queries: [query('q1', QueryState.QUEUED), query('q2', QueryState.FINISHED)] });
      expect(await list()).toEqual(['q1 QUEUED', 'q2 FINISHED']);
      await stage.coordinator('c1', 1, {
        queries: [query('q1', QueryState.FINISHED), query('q2', QueryState.RUNNING)],
      });
      await stage.coordinator('c1', 2, { queries: [query('q3', QueryState.RUNNING)] });
      expect(await list()).toEqual(['q1 QUEUED', 'q2 FINISHED']);
      await stage.coordinator('c1', 3, {
        queries: [query('q1', QueryState.FINISHED), query('q2', QueryState.FINISHED)],
      });
      expect(await list()).toEqual(['q1 FINISHED', 'q2 FINISHED']);
      const { text } = await stage.metrics.expose();
      expect(text).toContain('tutti_reports_total{outcome="late"} 2');
    });

    it('RM-3: tells each coordinator of the groups of the others, until those are silent for too long', async () => {
      await stage.coordinator('c1', 1, { groups: [counts('rg1', 0, 1), counts('rg2', 1), counts('rg3', 1)] });
      const othersOf = async (asker: string, sequence: number, own: Counts[] = []) => {
        const { groups } = await stage.ask(asker, sequence, own);
        return groups.map(({ group }) => group);
      };
      const own = [counts('rg1', 0, 1), counts('rg2', 1), counts('rg3', 1)];
      expect(await othersOf('c1', 2, own)).toEqual([]);
      expect(await othersOf('c2', 1)).toEqual(['rg1', 'rg2', 'rg3']);
      await stage.coordinator('c3', 1, { groups: [counts('rg6', 0, 1)] });
      expect(await othersOf('c1', 3, own)).toEqual(['rg6']);
      expect(await othersOf('c2', 2)).toEqual(['rg1', 'rg2', 'rg3', 'rg6']);
      expect(await othersOf('c3', 2, [counts('rg6', 0, 1)])).toEqual(['rg1', 'rg2', 'rg3']);
      await stage.pass(5_000);
      await stage.coordinator('c0', 2);
      await stage.pass(5_400);
      expect(await othersOf('c2', 3)).toEqual([]);
    });

    it('RM-4: adds up what all others run and wait for, with the age of the oldest data', async () => {
      await stage.coordinator('c1', 1, { groups: [counts('rg4', 0, 1)] });
      await stage.clock.advance(300);
      await stage.coordinator('c2', 1, { groups: [counts('rg4', 2, 1)] });
      await stage.coordinator('c3', 1, { groups: [counts('rg4', 3, 0)] });
      const { groups, coordinators } = await stage.ask('c3', 2, [counts('rg4', 3, 0)]);
      expect(groups).toMatchObject([{ group: 'rg4', running: 2, queued: 2 }]);
      const ages = Object.fromEntries(coordinators.map(({ nodeId: id, age }) => [id, (age?.nanos ?? 0) / 1e6]));
      expect(ages).toMatchObject({ c1: 300, c2: 0 });
    });

    it('of two coordinators that claim, the later one sees the claim of the earlier one ahead of its own', async () => {
      const first = await stage.ask('c1', 1, [counts('global', 0, 1, 1, 1)]);
      const second = await stage.ask('c2', 1, [counts('global', 0, 2, 2, 1)]);
      expect(first.groups).toEqual([]);
      expect(first.knownRound).toBe(1n);
      expect(second.groups).toMatchObject([{ group: 'global', queued: 1, claimsAhead: [{ round: 1n, count: 1 }] }]);
    });

    it('a dead coordinator makes nobody wait: soon it counts only by what workers still run for it', async () => {
      await stage.announce('c1');
      await stage.announce('w1');
      await stage.coordinator('c1', 1, { groups: [counts('global', 5, 4, 4, 1)] });
      const task = {
        taskId: 't',
        queryId: '20261122_151200_00000_c1c1z',
        coordinatorId: 'c1',
        resourceGroup: 'global',
        state: TaskState.RUNNING,
      };
      for (let sequence = 1; sequence <= 3; sequence++) {
        await stage.worker('w1', sequence, { tasks: [task] });
        await stage.pass(1_000);
      }
      const before = await stage.ask('c2', 1);
      expect(before.groups).toMatchObject([{ running: 5, queued: 4 }]);
      await stage.pass(800);
      const after = await stage.ask('c2', 2);
      expect(after.groups).toMatchObject([{ running: 1, queued: 0 }]);
      expect(after.coordinators.map(({ nodeId: id }) => id)).not.toContain('c1');
      await stage.coordinator('c1', 2, { groups: [counts('global', 5)] });
      expect((await stage.ask('c2', 3)).groups).toMatchObject([{ running: 5 }]);
    });
  });

  describe('shows the cluster', () => {
    beforeEach(() => stage.settled());

    it('nodes with their load, and the sums', async () => {
      await stage.announce('c1');
      await stage.announce('w1');
      const task = {
        taskId: 'q1.0.0',
        queryId: 'q1',
        coordinatorId: 'c1',
        resourceGroup: 'global',
        state: TaskState.RUNNING,
      };
      const done = { ...task, taskId: 'q0.0.0', state: TaskState.FINISHED };
      const memory = { memoryLimitBytes: 400n, memoryReservedBytes: 100n, memoryUsedBytes: 60n };
      await stage.worker('w1', 5, { ...memory, tasksMax: 4, tasks: [task, done] });
      await stage.coordinator('c1', 1, { queries: [query('q1', QueryState.PLANNING), query('q2', QueryState.QUEUED)] });
      await stage.clock.advance(400);
      const { nodes } = await stage.cluster.listNodes({});
      expect(nodes.map(({ node }) => node?.announcement?.nodeId)).toEqual(['c1', 'r1', 'w1']);
      expect(nodes[2]).toMatchObject({
        node: { state: NodeState.ACTIVE, load: { runningTasks: 1, tasksMax: 4, sequence: 5n } },
        worker: { memoryUsedBytes: 60n },
        heartbeatAge: { nanos: 400_000_000 },
      });
      expect(await stage.cluster.getCluster({})).toMatchObject({
        activeCoordinators: 1,
        activeResourceManagers: 1,
        activeWorkers: 1,
        runningQueries: 1,
        queuedQueries: 1,
        runningTasks: 1,
        memoryLimitBytes: 400n,
        memoryReservedBytes: 100n,
        memoryUsedBytes: 60n,
        resourceManagerId: 'r1',
        synced: true,
      });
    });

    it('a worker that falls silent is suspected after 2.5 s, and gone after its lease', async () => {
      await stage.announce('w1');
      await stage.announce('w2');
      const states = async () => {
        const { nodes } = await stage.discovery.listNodes({ role: NodeRole.WORKER });
        return nodes.map(({ announcement, state }) => `${announcement?.nodeId} ${NodeState[state]}`);
      };
      for (let sequence = 1; sequence <= 3; sequence++) {
        await stage.pass(1_000);
        await stage.worker('w2', sequence);
      }
      expect(await states()).toEqual(['w1 SUSPECT', 'w2 ACTIVE']);
      for (let sequence = 4; sequence <= 11; sequence++) {
        await stage.pass(1_000);
        await stage.worker('w2', sequence);
      }
      expect(await states()).toEqual(['w2 ACTIVE']);
    });

    it('the queries of a coordinator that is gone have failed, and say why', async () => {
      const session = { user: 'alice' };
      await stage.coordinator('c1', 1, { queries: [query('q1', QueryState.RUNNING, { session, waitReason: {} })] });
      await stage.pass(10_400);
      const { query: lost } = await stage.cluster.getQuery({ queryId: 'q1' });
      expect(lost).toMatchObject({
        state: QueryState.FAILED,
        session: { user: 'alice' },
        error: {
          reason: 'COORDINATOR_GONE',
          message: 'coordinator c1 is gone; the query was RUNNING when it was last heard',
          retriable: true,
        },
      });
      expect(lost?.waitReason).toBeUndefined();
      const failed = await stage.cluster.listQueries({ states: [QueryState.FAILED] });
      expect(failed.queries.map(({ queryId }) => queryId)).toEqual(['q1']);
      expect((await stage.cluster.listQueries({ states: [QueryState.RUNNING] })).queries).toEqual([]);
      await stage.coordinator('c1', 2, { queries: [query('q1', QueryState.RUNNING)] });
      expect((await stage.cluster.getQuery({ queryId: 'q1' })).query?.state).toBe(QueryState.RUNNING);
    });

    it('a coordinator that says good-bye leaves no counts and no running queries behind', async () => {
      await stage.announce('c1');
      await stage.coordinator('c1', 1, { groups: [counts('global', 2)], queries: [query('q1', QueryState.RUNNING)] });
      const announcement = {
        nodeId: 'c1',
        role: NodeRole.COORDINATOR,
        incarnation: 1n,
        version: 2n,
        state: NodeState.GONE,
      };
      await stage.discovery.depart({ announcement });
      await stage.pass(400);
      expect((await stage.groups.getUsage({})).groups).toEqual([]);
      expect((await stage.cluster.getQuery({ queryId: 'q1' })).query?.error?.reason).toBe('COORDINATOR_GONE');
      await stage.coordinator('c1', 2, { groups: [counts('global', 2)] });
      expect((await stage.groups.getUsage({})).groups).toEqual([]);
    });

    it('a query that nobody has heard of is not found; wrong pages are refused', async () => {
      expect(await failure(stage.cluster.getQuery({ queryId: 'q9' }))).toMatchObject({
        code: Code.NotFound,
        reason: 'QUERY_NOT_FOUND',
      });
      for (const wrong of [{ pageSize: -1 }, { pageToken: 'x' }]) {
        expect(await failure(stage.cluster.listQueries(wrong))).toMatchObject({ reason: 'INVALID_ARGUMENT' });
      }
    });

    it('counts nodes, queries, reports and questions', async () => {
      await stage.announce('w1');
      await stage.coordinator('c1', 1, { queries: [query('q1', QueryState.RUNNING)] });
      await stage.groups.getUsage({});
      const { text } = await stage.metrics.expose();
      expect(text).toContain('tutti_nodes{node_role="worker",state="ACTIVE"} 1');
      expect(text).toContain('tutti_cluster_queries{state="RUNNING"} 1');
      expect(text).toContain('tutti_usage_questions_total{outcome="answered"} 1');
      expect(text).toMatch(/tutti_heartbeat_age_seconds\{reporter="c1"\} 0/);
      expect(text).toContain('tutti_resource_manager_synced 1');
    });
  });
});
