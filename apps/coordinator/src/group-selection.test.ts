import { Code } from '@connectrpc/connect';
import { readRpcError } from '@tutti/service';
import { db1Groups } from './testing/db1-groups.js';
import { groupsOf, Listening, oneGroup, TestCluster } from './testing/test-cluster.js';

const leaf = (name: string, more: object = {}) => ({ name, hardConcurrencyLimit: 100, maxQueued: 100, ...more });

describe('the group of a query', () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
    cluster.worker('w1');
  });
  afterEach(() => cluster.stop());

  const groupOf = async (
    client: ConstructorParameters<typeof Listening>[0],
    session: NonNullable<ConstructorParameters<typeof Listening>[1]['session']>,
  ) => {
    const heard = new Listening(client, { statement: 'rows 1', session });
    await cluster.until(() => heard.over, 1);
    return heard.error ? readRpcError(heard.error).reason : heard.last?.resourceGroup;
  };

  test('is found by all that the session says', async () => {
    const names = ['principal', 'info', 'tags', 'schema', 'large', 'rest'];
    const { client } = cluster.coordinator(
      'c1',
      'aaaaa',
      groupsOf({
        rootGroups: names.map((name) => leaf(name)),
        selectors: [
          { principal: '.*@ops', group: 'principal' },
          { clientInfo: 'nightly.*', group: 'info' },
          { clientTags: ['a', 'b'], group: 'tags' },
          { selectorResourceEstimate: { peakMemory: { min: '1GB' } }, group: 'large' },
          { source: 'reports', schema: 'MAIN', queryType: 'select', group: 'schema' },
          { user: '.*', group: 'rest' },
        ],
      }),
    );
    expect(await groupOf(client, { principal: 'ada@ops' })).toBe('principal');
    expect(await groupOf(client, { clientInfo: 'nightly 7' })).toBe('info');
    expect(await groupOf(client, { clientTags: ['c', 'b', 'a'] })).toBe('tags');
    expect(await groupOf(client, { clientTags: ['a'] })).toBe('rest');
    expect(await groupOf(client, { estimates: { peakMemoryBytes: 2n << 30n } })).toBe('large');
    expect(await groupOf(client, { source: 'reports', schema: 'main' })).toBe('schema');
  });

  test('the default schema of the coordinator is no schema of the session', async () => {
    const { client } = cluster.coordinator(
      'c1',
      'aaaaa',
      groupsOf({
        rootGroups: [leaf('s-${SCHEMA}'), leaf('other')],
        selectors: [{ schema: 'elsewhere', group: 'other' }, { group: 's-${SCHEMA}' }],
      }),
    );
    expect(await groupOf(client, {})).toBe('other'); // As in Presto: a session without schema matches.
    expect(await groupOf(client, { schema: 'main' })).toBe('s-main');
  });

  test('DB-5: by tags, into groups that are made for the user', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa', db1Groups());
    expect(await groupOf(client, { user: 'user', clientTags: ['tag1'] })).toBe('global.bi-user');
    expect(await groupOf(client, { user: 'user', clientTags: ['tag1', 'tag2'] })).toBe('global.user-user.adhoc-user');
    expect(await groupOf(client, { user: 'alice.smith', source: 'test' })).toBe('global."bi-alice.smith"');
  });

  test('DB-3: a group where nothing may run or wait turns everybody away', async () => {
    const closed = leaf('closed', { hardConcurrencyLimit: 0, maxQueued: 0 });
    const config = groupsOf({
      rootGroups: [closed, leaf('open')],
      selectors: [{ group: 'closed' }, { group: 'open' }],
    });
    const { client } = cluster.coordinator('c1', 'aaaaa', config);
    expect(await groupOf(client, {})).toBe('QUERY_QUEUE_FULL');
  });

  test('a query that no selector takes is told so', async () => {
    const config = groupsOf({ rootGroups: [leaf('a')], selectors: [{ user: 'root', group: 'a' }] });
    const { client } = cluster.coordinator('c1', 'aaaaa', config);
    const heard = new Listening(client, { statement: 'rows 1', session: { user: 'ada', source: 'cli' } });
    await cluster.until(() => heard.over, 1);
    const { code, reason, message } = readRpcError(heard.error);
    expect({ code, reason }).toEqual({ code: Code.FailedPrecondition, reason: 'MISSING_RESOURCE_GROUP_SELECTOR' });
    expect(message).toMatch(/^Query did not match any selection rule: no selector .* user "ada" with source "cli"\./);
  });

  test('a group that cannot be made of what the session says is a failure of that query', async () => {
    const config = groupsOf({
      rootGroups: [leaf('t-${team}')],
      selectors: [{ source: 'reports(-(?<team>[a-z]+))?', group: 't-${team}' }],
    });
    const { client } = cluster.coordinator('c1', 'aaaaa', config);
    expect(await groupOf(client, { source: 'reports-eu' })).toBe('t-eu');
    const heard = new Listening(client, { statement: 'rows 1', session: { source: 'reports' } });
    await cluster.until(() => heard.over, 1);
    expect(readRpcError(heard.error)).toMatchObject({
      code: Code.FailedPrecondition,
      reason: 'INVALID_RESOURCE_GROUP',
      message: expect.stringMatching(/cannot be made: unresolved variable 'team' in .* \(selector 1\)\./),
    });
  });

  test('there are at most maxGroups of a name with variables', async () => {
    const rootGroups = [leaf('u-${USER}', { maxGroups: 1, hardConcurrencyLimit: 0 })];
    const { client } = cluster.coordinator(
      'c1',
      'aaaaa',
      groupsOf({ rootGroups, selectors: [{ group: 'u-${USER}' }] }),
    );
    const first = new Listening(client, { statement: 'rows 1', session: { user: 'ada' } });
    await cluster.until(() => first.last?.waitReason !== undefined, 10);
    expect(await groupOf(client, { user: 'bob' })).toBe('TOO_MANY_RESOURCE_GROUPS');
    first.leave();
  });

  test('a query waits no longer than queueTimeout', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(0, 10, { queueTimeout: '30s' }));
    const heard = new Listening(client, { statement: 'rows 1' });
    await cluster.clock.advance(29_000);
    expect(heard.over).toBe(false);
    await cluster.until(() => heard.over, 100);
    expect(readRpcError(heard.error)).toMatchObject({
      code: Code.DeadlineExceeded,
      reason: 'EXCEEDED_QUEUED_TIME_LIMIT',
      message: expect.stringMatching(/^The query waited in "global" for 30\.00s, which is its queueTimeout/),
      retryAfterMs: 1_000,
    });
    expect(heard.last?.queued).toMatchObject({ seconds: 30n });
  });

  test('a group bounds the priority of its queries, and shows it', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1, 10, { queryPriority: { min: 2, max: 5 } }));
    for (const [asked, kept] of [
      [0, 2],
      [4, 4],
      [99, 5],
    ] as const) {
      const heard = new Listening(client, { statement: 'rows 1', session: { priority: asked } });
      await cluster.until(() => heard.over, 1);
      expect(heard.last).toMatchObject({ priority: kept, session: { priority: asked || 1 } });
    }
  });

  test('higher priorities go first where the group says so', async () => {
    const worker = cluster.workers.get('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1, 10, { schedulingPolicy: 'query_priority' }));
    const first = new Listening(client, { statement: 'hold' });
    await cluster.until(() => worker?.created.length === 1, 10);
    const queued = [1, 3, 2].map((priority) => new Listening(client, { statement: 'rows 1', session: { priority } }));
    await cluster.until(() => queued.every(({ last }) => last?.waitReason !== undefined), 10);
    const { queries } = await client.explainQueued({});
    expect(queries.map(({ priority }) => priority)).toEqual([3, 2, 1]);
    worker?.end('finish');
    await cluster.until(() => first.over && queued.every(({ over }) => over), 10);
    const order = (worker?.created ?? []).slice(1).map((taskId) => taskId.split('.')[0]);
    expect(order).toEqual([1, 2, 0].map((n) => queued[n]?.last?.queryId));
  });

  test('SelectResourceGroup says which group it would be and why, and runs nothing', async () => {
    const { groupClient, dispatcher } = cluster.coordinator('c1', 'aaaaa', db1Groups());
    const answer = await groupClient.selectResourceGroup({ user: 'ada', source: 'my dashboard' });
    expect(answer).toMatchObject({
      group: 'global.user-ada.dashboard-ada',
      template: 'global.user-${USER}.dashboard-${USER}',
      selector: 4,
      configVersion: 'v1',
    });
    expect(answer.reasons).toHaveLength(4);
    expect(await groupClient.selectResourceGroup({ user: 'ada' })).toMatchObject({ group: '', selector: 0 });
    const refused = groupClient.selectResourceGroup({ queryType: 'WISH' });
    await expect(refused.catch((error: unknown) => readRpcError(error).reason)).resolves.toBe('INVALID_ARGUMENT');
    expect(dispatcher.queries().size).toBe(0);
  });
});
