import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import { groupsOf, Listening, TestCluster, type TestCoordinator } from './testing/test-cluster.js';

const config = groupsOf({
  rootGroups: [
    {
      name: 'global',
      hardConcurrencyLimit: 1,
      maxQueued: 100,
      subGroups: [
        { name: 'adhoc', hardConcurrencyLimit: 1, maxQueued: 100 },
        { name: 'etl', hardConcurrencyLimit: 1, maxQueued: 100 },
      ],
    },
    { name: 'admin', hardConcurrencyLimit: 0, maxQueued: 100 },
  ],
  selectors: [{ user: 'root', group: 'admin' }, { source: 'airflow', group: 'global.etl' }, { group: 'global.adhoc' }],
});

describe('ExplainQueued', () => {
  let cluster: TestCluster;
  let c1: TestCoordinator;
  let c2: TestCoordinator;
  beforeEach(async () => {
    cluster = new TestCluster();
    const worker = cluster.worker('w1');
    c1 = cluster.coordinator('c1', 'aaaaa', config);
    c2 = cluster.coordinator('c2', 'bbbbb', config);
    new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => worker.created.length === 1, 10);
    // Three times one query at each coordinator, in turns; then one that nothing will ever start.
    for (const at of [c1, c2, c1, c2, c1, c2]) {
      await at.client.submitQuery({ statement: 'rows 1', session: { user: at.id } });
      await cluster.clock.advance(10);
    }
    await c2.client.submitQuery({ statement: 'rows 1', session: { source: 'airflow' } });
    await c1.client.submitQuery({ statement: 'rows 1', session: { user: 'root' } });
    await cluster.clock.advance(500);
  });
  afterEach(() => cluster.stop());

  test('lists who waits in the whole cluster, group by group, each with its reason', async () => {
    const { queries, nextPageToken, unreachableCoordinators } = await c2.client.explainQueued({});
    expect(queries.map(({ resourceGroup }) => resourceGroup)).toEqual([
      'admin',
      ...Array<string>(6).fill('global.adhoc'),
      'global.etl',
    ]);
    expect(queries.every(({ state, waitReason }) => state === QueryState.QUEUED && waitReason?.message !== '')).toBe(
      true,
    );
    expect(queries[0]?.waitReason).toMatchObject({ blockingGroup: 'admin', limit: 0n, used: 0n });
    expect(queries[1]?.waitReason).toMatchObject({ limit: 1n, used: 1n });
    expect([nextPageToken, unreachableCoordinators]).toEqual(['', []]);
    const adhoc = queries.filter(({ resourceGroup }) => resourceGroup === 'global.adhoc');
    for (const id of ['c1', 'c2']) {
      const own = adhoc.filter(({ coordinatorId }) => coordinatorId === id);
      expect(own.map(({ queryId }) => queryId)).toEqual(own.map(({ queryId }) => queryId).sort());
      expect(own).toHaveLength(3);
    }
  });

  test('pages hold each of them once', async () => {
    const whole = (await c1.client.explainQueued({})).queries.map(({ queryId }) => queryId);
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await c1.client.explainQueued({ pageSize: 3, pageToken });
      expect(page.queries.length).toBeLessThanOrEqual(3);
      seen.push(...page.queries.map(({ queryId }) => queryId));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual(whole);
  });

  test('shows one group and what is below it, or what one coordinator holds', async () => {
    const groupsBelow = async (group: string) =>
      (await c1.client.explainQueued({ group })).queries.map(({ resourceGroup }) => resourceGroup);
    expect(await groupsBelow('global')).toHaveLength(7);
    expect(await groupsBelow('global.etl')).toEqual(['global.etl']);
    expect(await groupsBelow('glob')).toEqual([]);
    const { queries } = await c1.client.explainQueued({ localOnly: true });
    expect(queries.map(({ coordinatorId }) => coordinatorId)).toEqual(Array(4).fill('c1'));
  });

  test('names the coordinators that do not answer', async () => {
    cluster.cut('c2');
    const { queries, unreachableCoordinators } = await c1.client.explainQueued({});
    expect(unreachableCoordinators).toEqual(['c2']);
    expect(queries).toHaveLength(4);
    expect(c1.log.events()).toContain('queued-incomplete');
  });

  test('a token of another list is refused', async () => {
    const refused = c1.client.explainQueued({ pageToken: 'l.12.q1' });
    await expect(refused.catch((error: unknown) => readRpcError(error))).resolves.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      message: 'page_token is not one that ExplainQueued has returned.',
    });
  });
});
