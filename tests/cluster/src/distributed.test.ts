// Queries in stages over three real workers: the rows are those of one worker, whatever is lost in between.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import {
  connect,
  eventually,
  type QueryClient,
  runningTasks,
  runQuery,
  startCluster,
  startQuery,
  type TestCluster,
} from './harness.js';

/** Every row moves, some of them twice: nothing is small enough to be read by everybody, or by few tasks. */
const STAGED = { distribution: 'forced', replicated_rows_max: '10', broadcast_rows_max: '10', task_rows: '0' };

/** All flights beside those that left the same airport in the same hour. */
const BUSY_HOURS = `
  WITH hours AS (
    SELECT origin, date_trunc('hour', date) AS hour, count(*) AS flights, sum(delay) AS delays
    FROM demo.flights GROUP BY ALL
  )
  SELECT f.origin, count(*) AS n, sum(h.flights) AS busy, sum(h.delays - f.delay) AS others
  FROM demo.flights AS f JOIN hours AS h ON f.origin = h.origin AND date_trunc('hour', f.date) = h.hour
  GROUP BY f.origin ORDER BY n DESC, f.origin`;

describe('a query in stages on three workers', () => {
  let test: TestCluster;
  let client: QueryClient;
  let expected: unknown[][];
  beforeAll(async () => {
    test = await startCluster({ coordinators: 1, workers: 3 });
    client = connect(test.cluster.url());
    const single = await runQuery(client, request({ distribution: 'single' }));
    expected = single.rows;
    expect(single.last.stages).toBeUndefined();
    expect(single.last.distributionReason).toMatch(/single/);
  }, 120_000);
  afterAll(async () => {
    client?.close();
    await test?.close();
  }, 60_000);

  const request = (properties: Record<string, string>) =>
    ({ statement: BUSY_HOURS, session: { properties } }) as unknown as Parameters<typeof runQuery>[1];
  /** Every worker takes part, and tasks run: whatever is lost must be made again. News of it come twice a second. */
  const inTheMiddle = ({ stages, stats }: QueryInfo) =>
    stats?.workerIds.length === 3 && stages !== undefined && stages.tasksRunning > 2;
  const pidsOf = (pid: number | undefined) => (pid === undefined ? [] : childrenOf(pid));
  /** Directories of sessions that workers which run have on their disks. */
  const sessionsOnDisk = () => {
    const spill = join(test.directory, 'nodes', 'spill');
    const living = test.cluster.byRole('worker').filter((worker) => worker.running);
    const own = readdirSync(spill).filter((name) =>
      living.some(({ pid }) => name.startsWith(`tutti-exchange-${pid}-`)),
    );
    return own.flatMap((name) => readdirSync(join(spill, name)));
  };
  const untilNothingIsLeft = () =>
    eventually('no session is left', 15_000, async () =>
      (await runningTasks(test)) === 0 && sessionsOnDisk().length === 0 ? true : undefined,
    );

  it('gives the rows that one worker gives, by several stages on all workers, and leaves nothing behind', async () => {
    const { rows, last } = await runQuery(client, request(STAGED));
    expect(rows).toEqual(expected);
    expect(rows.length).toBeGreaterThan(50);
    expect(last.stages?.stages).toBeGreaterThan(3);
    expect([...(last.stats?.workerIds ?? [])].sort()).toEqual(['worker-1', 'worker-2', 'worker-3']);
    await untilNothingIsLeft();
  }, 60_000);

  it('an executor that is killed in the middle: what it had is made again elsewhere', async () => {
    const query = await startQuery(client, request(STAGED));
    await query.until(inTheMiddle);
    const executors = pidsOf(test.cluster.byRole('worker')[0]?.pid);
    for (const pid of executors) process.kill(pid, 'SIGKILL');
    const { rows, last } = await query.result;
    expect(rows).toEqual(expected);
    expect(last.stages?.retries).toBeGreaterThan(0);
    await untilNothingIsLeft();
  }, 60_000);

  it('canceled in the middle it leaves no task and no file on any worker', async () => {
    const query = await startQuery(client, request(STAGED));
    const ends = expect(query.result).rejects.toThrow(/enough of it/);
    await query.until(inTheMiddle);
    await client.cancelQuery({ queryId: query.id, reason: 'enough of it' });
    await ends;
    await untilNothingIsLeft();
  }, 60_000);

  it('a worker that is killed in the middle costs nothing but time', async () => {
    const query = await startQuery(client, request(STAGED));
    await query.until(inTheMiddle);
    test.cluster.byRole('worker')[1]?.signal('SIGKILL');
    const { rows, last } = await query.result;
    expect(rows).toEqual(expected);
    expect(last.stages?.retries).toBeGreaterThan(0);
    await untilNothingIsLeft();
  }, 60_000);
});

/** Processes whose parent is `pid` (Linux, /proc). */
const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
