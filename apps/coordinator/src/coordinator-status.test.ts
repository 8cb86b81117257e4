import { create, toBinary } from '@bufbuild/protobuf';
import { instant } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { CoordinatorStatusSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { MESSAGE_BYTES_MAX } from '@tutti/service';
import { EndedWindow, ReportPacer } from './coordinator-status.js';
import { Listening, oneGroup, TestCluster, type TestCoordinator } from './testing/test-cluster.js';

const statusOf = (coordinator: TestCoordinator) =>
  create(CoordinatorStatusSchema, coordinator.status().value as object);

describe('what a coordinator reports', () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.stop());

  test('live queries and their groups; an end stays in the reports for some seconds', async () => {
    const worker = cluster.worker('w1');
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const first = new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => worker.tasks.size === 1, 1);
    const second = new Listening(c1.client, { statement: 'rows 1' });
    await cluster.until(() => second.last?.waitReason !== undefined, 10);
    await cluster.clock.advance(200); // A question tells of it first.
    const status = statusOf(c1);
    expect(status.queries.map(({ state }) => state)).toEqual([QueryState.RUNNING, QueryState.QUEUED]);
    expect(status.queries[1]?.waitReason?.message).toContain('waits in "global": 1 of 1 slots are held');
    expect(status.groups).toMatchObject([
      { group: 'global', running: 1, queued: 1, hardConcurrencyLimit: 1, maxQueued: 100 },
    ]);

    worker.end('finish');
    await cluster.until(() => first.over && second.over, 1);
    expect(statusOf(c1).queries.map(({ state }) => state)).toEqual([QueryState.FINISHED, QueryState.FINISHED]);
    expect(statusOf(c1).groups).toEqual([]);
    await cluster.clock.advance(6_000);
    expect(statusOf(c1).queries).toEqual([]);
  });

  test('queries that ended long ago are forgotten, also when nothing else happens', async () => {
    const { client, status } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'typo' });
    await cluster.until(() => heard.over);
    const queryId = heard.last?.queryId ?? '';
    await cluster.clock.advance(890_000);
    status();
    expect((await client.getQuery({ queryId })).query?.state).toBe(QueryState.FAILED);
    await cluster.clock.advance(20_000);
    status();
    cluster.resourceManager.queries.clear();
    await expect(client.getQuery({ queryId })).rejects.toThrow('is not known');
  });

  test('every change of a query reaches the resource managers', async () => {
    cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 1' });
    await cluster.until(() => heard.over, 1);
    const reported = cluster.resourceManager.queries.get(heard.last?.queryId ?? '');
    expect(reported?.state).toBe(QueryState.FINISHED);
    expect(reported?.stats?.rows).toBe(1n);
  });

  test('a report fits into one message, however many and long the queries are; the rest is counted', async () => {
    cluster.worker('w1');
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(0, 2_000));
    for (let batch = 0; batch < 12; batch++) {
      const request = { statement: `rows ${'€'.repeat(batch * 200)}`, session: { user: '€'.repeat(256) } };
      await Promise.all(Array.from({ length: 100 }, () => c1.client.submitQuery(request)));
    }
    const status = statusOf(c1);
    expect(status.queries.length + status.queriesLeftOut).toBe(1_200);
    expect(status.queries.length).toBeGreaterThan(300);
    expect(toBinary(CoordinatorStatusSchema, status).length).toBeLessThan(MESSAGE_BYTES_MAX);
  });

  test('wishes for reports pass at once while little goes on, and further apart when there is much to report', async () => {
    const clock = new FakeClock();
    let queryCount = 2;
    const sentAt: number[] = [];
    const sendSoon = () => void sentAt.push(clock.now());
    const { reportSoon } = new ReportPacer({ queryCount: () => queryCount, sendSoon, clock });
    reportSoon();
    await clock.advance(1);
    reportSoon();
    queryCount = 1_000;
    for (let n = 0; n < 300; n++) {
      await clock.advance(1);
      reportSoon();
    }
    expect(sentAt).toEqual([0, 1, 101, 201, 301]);
  });
});

test('once a second a report goes far back for ended queries, for all resource managers; those between do not', () => {
  const window = new EndedWindow();
  const backMs = [0, 10, 29, 30, 100, 899, 900, 920, 931, 5_000].map((at) => window.backMs(instant(at)));
  expect(backMs).toEqual([3_000, 3_000, 3_000, 250, 250, 250, 3_000, 3_000, 250, 3_000]);
});
