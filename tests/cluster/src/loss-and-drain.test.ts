import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Code } from '@connectrpc/connect';
import { readRpcError } from '@tutti/service';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import {
  connect,
  ENDLESS,
  eventually,
  root,
  runningTasks,
  runQuery,
  startCluster,
  startQuery,
  type TestCluster,
} from './harness.js';

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('losing and draining nodes', () => {
  let test: TestCluster;
  beforeAll(async () => {
    test = await startCluster({ resourceManagers: 1 });
  }, 120_000);
  afterAll(() => test?.close(), 60_000);

  it('a coordinator that dies takes only its own queries; their tasks stop, and the other coordinator goes on', async () => {
    const dying = connect(test.cluster.url(1));
    const other = connect(test.cluster.url(2));
    const lost = await startQuery(dying, { statement: ENDLESS });
    const failure = failureOf(lost.result);
    await lost.until((info) => info.state === QueryState.RUNNING);
    const node = test.cluster.node('coordinator-1');
    await node.kill();
    expect(readRpcError(await failure).code).toBe(Code.Unavailable);
    expect((await runQuery(other, { statement: 'SELECT 1 AS one' })).rows).toEqual([[1]]);
    await eventually('its tasks are gone', 10_000, async () => ((await runningTasks(test)) === 0 ? true : undefined));
    node.start();
    await test.cluster.ready([node]);
    dying.close();
    other.close();
  }, 60_000);

  it('a client that leaves in mid-stream frees the worker', async () => {
    const client = connect(test.cluster.url(1));
    const abort = new AbortController();
    const stream = client.executeQuery(
      { statement: 'SELECT i, hash(i) AS h FROM range(1000000000) AS a(i)' },
      { signal: abort.signal },
    );
    const read = failureOf(
      (async () => {
        for await (const { event } of stream) if (event.case === 'rows') abort.abort();
      })(),
    );
    expect(readRpcError(await read).code).toBe(Code.Canceled);
    await eventually('its task is gone', 10_000, async () => ((await runningTasks(test)) === 0 ? true : undefined));
    client.close();
  }, 60_000);

  it('a worker that is asked to stop finishes what it runs, and loses nothing', async () => {
    const client = connect(test.cluster.url(2));
    const queries = await Promise.all(
      [0, 1].map(() =>
        startQuery(client, { statement: 'SELECT count(*) AS n FROM range(200000000) AS a(i) WHERE hash(i) % 7 = 3' }),
      ),
    );
    await Promise.all(queries.map((query) => query.until((info) => info.state === QueryState.RUNNING)));
    const node = test.cluster.node('worker-1');
    await node.stop(30_000);
    expect(node.exitCode).toBe(0);
    await Promise.all(queries.map((query) => query.result));
    expect((await runQuery(client, { statement: 'SELECT 1 AS one' })).rows).toEqual([[1]]);
    node.start();
    await test.cluster.ready([node]);
    client.close();
  }, 120_000);

  it('a query on a worker that dies either runs again elsewhere or fails with an error that says to try again', async () => {
    const client = connect(test.cluster.url(1));
    const query = await startQuery(client, {
      statement: 'SELECT count(*) AS n FROM range(300000000) AS a(i) WHERE hash(i) % 7 = 3',
    });
    const running = await query.until(
      (info) => info.state === QueryState.RUNNING && (info.stats?.workerIds.length ?? 0) > 0,
    );
    const node = test.cluster.node(running.stats?.workerIds[0] ?? '');
    await node.kill();
    const failure = await failureOf(query.result);
    if (failure !== undefined) {
      expect(readRpcError(failure)).toMatchObject({
        code: Code.Unavailable,
        reason: 'WORKER_LOST',
        retryAfterMs: expect.any(Number),
      });
    }
    node.start();
    await test.cluster.ready([node]);
    client.close();
  }, 120_000);
});

describe('npm start', () => {
  /** Starts the smallest cluster and returns once it has printed its report. */
  async function npmStart() {
    const small = ['--workers', '1', '--coordinators', '1', '--resource-managers', '1', '--edge-port', '18080'];
    const argv = ['up', '--json', ...small, '--sql', 'SELECT 1 AS one', '--catalogs', join(root, 'catalogs')];
    const child = spawn(process.execPath, [join(root, 'tools/bundle/main.mjs'), ...argv], {
      env: { ...process.env, TUTTI_ROOT: root },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.resume();
    await eventually('the report', 60_000, async () => (output.trimEnd().endsWith('\n}') ? true : undefined));
    const report = JSON.parse(output) as { rows: unknown; endpoints: { pid: number }[] };
    return { child, report, exited: new Promise((resolve) => child.once('exit', resolve)) };
  }

  const isAlive = ({ pid }: { pid: number }) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('leaves no process behind after Ctrl-C', async () => {
    const { child, report, exited } = await npmStart();
    expect(report.rows).toEqual([{ one: 1 }]);
    child.kill('SIGINT');
    await exited;
    expect(report.endpoints.filter(isAlive)).toEqual([]);
  }, 120_000);

  it('leaves no process behind when it is killed itself', async () => {
    const { child, report, exited } = await npmStart();
    child.kill('SIGKILL');
    await exited;
    await eventually('the nodes end', 20_000, async () => (report.endpoints.some(isAlive) ? undefined : true));
  }, 120_000);
});

describe('a node that cannot start says why, and what to do', () => {
  const start = (role: string, ...args: string[]) =>
    new Promise<{ code: number | null; output: string }>((resolve) => {
      const child = spawn(process.execPath, [
        join(root, 'apps', role, 'bundle/main.mjs'),
        '--log-format',
        'text',
        ...args,
      ]);
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      child.once('close', (code) => resolve({ code, output }));
    });

  it('wrong configuration: all wrong values at once', async () => {
    const { code, output } = await start(
      'worker',
      '--cluster-port',
      'ninety',
      '--task-memory-limit',
      'lots',
      '--no-such-flag',
      '1',
    );
    expect(code).toBe(2);
    for (const part of ['cluster.port', 'task.memoryLimit', 'no-such-flag']) expect(output).toContain(part);
  }, 30_000);

  it('a port that is taken', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
    );
    const ports = ['--edge-port', '0', '--metrics-port', '0', '--health-port', '0', '--bind-host', '127.0.0.1'];
    const { code, output } = await start('resource-manager', '--node-id', 'rm', '--cluster-port', `${port}`, ...ports);
    taken.close();
    expect(code).not.toBe(0);
    expect(output).toMatch(new RegExp(`${port}.*cluster\\.port|cluster\\.port.*${port}`));
  }, 30_000);

  it('a catalog that cannot be read', async () => {
    const { code, output } = await start(
      'coordinator',
      '--node-id',
      'c',
      '--resource-managers-addresses',
      '127.0.0.1:1',
      '--catalogs-path',
      '/nowhere',
      '--cluster-port',
      '0',
      '--edge-port',
      '0',
      '--metrics-port',
      '0',
      '--health-port',
      '0',
      '--bind-host',
      '127.0.0.1',
    );
    expect(code).not.toBe(0);
    expect(output).toContain('/nowhere');
  }, 30_000);
});
