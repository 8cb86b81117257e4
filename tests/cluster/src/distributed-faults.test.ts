// Queries in stages over three real workers, and all that may go wrong around them: nodes that drain or die, files that are no
// longer what was planned, disks that are full enough, groups that are full.
import {
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type QueryInfo, QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import {
  connect,
  ENDLESS,
  eventually,
  type QueryClient,
  root,
  runningTasks,
  runQuery,
  startCluster,
  startQuery,
  type TestCluster,
} from './harness.js';

/** Every row moves: nothing is small enough to be read by everybody. */
const STAGED = { distribution: 'forced', replicated_rows_max: '10', broadcast_rows_max: '10' };
const FLIGHTS = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet');
const TABLES = ['flights', 'changed', 'vanished', 'corrupt'] as const;
/** What one query may keep between its stages on a worker: more than BUSY_HOURS takes, less than PAIRS. */
const EXCHANGE_LIMIT = '96MB';

/** All flights beside those that left the same airport in the same hour. */
const BUSY_HOURS = `
  WITH hours AS (
    SELECT origin, date_trunc('hour', date) AS hour, count(*) AS flights, sum(delay) AS delays
    FROM files.flights GROUP BY ALL
  )
  SELECT f.origin, count(*) AS n, sum(h.flights) AS busy, sum(h.delays - f.delay) AS others
  FROM files.flights AS f JOIN hours AS h ON f.origin = h.origin AND date_trunc('hour', f.date) = h.hour
  GROUP BY f.origin ORDER BY n DESC, f.origin`;
/** Both sides of the join go through the exchange with all their columns. */
const PAIRS = `
  SELECT count(*) AS n, max(hash(f, g)) AS h FROM files.flights AS f JOIN files.flights AS g
  ON date_trunc('minute', f.date) = date_trunc('minute', g.date) AND f.origin = g.origin AND f.destination = g.destination AND f.delay = g.delay`;
const totalsOf = (table: string) =>
  `SELECT origin, count(*) AS n, sum(distance + delay) AS d FROM files.${table} GROUP BY origin ORDER BY origin`;

describe('queries in stages on three workers', () => {
  let test: TestCluster;
  let files: string;
  const clients: QueryClient[] = [];
  beforeAll(async () => {
    files = mkdtempSync(join(tmpdir(), 'tutti-cluster-files-'));
    const columns = [
      { name: 'date', type: 'TIMESTAMP' },
      { name: 'delay', type: 'BIGINT' },
      { name: 'distance', type: 'BIGINT' },
      { name: 'origin', type: 'VARCHAR' },
      { name: 'destination', type: 'VARCHAR' },
    ];
    const tables = TABLES.map((name) => {
      copyFileSync(FLIGHTS, join(files, `${name}.parquet`));
      return [name, { format: 'parquet', files: [`${name}.parquet`], rows: 3_000_000, columns }];
    });
    writeFileSync(
      join(files, 'files.json'),
      JSON.stringify({ schemas: { main: { tables: Object.fromEntries(tables) } } }),
    );
    const group = (name: string, hardConcurrencyLimit: number) => ({
      ...{ name, hardConcurrencyLimit },
      ...{ softMemoryLimit: '100%', maxQueued: 100 },
    });
    const groups = {
      rootGroups: [group('one', 1), group('two', 2), group('many', 100)],
      selectors: [{ user: 'one', group: 'one' }, { user: 'two', group: 'two' }, { group: 'many' }],
    };
    test = await startCluster({
      ...{ resourceManagers: 1, coordinators: 2, workers: 3, groups, catalogs: files },
      arguments: { coordinator: ['--catalogs-default', 'files'], worker: ['--exchange-limit', EXCHANGE_LIMIT] },
    });
    clients.push(connect(test.cluster.url(1)), connect(test.cluster.url(2)));
  }, 120_000);
  afterAll(async () => {
    clients.forEach((client) => client.close());
    await test?.close();
    rmSync(files, { recursive: true, force: true });
  }, 60_000);

  const client = () => clients[0] as QueryClient;
  const request = (statement: string, user = '', properties: Record<string, string> = STAGED) =>
    ({ statement, session: { user, properties } }) as unknown as Parameters<typeof runQuery>[1];
  const inTheMiddle = ({ stages }: QueryInfo) =>
    stages !== undefined && stages.tasksDone > 0 && stages.tasksRunning > 0 && stages.stagesDone < stages.stages;
  /** Directories of workers and of their sessions; what is in these comes and goes. */
  const onDisk = (pattern: RegExp) => {
    const spill = join(test.directory, 'nodes/spill');
    const stores = readdirSync(spill).filter((name) => name.startsWith('tutti-exchange-'));
    const sessions = stores.flatMap((store) => readdirSync(join(spill, store)).map((name) => `${store}/${name}`));
    return [...stores, ...sessions].filter((path) => pattern.test(path));
  };
  const nothingIsLeft = (withinMs: number) =>
    eventually('no session and no file is left', withinMs, async () =>
      (await runningTasks(test)) === 0 && onDisk(/session-\d+$/).length === 0 ? true : undefined,
    );
  const failureOf = async (result: Promise<unknown>) =>
    readRpcError(
      await result.then(
        () => new Error('the query ended well'),
        (error: unknown) => error,
      ),
    );

  describe('files that are not what they were when the query was planned', () => {
    /** The query is planned, and waits in its group while `spoil` is at the file. */
    const failureAfter = async (table: string, spoil: (path: string) => void) => {
      const first = await startQuery(client(), request(ENDLESS, 'one'));
      const ended = failureOf(first.result);
      await first.until(({ state }) => state === QueryState.RUNNING);
      const second = await startQuery(client(), request(totalsOf(table), 'one'));
      const failed = failureOf(second.result);
      // It waits for its group, so it is planned.
      await second.until(({ state, waitReason }) => state === QueryState.QUEUED && waitReason !== undefined);
      spoil(join(files, `${table}.parquet`));
      await client().cancelQuery({ queryId: first.id, reason: 'make room' });
      await ended;
      return failed;
    };

    it('one that has changed is named with its stage, and nothing stays behind', async () => {
      const error = await failureAfter('changed', (path) => utimesSync(path, new Date(0), new Date(0)));
      expect(error).toMatchObject({
        reason: 'TABLE_UNREADABLE',
        message: expect.stringMatching(/changed.*\(stage .*, task \d+, worker worker-\d\)/s),
      });
      await nothingIsLeft(2_000);
    }, 60_000);

    it('one that has gone', async () => {
      const error = await failureAfter('vanished', (path) => rmSync(path));
      expect(error).toMatchObject({
        reason: 'TABLE_UNREADABLE',
        message: expect.stringMatching(/vanished.*\(stage .*, task \d+, worker worker-\d\)/s),
      });
      await nothingIsLeft(2_000);
    }, 60_000);

    it('one whose pages are damaged although its footer is whole', async () => {
      const path = join(files, 'corrupt.parquet');
      const { size, atime, mtime } = statSync(path);
      writeSync(openSync(path, 'r+'), Buffer.alloc(Math.floor(size * 0.8), 0xa5), 0, undefined, 4);
      utimesSync(path, atime, mtime);
      const error = await failureOf(runQuery(client(), request(totalsOf('corrupt'))));
      expect(error).toMatchObject({
        reason: 'TABLE_UNREADABLE',
        message: expect.stringMatching(/corrupt.*\(stage .*, task \d+, worker worker-\d\)/s),
      });
      await nothingIsLeft(2_000);
    }, 60_000);
  });

  it('rows between stages that need more than exchange.limit end the query, and the error names the setting', async () => {
    const error = await failureOf(runQuery(client(), request(PAIRS)));
    expect(error.reason).toBe('EXCEEDED_EXCHANGE_LIMIT');
    expect(error.message).toContain('exchange.limit');
    await nothingIsLeft(2_000);
  }, 60_000);

  it('a full group of two runs two at once over both coordinators, and gives slots back when sessions end', async () => {
    const results = [0, 1, 2, 3, 4].map((number) =>
      runQuery(clients[number % 2] as QueryClient, request(totalsOf('flights'), 'two')),
    );
    const rows = (await Promise.all(results)).map((result) => result.rows);
    for (const other of rows) expect(other).toEqual(rows[0]);
    expect(rows[0]?.length).toBeGreaterThan(200);
    const url = test.cluster.node('resource-manager-1').url('metrics');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const over = metrics.split('\n').filter((line) => /^tutti_group_over_admission_slots[_a-z]*\{/.test(line));
    for (const line of over) expect(line).toMatch(/ 0$/);
    await nothingIsLeft(2_000);
  }, 60_000);

  it('a worker that drains in the middle ends in good order, and the rows are right', async () => {
    const expected = await runQuery(client(), request(BUSY_HOURS, '', { distribution: 'single' }));
    const query = await startQuery(client(), request(BUSY_HOURS));
    await query.until(inTheMiddle);
    const node = test.cluster.node('worker-2');
    await node.stop(30_000);
    expect(node.exitCode).toBe(0);
    expect((await query.result).rows).toEqual(expected.rows);
    node.start();
    await test.cluster.ready([node]);
    await nothingIsLeft(2_000);
  }, 90_000);

  it('of a coordinator that dies no session and no file is left', async () => {
    const query = await startQuery(clients[1] as QueryClient, request(BUSY_HOURS));
    const failed = failureOf(query.result);
    await query.until(inTheMiddle);
    await test.cluster.node('coordinator-2').kill();
    expect((await failed).code).toBeDefined();
    await nothingIsLeft(15_000);
  }, 60_000);

  it('what a worker left that died is removed when it starts again', async () => {
    const query = await startQuery(client(), request(BUSY_HOURS));
    await query.until(inTheMiddle);
    const node = test.cluster.node('worker-3');
    const { pid } = node;
    await node.kill();
    await query.result;
    const left = new RegExp(`tutti-exchange-${pid}-`);
    expect(onDisk(left)).not.toEqual([]);
    node.start();
    await test.cluster.ready([node]);
    expect(onDisk(left)).toEqual([]);
  }, 60_000);
});
