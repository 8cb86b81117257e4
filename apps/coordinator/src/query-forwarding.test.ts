import { Code, createClient } from '@connectrpc/connect';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { readRpcError } from '@tutti/service';
import type { FakeWorker } from './testing/fake-worker.js';
import { Listening, TestCluster, type TestCoordinator } from './testing/test-cluster.js';

const errorOf = (call: Promise<unknown>) => call.then(() => undefined, readRpcError);

describe('queries of another coordinator', () => {
  let cluster: TestCluster;
  let worker: FakeWorker;
  let c1: TestCoordinator;
  let c2: TestCoordinator;
  beforeEach(() => {
    cluster = new TestCluster();
    worker = cluster.worker('w1');
    c1 = cluster.coordinator('c1', 'aaaaa');
    c2 = cluster.coordinator('c2', 'bbbbb');
  });
  afterEach(() => cluster.stop());

  const startHolding = async (): Promise<{ heard: Listening; queryId: string }> => {
    const heard = new Listening(c1.client, { statement: `hold ${'x'.repeat(2_000)}`, session: { user: 'ada' } });
    await cluster.until(() => heard.states.includes('RUNNING'), 1);
    return { heard, queryId: heard.last?.queryId ?? '' };
  };

  test('any coordinator shows a query, with the whole statement', async () => {
    const { queryId } = await startHolding();
    const { query } = await c2.client.getQuery({ queryId });
    expect(query).toMatchObject({ queryId, coordinatorId: 'c1', state: QueryState.RUNNING });
    expect(query?.statement).toHaveLength(2_005);
  });

  test('any coordinator cancels a query', async () => {
    const { heard, queryId } = await startHolding();
    const { query } = await c2.client.cancelQuery({ queryId, reason: 'by the other one' });
    expect(query?.state).toBe(QueryState.CANCELED);
    await cluster.until(() => heard.over);
    expect(heard.last?.error?.message).toBe('The query was canceled: by the other one');
    expect(worker.tasks.size).toBe(0);
  });

  test('any coordinator fetches the results of a query', async () => {
    const queryId = (await c1.client.submitQuery({ statement: 'rows 2' })).query?.queryId ?? '';
    const call = c2.client.fetchResults({ queryId });
    let page: Awaited<typeof call> | undefined;
    void call.then((answer) => (page = answer));
    await cluster.until(() => page !== undefined, 1);
    expect(page?.rows).toHaveLength(2);
    const error = await errorOf(c2.client.fetchResults({ queryId, pageToken: '7' }));
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  test('any coordinator lists the queries of all, live ones first, with statements cut', async () => {
    const done = new Listening(c2.client, { statement: 'rows 1', session: { user: 'bob' } });
    await cluster.until(() => done.over, 1);
    const { queryId } = await startHolding();
    const { queries } = await c2.client.listQueries({});
    expect(queries.map((query) => query.queryId)).toEqual([queryId, done.last?.queryId]);
    expect(queries[0]?.statement).toHaveLength(1_000);
    const { queries: ofBob } = await c1.client.listQueries({ user: 'bob' });
    expect(ofBob.map(({ session }) => session?.user)).toEqual(['bob']);
    const { queries: finished } = await c1.client.listQueries({ states: [QueryState.FINISHED] });
    expect(finished.map((query) => query.queryId)).toEqual([done.last?.queryId]);
  });

  test('a list comes in pages, each query once', async () => {
    for (let n = 0; n < 5; n++) {
      const done = new Listening((n % 2 === 0 ? c1 : c2).client, { statement: 'rows 1' });
      await cluster.until(() => done.over, 1);
    }
    const first = await c1.client.listQueries({ pageSize: 2 });
    const second = await c1.client.listQueries({ pageSize: 2, pageToken: first.nextPageToken });
    const third = await c1.client.listQueries({ pageSize: 2, pageToken: second.nextPageToken });
    const ids = [first, second, third].flatMap(({ queries }) => queries.map(({ queryId }) => queryId));
    expect(new Set(ids).size).toBe(5);
    expect(third.nextPageToken).toBe('');
    expect(await errorOf(c1.client.listQueries({ pageToken: '%' }))).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    expect(await errorOf(c1.client.listQueries({ pageSize: -1 }))).toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  test('without a resource manager coordinators ask each other', async () => {
    const { queryId } = await startHolding();
    cluster.resourceManager.reachable = false;
    const { queries } = await c2.client.listQueries({});
    expect(queries.map((query) => query.queryId)).toEqual([queryId]);
    expect((await c2.client.getQuery({ queryId })).query?.state).toBe(QueryState.RUNNING);
  });

  test('a query of a coordinator that is gone has failed, and says that sending it again may help', async () => {
    const { queryId } = await startHolding();
    cluster.cut('c1');
    cluster.change('c1', 'gone');
    const { query } = await c2.client.getQuery({ queryId });
    expect(query).toMatchObject({ state: QueryState.FAILED, error: { reason: 'COORDINATOR_GONE', retriable: true } });
    expect((await c2.client.cancelQuery({ queryId })).query?.state).toBe(QueryState.FAILED);
    expect(await errorOf(c2.client.fetchResults({ queryId }))).toMatchObject({
      code: Code.Unavailable,
      reason: 'COORDINATOR_GONE',
    });
  });

  test('a coordinator that does not answer is not said to be gone: its query is shown as last reported', async () => {
    const { queryId } = await startHolding();
    cluster.cut('c1');
    expect((await c2.client.getQuery({ queryId })).query?.state).toBe(QueryState.RUNNING);
    expect(await errorOf(c2.client.cancelQuery({ queryId }))).toMatchObject({ reason: 'COORDINATOR_GONE' });
  });

  test('an unknown query is not found, wherever it is asked for', async () => {
    for (const queryId of [
      '',
      'nonsense',
      '20261122_151200_00001_bbbbb',
      '20261122_151200_00001_aaaaa',
      '20261122_151200_00001_zzzzz',
    ]) {
      expect(await errorOf(c2.client.getQuery({ queryId }))).toMatchObject({
        code: Code.NotFound,
        reason: 'QUERY_NOT_FOUND',
      });
    }
  });

  test('every list answers an empty request, and the cluster can be asked through a coordinator', async () => {
    expect((await c1.client.listQueries({})).queries).toEqual([]);
    const clusterClient = createClient(ClusterService, c1.transport);
    expect((await clusterClient.getCluster({})).resourceManagerId).toBe('rm');
    expect((await clusterClient.listQueries({})).queries).toEqual([]);
    const groups = createClient(ResourceGroupService, c1.transport);
    expect((await groups.listResourceGroups({})).groups).toHaveLength(1);
    // Who asks through a coordinator may look, and leaves no claims behind.
    const forged = { nodeId: 'c9', incarnation: 1n, sequence: 1n, groups: [{ group: 'global', running: 100 }] };
    expect((await groups.getUsage(forged)).resourceManagerId).toBe('rm');
    expect((await groups.getUsage({})).groups).toEqual([]);
    cluster.resourceManager.reachable = false;
    expect(await errorOf(clusterClient.getCluster({}))).toMatchObject({
      code: Code.Unavailable,
      reason: 'RESOURCE_MANAGERS_UNREACHABLE',
    });
  });
});
