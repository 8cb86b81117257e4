import { connect, eventually, type QueryClient, runQuery, startCluster, type TestCluster } from './harness.js';

/** Runs small queries on every coordinator, one after the other, until it is told to stop. Fails with the first failed query. */
function loopOfQueries(clients: readonly QueryClient[]) {
  let stopped = false;
  let completed = 0;
  const loops = clients.map(async (client) => {
    while (!stopped) {
      const { rows } = await runQuery(client, { statement: 'SELECT count(*)::INTEGER AS n FROM demo.airports' });
      expect(rows).toEqual([[3376]]);
      completed++;
    }
  });
  const done = Promise.all(loops);
  done.catch(() => undefined);
  return {
    completed: () => completed,
    /** Resolves after `count` more queries. */
    more: (count: number) => {
      const target = completed + count;
      return Promise.race([
        done,
        eventually(`${count} more queries`, 60_000, async () => (completed >= target ? true : undefined)),
      ]);
    },
    stop: () => {
      stopped = true;
      return done;
    },
  };
}

describe('resource managers may come and go', () => {
  let test: TestCluster;
  beforeAll(async () => {
    test = await startCluster();
  }, 120_000);
  afterAll(() => test?.close(), 60_000);

  it('kill -9 of each of them in turn, and a restart, under a loop of queries: no query fails', async () => {
    const clients = [connect(test.cluster.url(1)), connect(test.cluster.url(2))];
    const loop = loopOfQueries(clients);
    await loop.more(4);
    for (const node of test.cluster.byRole('resource-manager')) {
      await node.kill();
      await loop.more(10);
      node.start();
      await test.cluster.ready([node]);
      await loop.more(10);
    }
    await loop.stop();
    clients.forEach((client) => client.close());
  }, 180_000);

  it('an orderly restart of all of them one after another, under a loop of queries: no query fails', async () => {
    const clients = [connect(test.cluster.url(1)), connect(test.cluster.url(2))];
    const loop = loopOfQueries(clients);
    for (const node of test.cluster.byRole('resource-manager')) {
      await node.stop(20_000);
      node.start();
      await test.cluster.ready([node]);
      await loop.more(5);
    }
    await loop.stop();
    clients.forEach((client) => client.close());
  }, 180_000);
});

// On a cluster of its own: for one lease after quick restarts of all of them nobody deals, and the lease here is not new.
describe('resource managers that deal may all go at once', () => {
  let test: TestCluster;
  beforeAll(async () => {
    test = await startCluster();
  }, 120_000);
  afterAll(() => test?.close(), 60_000);

  it('all of them gone: queries start while the lease lasts, then one waits and says so, and runs when they are back', async () => {
    const client = connect(test.cluster.url(1));
    const managers = test.cluster.byRole('resource-manager');
    await runQuery(client, { statement: 'SELECT 1 AS one' });
    await Promise.all(managers.map((node) => node.kill()));
    const killedAt = performance.now();
    let [message, started] = ['', 0];
    let query = runQuery(client, { statement: 'SELECT 0 AS number' });
    const isUnreachable = () => /resource managers? .*unreachable/i.test(message);
    while (!isUnreachable()) {
      const number = ++started;
      message = '';
      query = runQuery(client, { statement: `SELECT ${number} AS number` }, ({ waitReason }) => {
        message = waitReason?.message ?? message;
      });
      const ended = query.then(() => true);
      await eventually(
        'a query that ends, or says that nobody deals',
        20_000,
        async () => isUnreachable() || (await Promise.race([ended, Promise.resolve(undefined)])),
      );
    }
    expect(started).toBeGreaterThan(1);
    expect(performance.now() - killedAt).toBeGreaterThan(5_000);
    managers.forEach((node) => node.start());
    expect((await query).rows).toEqual([[started]]);
    await test.cluster.ready(managers);
    client.close();
  }, 120_000);
});
