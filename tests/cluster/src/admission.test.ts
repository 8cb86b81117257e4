import { QueryState, WaitKind } from '@tutti/contracts/tutti/query/v1/query_pb';
import {
  type BackgroundQuery,
  connect,
  ENDLESS,
  eventually,
  type QueryClient,
  runningTasks,
  startCluster,
  startQuery,
  type TestCluster,
} from './harness.js';

const ONE_AT_A_TIME = {
  rootGroups: [{ name: 'global', hardConcurrencyLimit: 1, maxQueued: 10, schedulingPolicy: 'fair' }],
  selectors: [{ group: 'global' }],
};

const isRunning = (info: { state: QueryState }) => info.state === QueryState.RUNNING;

describe('a group that may run one query, over two coordinators', () => {
  let test: TestCluster;
  let clients: QueryClient[];
  beforeAll(async () => {
    test = await startCluster({ groups: ONE_AT_A_TIME });
    clients = [connect(test.cluster.url(1)), connect(test.cluster.url(2))];
  }, 120_000);
  afterAll(async () => {
    clients?.forEach((client) => client.close());
    await test?.close();
  }, 60_000);

  it('runs the first; the second waits, says why, and starts when the first ends', async () => {
    const [one, two] = clients as [QueryClient, QueryClient];
    const first = await startQuery(one, { statement: ENDLESS });
    const firstEnds = expect(first.result).rejects.toThrow(/make room/);
    await first.until(isRunning);

    const second = await startQuery(two, { statement: 'SELECT 2 AS two' });
    const waiting = await second.until((info) => info.waitReason?.kind === WaitKind.CONCURRENCY_LIMIT);
    expect(waiting.waitReason).toMatchObject({
      blockingGroup: 'global',
      hardConcurrencyLimit: 1,
      runningHere: 0,
      runningElsewhere: 1,
    });
    expect(waiting.waitReason?.message).toMatch(/"global"/);

    await one.cancelQuery({ queryId: first.id, reason: 'make room' });
    await firstEnds;
    expect((await second.result).rows).toEqual([[2]]);
  }, 60_000);

  it('a burst on both coordinators at the same moment never runs two, as the workers count', async () => {
    const statement = 'SELECT count(*) AS n FROM range(30000000) AS a(i) WHERE hash(i) % 7 = 3';
    const queries = await Promise.all(
      [0, 1, 2, 3, 4, 5, 6, 7].map((index) => startQuery(clients[index % 2] as QueryClient, { statement })),
    );
    let peak = 0;
    let open = queries.length;
    for (const query of queries) void query.result.finally(() => open--).catch(() => undefined);
    await eventually('all queries end', 60_000, async () => {
      peak = Math.max(peak, await runningTasks(test));
      return open === 0 ? true : undefined;
    });
    await Promise.all(queries.map((query) => query.result));
    expect(peak).toBe(1);
  }, 120_000);

  it('a coordinator that was frozen, and whose slot was given away, runs its query again only when there is a slot', async () => {
    const [one, two] = clients as [QueryClient, QueryClient];
    const frozen = test.cluster.node('coordinator-2');
    const first = await startQuery(two, { statement: ENDLESS });
    const firstEnds = expect(first.result).rejects.toThrow(/over/);
    await first.until(isRunning);
    const second = await startQuery(one, { statement: ENDLESS });
    const secondEnds = expect(second.result).rejects.toThrow(/over/);
    frozen.signal('SIGSTOP');
    // The workers give the coordinator up, its lease ends, they show that nothing of it runs, and the slot is free.
    await second.until(isRunning);
    frozen.signal('SIGCONT');
    const running = (query: BackgroundQuery) => runningTasks(test, ({ queryId }) => queryId === query.id);
    await eventually('the first one says that its lease is over', 20_000, async () => {
      expect(await running(first)).toBe(0);
      const { query } = await two.getQuery({ queryId: first.id });
      return query?.waitReason?.message.includes('lease was over') ? true : undefined;
    });
    expect(await running(second)).toBe(1);
    await one.cancelQuery({ queryId: second.id, reason: 'over' });
    await secondEnds;
    await eventually('the first one runs again', 10_000, async () => ((await running(first)) === 1 ? true : undefined));
    await two.cancelQuery({ queryId: first.id, reason: 'over' });
    await firstEnds;
  }, 120_000);

  it('refuses a query when the queue is full, in the words that Presto uses', async () => {
    const [one] = clients as [QueryClient, QueryClient];
    const running = await startQuery(one, { statement: ENDLESS });
    const ends = [expect(running.result).rejects.toThrow(/over/)];
    await running.until(isRunning);
    const waiting = await Promise.all(Array.from({ length: 10 }, () => startQuery(one, { statement: ENDLESS })));
    ends.push(...waiting.map((query) => expect(query.result).rejects.toThrow(/over/)));
    await expect(startQuery(one, { statement: 'SELECT 1' }).then((query) => query.result)).rejects.toThrow(
      'Too many queued queries for "global"',
    );
    for (const query of [...waiting, running]) await one.cancelQuery({ queryId: query.id, reason: 'over' });
    await Promise.all(ends);
  }, 60_000);
});
