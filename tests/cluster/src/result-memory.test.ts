// What a coordinator holds of a result does not depend on the size of the result, but on what its client reads: real processes,
// results of a gigabyte and more, and a client that stops in the middle.
import { readFileSync } from 'node:fs';
import {
  type ExecuteQueryResponse,
  type QueryInfo,
  QueryState,
  ResultFormat,
} from '@tutti/contracts/tutti/query/v1/query_pb';
import { connect, eventually, type QueryClient, runQuery, startCluster, type TestCluster } from './harness.js';

const MB = 1024 * 1024;
/** With a client that reads as fast as it can 50 to 110 MB were seen: less than what has passed, and a tenth of the result. */
const GROWTH_BYTES_MAX = 192 * MB;
const READ_BYTES = 256 * MB;
/** Text that Parquet cannot make small. */
const LARGE = `SELECT i, hash(i) AS h, md5(i::VARCHAR) || md5(hash(i)::VARCHAR) AS t FROM range(20000000) AS a(i)`;

const sentBytes = (info: QueryInfo | undefined) => Number(info?.stats?.resultBytes ?? 0);

describe('a result of a gigabyte that nobody reads to its end', () => {
  let test: TestCluster;
  let client: QueryClient;
  let idleBytes = 0;
  const residentBytes = () => {
    const status = readFileSync(`/proc/${test.cluster.node('coordinator-1').pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  };
  beforeAll(async () => {
    test = await startCluster({ resourceManagers: 1, coordinators: 1, workers: 1 });
    client = connect(test.cluster.url());
    for (let run = 0; run < 3; run++) await runQuery(client, { statement: 'SELECT 1' });
    idleBytes = residentBytes();
  }, 120_000);
  afterAll(async () => {
    client?.close();
    await test?.close();
  }, 60_000);

  it.each([
    ['rows', ResultFormat.ROWS],
    ['JSON lines', ResultFormat.JSON_LINES],
    ['Parquet', ResultFormat.PARQUET],
  ])(
    'costs the coordinator a few megabytes while its client stands still, and after it has left: as %s',
    async (_name, resultFormat) => {
      const leaving = new AbortController();
      const events = client
        .executeQuery({ statement: LARGE, resultFormat }, { signal: leaving.signal })
        [Symbol.asyncIterator]();
      let mostBytes = 0;
      let info: QueryInfo | undefined;
      while (sentBytes(info) < READ_BYTES) {
        const { event } = ((await events.next()) as { value: ExecuteQueryResponse }).value;
        if (event.case === 'query') info = event.value;
        mostBytes = Math.max(mostBytes, residentBytes());
      }
      const look = async () => {
        mostBytes = Math.max(mostBytes, residentBytes());
        return (await client.getQuery({ queryId: info?.queryId ?? '' })).query;
      };
      let before: QueryInfo | undefined;
      await eventually('the query stands still with its client', 20_000, async () => {
        const now = await look();
        const stands = sentBytes(now) === sentBytes(before) && before !== undefined;
        before = now;
        return stands || undefined;
      });
      leaving.abort();
      await events.next().catch(() => undefined);
      await eventually('the query ends when its client has left', 20_000, async () =>
        (await look())?.state === QueryState.CANCELED ? true : undefined,
      );
      expect(Math.round((mostBytes - idleBytes) / MB)).toBeLessThanOrEqual(GROWTH_BYTES_MAX / MB);
    },
    60_000,
  );
});
