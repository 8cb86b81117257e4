import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect, root, runQuery, startCluster, type TestCluster } from './harness.js';

const run = promisify(execFile);
const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf');
const tutti = join(root, 'apps/cli/bundle/main.mjs');

const STATEMENT =
  'SELECT origin, count(*) AS flights FROM demo.flights GROUP BY origin ORDER BY flights DESC, origin LIMIT 3';

/** Calls a method as grpcurl does: with nothing but reflection to go by. */
async function bufCurl(port: number, method: string, body = '{}'): Promise<unknown> {
  const url = `http://127.0.0.1:${port}/${method}`;
  const { stdout } = await run(process.execPath, [
    buf,
    'curl',
    '--protocol',
    'grpc',
    '--http2-prior-knowledge',
    '-d',
    body,
    url,
  ]);
  return JSON.parse(stdout);
}

async function listServices(port: number): Promise<string[]> {
  const url = `http://127.0.0.1:${port}`;
  const { stdout } = await run(process.execPath, [
    buf,
    'curl',
    '--protocol',
    'grpc',
    '--http2-prior-knowledge',
    '--list-services',
    url,
  ]);
  return stdout.trim().split('\n');
}

describe('a cluster that just started', () => {
  let test: TestCluster;
  beforeAll(async () => {
    test = await startCluster();
  }, 120_000);
  afterAll(() => test?.close(), 60_000);

  it.each([
    [
      'resource-manager-1',
      [
        'tutti.cluster.v1.ClusterService',
        'tutti.discovery.v1.DiscoveryService',
        'tutti.heartbeat.v1.HeartbeatService',
        'tutti.resourcegroup.v1.ResourceGroupService',
      ],
    ],
    [
      'coordinator-1',
      ['tutti.cluster.v1.ClusterService', 'tutti.query.v1.QueryService', 'tutti.resourcegroup.v1.ResourceGroupService'],
    ],
    ['worker-1', ['tutti.task.v1.TaskService']],
  ])(
    '%s lists its services by reflection on the cluster port',
    async (id, services) => {
      const listed = await listServices(test.cluster.node(id).ports.cluster);
      expect(listed).toEqual(expect.arrayContaining([...services, 'grpc.health.v1.Health']));
    },
    30_000,
  );

  it.each([
    ['resource-manager-2', 'cluster', 'tutti.cluster.v1.ClusterService/GetCluster'],
    ['resource-manager-2', 'edge', 'tutti.cluster.v1.ClusterService/ListNodes'],
    ['resource-manager-2', 'cluster', 'tutti.cluster.v1.ClusterService/ListQueries'],
    ['resource-manager-2', 'cluster', 'tutti.discovery.v1.DiscoveryService/ListNodes'],
    ['resource-manager-2', 'cluster', 'tutti.resourcegroup.v1.ResourceGroupService/ListResourceGroups'],
    ['resource-manager-2', 'cluster', 'tutti.resourcegroup.v1.ResourceGroupService/GetUsage'],
    ['coordinator-2', 'edge', 'tutti.query.v1.QueryService/ListQueries'],
    ['coordinator-2', 'cluster', 'tutti.cluster.v1.ClusterService/ListNodes'],
    ['coordinator-2', 'edge', 'tutti.resourcegroup.v1.ResourceGroupService/ListResourceGroups'],
    ['worker-2', 'cluster', 'tutti.task.v1.TaskService/ListTasks'],
  ] as const)(
    '%s answers an empty request on its %s port: %s',
    async (id, port, method) => {
      await expect(bufCurl(test.cluster.node(id).ports[port], method)).resolves.toBeDefined();
    },
    30_000,
  );

  it('knows all seven nodes', async () => {
    const cluster = await bufCurl(
      test.cluster.node('coordinator-1').ports.edge,
      'tutti.cluster.v1.ClusterService/GetCluster',
    );
    expect(cluster).toMatchObject({ activeCoordinators: 2, activeResourceManagers: 3, activeWorkers: 2, synced: true });
  });

  it('gives the same rows through gRPC, through Connect JSON as curl speaks it, and through the command line', async () => {
    const client = connect(test.cluster.url(1));
    const { rows } = await runQuery(client, { statement: STATEMENT });
    client.close();
    expect(rows).toHaveLength(3);

    const post = async (method: string, body: unknown) => {
      const url = `${test.cluster.url(2)}/tutti.query.v1.QueryService/${method}`;
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(200);
      return (await response.json()) as { query: { queryId: string }; rows?: unknown[][]; nextPageToken?: string };
    };
    const { query } = await post('SubmitQuery', { statement: STATEMENT });
    const fetched: unknown[][] = [];
    let pageToken = '';
    do {
      const page = await post('FetchResults', { queryId: query.queryId, pageToken });
      fetched.push(...(page.rows ?? []));
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    expect(fetched).toEqual(rows);

    const { stdout } = await run(process.execPath, [
      tutti,
      'sql',
      '--server',
      test.cluster.url(1),
      '-o',
      'jsonl',
      STATEMENT,
    ]);
    const printed = stdout
      .trim()
      .split('\n')
      .map((line) => Object.values(JSON.parse(line) as object).map(String));
    expect(printed).toEqual(rows.map((row) => row.map(String)));
  }, 60_000);

  it('lists, shows and cancels a query of one coordinator through the other', async () => {
    const client = connect(test.cluster.url(1));
    const other = connect(test.cluster.url(2));
    const abort = new AbortController();
    const stream = client.executeQuery(
      { statement: 'SELECT count(*) FROM range(100000000000) AS a(i) WHERE hash(i) = 42' },
      { signal: abort.signal },
    );
    let id = '';
    const ended = (async () => {
      for await (const { event } of stream) if (event.case === 'query') id = event.value.queryId;
    })();
    const outcome = expect(ended).rejects.toThrow(/CANCELED|canceled/i);
    while (id === '') await new Promise((resolve) => setImmediate(resolve));
    const listed = async () => (await other.listQueries({})).queries.some((query) => query.queryId === id);
    while (!(await listed()));
    expect((await other.getQuery({ queryId: id })).query?.coordinatorId).toBe('coordinator-1');
    await other.cancelQuery({ queryId: id, reason: 'no longer wanted' });
    await outcome;
    client.close();
    other.close();
  }, 60_000);
});
