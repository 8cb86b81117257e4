import { Code } from '@connectrpc/connect';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import { drainCoordinator } from './drain.js';
import { Listening, TestCluster } from './testing/test-cluster.js';

describe('draining a coordinator', () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.stop());

  function drain(
    { dispatcher, submitted, log }: ReturnType<TestCluster['coordinator']>,
    steps: string[],
    graceMs = 30_000,
  ) {
    let over = false;
    void drainCoordinator({
      server: {
        setReady: (ready) => steps.push(`ready=${ready}`),
        drain: async () => void steps.push('server drained'),
      },
      presence: { setState: (state) => steps.push(state), depart: async () => void steps.push('departed') },
      dispatcher,
      submitted,
      sendReport: () => steps.push('reported'),
      announceDelayMs: 1_000,
      graceMs,
      clock: cluster.clock,
      log,
    }).then(() => (over = true));
    return { isOver: () => over };
  }

  test('says so first, takes no new queries, waits for those it holds, reports, and says good-bye', async () => {
    const worker = cluster.worker('w1');
    const c1 = cluster.coordinator('c1', 'aaaaa');
    const running = new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => running.states.includes('RUNNING'), 1);
    const steps: string[] = [];
    const { isOver } = drain(c1, steps);
    const late = new Listening(c1.client, { statement: 'rows 1' });
    await cluster.until(() => late.over, 1);
    expect(late.error).toBeUndefined(); // Others may not have heard of the drain yet.

    await cluster.clock.advance(1_000);
    const refused = new Listening(c1.client, { statement: 'rows 1' });
    await cluster.until(() => refused.over, 1);
    expect(readRpcError(refused.error)).toMatchObject({
      code: Code.Unavailable,
      reason: 'COORDINATOR_DRAINING',
      retryAfterMs: 1_000,
      neverProcessed: true,
    });
    expect(steps).toEqual(['ready=false', 'DRAINING']);
    expect(running.over).toBe(false);
    worker.end('finish');
    await cluster.until(isOver, 10);
    expect(running.error).toBeUndefined();
    expect(steps).toEqual(['ready=false', 'DRAINING', 'reported', 'departed', 'server drained']);
  });

  test('what outlives the grace ends with COORDINATOR_DRAINING, and its task stops', async () => {
    const worker = cluster.worker('w1');
    const c1 = cluster.coordinator('c1', 'aaaaa');
    const running = new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => running.states.includes('RUNNING'), 1);
    const { isOver } = drain(c1, [], 5_000);
    await cluster.until(isOver, 500);
    await cluster.until(() => running.over);
    expect(readRpcError(running.error)).toMatchObject({ code: Code.Unavailable, reason: 'COORDINATOR_DRAINING' });
    expect(running.last?.state).toBe(QueryState.FAILED);
    expect(worker.tasks.size).toBe(0);
  });

  test('results that nobody fetches do not hold it up', async () => {
    cluster.worker('w1');
    const c1 = cluster.coordinator('c1', 'aaaaa');
    const { query } = await c1.client.submitQuery({ statement: 'rows 1' });
    await cluster.until(() => c1.dispatcher.find(query?.queryId ?? '')?.state === 'finishing', 1);
    const startedAt = cluster.clock.now();
    const { isOver } = drain(c1, []);
    await cluster.until(isOver, 100);
    expect(cluster.clock.now() - startedAt).toBeLessThan(7_000);
    expect((await c1.client.getQuery({ queryId: query?.queryId ?? '' })).query?.error?.reason).toBe('ABANDONED_QUERY');
  });
});
