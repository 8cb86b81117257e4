import { Code } from '@connectrpc/connect';
import type { FetchResultsResponse } from '@tutti/contracts/tutti/query/v1/query_pb';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import { TestCluster } from './testing/test-cluster.js';

const errorOf = (call: Promise<unknown>) => call.then(() => undefined, readRpcError);
const numbersOf = ({ rows }: FetchResultsResponse) =>
  rows.map(({ values }) => (values[0]?.kind.case === 'numberValue' ? values[0].kind.value : undefined));

describe('SubmitQuery and FetchResults', () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.stop());

  /** Lets time pass until a call is answered. */
  const answer = async <T>(call: Promise<T>, stepMs = 10): Promise<T> => {
    let over = false;
    const done = () => (over = true);
    call.then(done, done);
    await cluster.until(() => over, stepMs);
    return call;
  };

  test('the rows come page by page; the same page may be asked again until the next one has been asked', async () => {
    cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const { query } = await client.submitQuery({ statement: 'big 12' });
    expect(query?.state).toBe(QueryState.QUEUED);
    const queryId = query?.queryId ?? '';
    const first = await answer(client.fetchResults({ queryId }));
    expect(first.columns).toMatchObject([{ name: 'n', type: 'INTEGER' }]);
    expect(first.rows.length).toBeGreaterThan(0);
    expect((await answer(client.fetchResults({ queryId }))).rows).toEqual(first.rows);

    let rowCount = first.rows.length;
    let page = first;
    let tokens = 0;
    while (page.nextPageToken !== '') {
      const pageToken = page.nextPageToken;
      page = await answer(client.fetchResults({ queryId, pageToken }));
      rowCount += page.rows.length;
      tokens++;
    }
    expect(rowCount).toBe(12);
    expect(tokens).toBeGreaterThan(1);
    expect(page.query?.state).toBe(QueryState.FINISHED);
    expect(await errorOf(answer(client.fetchResults({ queryId })))).toMatchObject({
      code: Code.InvalidArgument,
      reason: 'INVALID_ARGUMENT',
    });
  });

  test('a small result is one page, and the query has ended with it', async () => {
    cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const queryId = (await client.submitQuery({ statement: 'rows 3' })).query?.queryId ?? '';
    const page = await answer(client.fetchResults({ queryId }), 1);
    expect(numbersOf(page)).toHaveLength(3);
    expect(page).toMatchObject({ nextPageToken: '', query: { state: QueryState.FINISHED } });
  });

  test('a client that goes on while there is a token gets the rows of a query that had to wait', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const queryId = (await client.submitQuery({ statement: 'rows 3' })).query?.queryId ?? '';
    const early = await answer(client.fetchResults({ queryId, maxWait: { seconds: 1n, nanos: 0 } }));
    expect([early.rows.length, early.nextPageToken]).toEqual([0, '0']);
    cluster.worker('w1');
    let rowCount = 0;
    for (let pageToken = early.nextPageToken; pageToken !== '';) {
      const page = await answer(client.fetchResults({ queryId, pageToken }));
      rowCount += page.rows.length;
      pageToken = page.nextPageToken;
    }
    expect(rowCount).toBe(3);
  });

  test('the last page may be asked again after the end, for a while', async () => {
    cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const queryId = (await client.submitQuery({ statement: 'rows 3' })).query?.queryId ?? '';
    let page = await answer(client.fetchResults({ queryId }));
    while (page.nextPageToken !== '') {
      page = await answer(client.fetchResults({ queryId, pageToken: page.nextPageToken }));
    }
    const again = () => client.fetchResults({ queryId, pageToken: page.rows.length === 3 ? '' : '1' });
    expect((await answer(again())).rows).toEqual(page.rows);
    await cluster.clock.advance(61_000);
    expect(await errorOf(again())).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    expect((await client.getQuery({ queryId })).query?.state).toBe(QueryState.FINISHED);
  });

  test('a page that has nothing to return comes back empty after max_wait, with the same token', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const queryId = (await client.submitQuery({ statement: 'rows 2 hold' })).query?.queryId ?? '';
    const first = await answer(client.fetchResults({ queryId }));
    expect(numbersOf(first)).toEqual([0, 1]);
    const askedAt = cluster.clock.now();
    const request = { queryId, pageToken: first.nextPageToken, maxWait: { seconds: 2n, nanos: 0 } };
    const empty = await answer(client.fetchResults(request), 100);
    expect(empty.rows).toEqual([]);
    expect(empty.nextPageToken).toBe(first.nextPageToken);
    expect(cluster.clock.now() - askedAt).toBeGreaterThanOrEqual(2_000);
    worker.end('finish');
    const last = await answer(client.fetchResults(request), 100);
    expect(last).toMatchObject({ rows: [], nextPageToken: '' });
  });

  test('two who ask for the same page at the same time get the same page', async () => {
    cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const queryId = (await client.submitQuery({ statement: 'rows 2' })).query?.queryId ?? '';
    const pages = await answer(Promise.all([client.fetchResults({ queryId }), client.fetchResults({ queryId })]));
    expect(pages.map(numbersOf)).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test('the failure of the query is the failure of the call', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const queryId = (await client.submitQuery({ statement: 'typo' })).query?.queryId ?? '';
    expect(await errorOf(answer(client.fetchResults({ queryId })))).toMatchObject({ reason: 'SYNTAX_ERROR' });
    await cluster.clock.advance(120_000);
    expect(await errorOf(client.fetchResults({ queryId }))).toMatchObject({ reason: 'SYNTAX_ERROR' });
  });

  test('a query that nobody asks for is canceled after the client timeout', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const queryId = (await client.submitQuery({ statement: 'hold' })).query?.queryId ?? '';
    await cluster.until(() => worker.tasks.size === 1, 1);
    await cluster.clock.advance(200_000);
    await answer(client.fetchResults({ queryId }), 1_000);
    await cluster.clock.advance(299_000);
    expect((await client.getQuery({ queryId })).query?.state).toBe(QueryState.RUNNING);
    await cluster.clock.advance(2_000);
    expect((await client.getQuery({ queryId })).query).toMatchObject({
      state: QueryState.CANCELED,
      error: { reason: 'ABANDONED_QUERY' },
    });
    await cluster.until(() => worker.tasks.size === 0);
  });

  test('results that nobody fetches hold the worker back', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    await client.submitQuery({ statement: 'big 100' });
    await cluster.until(() => worker.batchesSent > 3, 1);
    for (let turn = 0; turn < 50; turn++) await cluster.clock.advance(10);
    expect(worker.batchesSent).toBeLessThan(20);
  });

  test('rows of an ExecuteQuery stream cannot be fetched beside it', async () => {
    const worker = cluster.worker('w1');
    const { client, dispatcher } = cluster.coordinator('c1', 'aaaaa');
    const leaving = new AbortController();
    const stream = client.executeQuery({ statement: 'hold' }, { signal: leaving.signal })[Symbol.asyncIterator]();
    await stream.next();
    await cluster.until(() => worker.tasks.size === 1, 1);
    const [live] = dispatcher.queries();
    expect(await errorOf(client.fetchResults({ queryId: live?.queryId ?? '' }))).toMatchObject({
      message: 'The results of the query go to the stream of its ExecuteQuery call.',
    });
    leaving.abort();
  });
});
