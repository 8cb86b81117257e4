import { Code } from '@connectrpc/connect';
import { ResultFormat } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import { Listening, oneGroup, TestCluster } from './testing/test-cluster.js';

describe('ExecuteQuery', () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.stop());

  test('streams states, columns, rows and the end, and frees the slot', async () => {
    const worker = cluster.worker('w1');
    const { client, dispatcher, status } = cluster.coordinator('c1', 'aaaaa');
    await cluster.meet();
    const heard = new Listening(client, { statement: 'rows 3', session: { user: 'ada' } });
    await cluster.until(() => heard.over);
    expect(heard.error).toBeUndefined();
    expect(heard.states.at(0)).toBe('QUEUED');
    expect(heard.states.at(-1)).toBe('FINISHED');
    expect(heard.events.filter(({ case: kind }) => kind === 'columns')).toHaveLength(1);
    expect(heard.rowCount).toBe(3);
    expect(heard.last).toMatchObject({
      resourceGroup: 'global',
      coordinatorId: 'c1',
      session: { user: 'ada', catalog: 'demo', schema: 'main' },
      stats: { rows: 3n, resultBytes: 12n, workerIds: ['w1'], memoryBytes: 0n },
    });
    expect(heard.last?.queryId).toMatch(/_aaaaa$/);
    expect(worker.created).toEqual([`${heard.last?.queryId}.0.0`]);
    expect(dispatcher.queries().size).toBe(0);
    expect((status().value as { groups: unknown[] }).groups).toEqual([]);
  });

  test('sends the lines as they are when JSON lines are asked for', async () => {
    cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    await cluster.meet();
    const heard = new Listening(client, { statement: 'rows 2', resultFormat: ResultFormat.JSON_LINES });
    await cluster.until(() => heard.over);
    const lines = heard.events.flatMap((event) => (event.case === 'jsonLines' ? [event.value] : []));
    expect(Buffer.concat(lines).toString()).toBe('[0]\n[1]\n');
  });

  test('a setting is answered to the client, which sends it with the statements after it', async () => {
    cluster.worker('w1');
    const { client, planner } = cluster.coordinator('c1', 'aaaaa', oneGroup(0));
    const set = new Listening(client, { statement: 'SET SESSION Distribution = SINGLE' });
    await cluster.until(() => set.over);
    expect(set.error).toBeUndefined();
    expect(set.last).toMatchObject({ resourceGroup: '', setSession: { distribution: 'single' }, resetSession: [] });
    expect(planner.planned).toEqual([]);
    const properties = { ...set.last?.setSession };
    const shown = new Listening(client, {
      statement: "show session like 'distribution'",
      session: { properties },
      resultFormat: ResultFormat.JSON_LINES,
    });
    await cluster.until(() => shown.over);
    const lines = shown.events.flatMap((event) => (event.case === 'jsonLines' ? [event.value] : []));
    expect(Buffer.concat(lines).toString()).toMatch(/^\["distribution","single","auto",/);
    expect(shown.last?.setSession).toEqual({});
    const reset = new Listening(client, { statement: 'reset session distribution', session: { properties } });
    await cluster.until(() => reset.over);
    expect(reset.last).toMatchObject({ setSession: {}, resetSession: ['distribution'] });
  });

  test('an unknown setting is refused before there is a query', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 1', session: { properties: { adaptve: 'true' } } });
    await cluster.until(() => heard.over);
    expect(heard.events).toEqual([]);
    expect(readRpcError(heard.error)).toMatchObject({
      code: Code.InvalidArgument,
      reason: 'INVALID_ARGUMENT',
      message: expect.stringContaining('Did you mean "adaptive"?'),
    });
  });

  test('what the coordinator answers itself does not come as Parquet', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'show catalogs', resultFormat: ResultFormat.PARQUET });
    await cluster.until(() => heard.over);
    expect(readRpcError(heard.error)).toMatchObject({ code: Code.Unimplemented, reason: 'NOT_SUPPORTED' });
  });

  test('a typo fails with its place and never meets the group', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const heard = new Listening(client, { statement: 'typo' });
    await cluster.until(() => heard.over);
    expect(heard.states).toEqual(['QUEUED', 'FAILED']);
    expect(heard.last).toMatchObject({ resourceGroup: '', error: { reason: 'SYNTAX_ERROR', line: 1, column: 1 } });
    expect(readRpcError(heard.error)).toMatchObject({
      code: Code.InvalidArgument,
      reason: 'SYNTAX_ERROR',
      metadata: { line: '1', column: '1' },
    });
    expect(cluster.resourceManager.asked).toBe(0);
  });

  test('what the coordinator knows itself needs no group and no worker', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(0));
    const heard = new Listening(client, { statement: 'show catalogs' });
    await cluster.until(() => heard.over);
    expect(heard.error).toBeUndefined();
    expect(heard.rowCount).toBe(2);
    expect(heard.last).toMatchObject({ resourceGroup: '', stats: { rows: 2n } });
  });

  test('a query that waits says why, and starts when the other one ends', async () => {
    const worker = cluster.worker('w1');
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const c2 = cluster.coordinator('c2', 'bbbbb', oneGroup(1));
    const first = new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => worker.created.length === 1, 10);
    const second = new Listening(c2.client, { statement: 'rows 1' });
    await cluster.until(() => second.last?.waitReason?.runningElsewhere === 1, 10);
    expect(second.last?.waitReason).toMatchObject({ blockingGroup: 'global', hardConcurrencyLimit: 1, runningHere: 0 });
    expect(second.last?.waitReason?.message).toContain(
      'waits in "global": 1 of 1 slots are held, 0 here and 1 on other coordinators',
    );
    expect(worker.created).toHaveLength(1);
    worker.end('finish');
    await cluster.until(() => first.over && second.over, 10);
    expect(second.states.at(-1)).toBe('FINISHED');
    expect(second.last?.queued?.nanos).toBeGreaterThan(0);
    expect(second.last?.waitReason).toBeUndefined();
  });

  test('a query that waits long hears now and then how old the data is', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const first = new Listening(client, { statement: 'hold' });
    await cluster.until(() => worker.created.length === 1, 10);
    const second = new Listening(client, { statement: 'rows 1' });
    await cluster.until(() => second.last?.waitReason !== undefined, 10);
    const told = second.states.length;
    await cluster.clock.advance(10_000);
    expect(second.states.length - told).toBeGreaterThanOrEqual(4);
    expect(second.states.length - told).toBeLessThanOrEqual(6);
    first.leave();
    await cluster.until(() => second.over, 10);
  });

  test('a full queue rejects with the name of the group', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1, 0));
    const first = new Listening(client, { statement: 'hold' });
    await cluster.until(() => worker.created.length === 1, 10);
    const second = new Listening(client, { statement: 'rows 1' });
    await cluster.until(() => second.over, 10);
    expect(readRpcError(second.error)).toMatchObject({
      code: Code.ResourceExhausted,
      reason: 'QUERY_QUEUE_FULL',
      message: expect.stringMatching(
        /^Too many queued queries for "global": its maxQueued is 0, so nothing may wait there\./,
      ),
    });
    expect(first.over).toBe(false);
    first.leave();
  });

  test('canceling a queued query ends it at once and takes no slot', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const first = new Listening(client, { statement: 'hold' });
    await cluster.until(() => worker.created.length === 1, 10);
    const second = new Listening(client, { statement: 'rows 1' });
    await cluster.until(() => second.last?.resourceGroup === 'global' && second.last.waitReason !== undefined, 10);
    const { query } = await client.cancelQuery({ queryId: second.last?.queryId ?? '', reason: 'not needed' });
    expect(query?.error).toMatchObject({ reason: 'USER_CANCELED', message: 'The query was canceled: not needed' });
    await cluster.until(() => second.over);
    expect(second.states.at(-1)).toBe('CANCELED');
    expect(second.error?.code).toBe(Code.Canceled);
    worker.end('finish');
    await cluster.until(() => first.over);
    expect(worker.created).toHaveLength(1);
  });

  test('canceling a running query stops its task, and canceling again is no error', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'hold' });
    await cluster.until(() => heard.states.includes('RUNNING'), 10);
    const queryId = heard.last?.queryId ?? '';
    await client.cancelQuery({ queryId });
    await cluster.until(() => heard.over);
    expect(heard.states.at(-1)).toBe('CANCELED');
    expect(worker.tasks.size).toBe(0);
    expect((await client.cancelQuery({ queryId })).query?.error?.reason).toBe('USER_CANCELED');
  });

  test('a client that leaves cancels its query', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 1 hold' });
    await cluster.until(() => heard.rowCount === 1, 10);
    const queryId = heard.last?.queryId ?? '';
    heard.leave();
    await cluster.until(() => worker.tasks.size === 0);
    const { query } = await client.getQuery({ queryId });
    expect(query?.error).toMatchObject({ reason: 'USER_CANCELED', message: 'The client left before the query ended.' });
  });

  test('the time limit counts from the admission and ends the query', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'hold', timeLimit: { seconds: 2n, nanos: 0 } });
    await cluster.until(() => heard.states.includes('RUNNING'), 10);
    await cluster.clock.advance(1_500);
    expect(heard.over).toBe(false);
    await cluster.clock.advance(500);
    await cluster.until(() => heard.over);
    expect(readRpcError(heard.error)).toMatchObject({ code: Code.DeadlineExceeded, reason: 'EXCEEDED_TIME_LIMIT' });
    expect(heard.error?.rawMessage).toContain('time limit of 2.00s');
    expect(worker.tasks.size).toBe(0);
  });

  test('a client that reads nothing stops the worker after a few batches', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const leaving = new AbortController();
    const request = { statement: 'big 100', resultFormat: ResultFormat.JSON_LINES };
    const stream = client.executeQuery(request, { signal: leaving.signal })[Symbol.asyncIterator]();
    await stream.next();
    await cluster.until(() => worker.batchesSent > 0, 1);
    for (let turn = 0; turn < 50; turn++) await cluster.clock.advance(10);
    expect(worker.batchesSent).toBeLessThan(20);
    leaving.abort();
    await cluster.until(() => worker.tasks.size === 0, 10);
  });

  test.each([
    ['no statement', { statement: '  ' }, 'EMPTY_STATEMENT'],
    ['two megabytes', { statement: 'x'.repeat(2 << 20) }, 'QUERY_TEXT_TOO_LARGE'],
    ['a long user', { statement: 'rows 1', session: { user: 'u'.repeat(300) } }, 'INVALID_ARGUMENT'],
    ['an unknown catalog', { statement: 'rows 1', session: { catalog: 'dema' } }, 'CATALOG_NOT_FOUND'],
    ['an unknown schema', { statement: 'rows 1', session: { schema: 'man' } }, 'SCHEMA_NOT_FOUND'],
    ['a time limit of nothing', { statement: 'rows 1', timeLimit: { seconds: 0n, nanos: 0 } }, 'INVALID_ARGUMENT'],
    ['an unknown format', { statement: 'rows 1', resultFormat: 9 as ResultFormat }, 'INVALID_ARGUMENT'],
  ])('%s is refused before it becomes a query', async (_name, request, reason) => {
    const { client, dispatcher, planner } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, request);
    await cluster.until(() => heard.over);
    expect(readRpcError(heard.error).reason).toBe(reason);
    expect(heard.events).toEqual([]);
    expect(dispatcher.queries().size).toBe(0);
    expect(planner.planned).toEqual([]);
  });

  test('the nearest catalog is named', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 1', session: { catalog: 'dema' } });
    await cluster.until(() => heard.over);
    expect(heard.error?.rawMessage).toBe('Catalog "dema" does not exist. Did you mean "demo"?');
  });
});
