import { type AddressInfo, createServer } from 'node:net';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { aborted } from '@tutti/service';
import { createTestServer, type TestServer } from '@tutti/service/testing';
import { CliProcesses } from './testing/cli-process.js';
import { columns, FakeCoordinator, QUERY_ID, rows, state } from './testing/fake-coordinator.js';

// Each test starts processes: on a busy machine that alone can take seconds.
jest.setTimeout(60_000);

let processes: CliProcesses;
const servers: TestServer[] = [];
beforeAll(() => {
  processes = new CliProcesses();
});
afterEach(() => Promise.all(servers.splice(0).map((server) => server.drain())));
afterAll(() => processes.remove());

async function serve(coordinator: FakeCoordinator): Promise<string> {
  const server = await createTestServer({ routes: coordinator.routes });
  servers.push(server);
  return server.edgeUrl;
}

describe('exit codes', () => {
  test('0: rows on standard output, nothing on standard error', async () => {
    const url = await serve(new FakeCoordinator());
    const run = processes.start(['sql', '--server', url], { input: 'SELECT 1; SELECT 1;' });
    expect(await run.exitCode).toBe(0);
    expect([run.stdout, run.stderr]).toEqual(['n\n1\nn\n1\n', '']);
  });

  test('1: the query failed', async () => {
    const url = await serve(new FakeCoordinator());
    const run = processes.start(['sql', '--server', url, 'SELECT nme\nFORM t']);
    expect(await run.exitCode).toBe(1);
    expect(run.stderr).toContain(
      'error: SYNTAX_ERROR: syntax error at or near "FORM"\n  line 2: FORM t\n          ^\n',
    );
  });

  test('2: the command line is wrong', async () => {
    const run = processes.start(['sql', '--fomat', 'csv']);
    expect(await run.exitCode).toBe(2);
    expect(run.stderr).toContain("unknown option '--fomat'");
  });

  test('3: nothing listens; with another server behind it, 0', async () => {
    const refused = `http://127.0.0.1:${await unusedPort()}`;
    const run = processes.start(['sql', '--server', refused, 'SELECT 1']);
    expect(await run.exitCode).toBe(3);
    expect(run.stderr).toContain(`cannot connect to ${refused}: connection refused`);
    expect(run.stderr).toContain('npm start');
    const url = await serve(new FakeCoordinator());
    const second = processes.start(['sql', '--server', `${refused},${url}`, 'SELECT 1']);
    expect(await second.exitCode).toBe(0);
  });

  test('3: what listens is no Tutti server', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('220 mail.example ESMTP\r\n');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const run = processes.start(['status', '--server', `127.0.0.1:${(server.address() as AddressInfo).port}`]);
    expect(await run.exitCode).toBe(3);
    expect(run.stderr).toContain('error: cannot connect to http://127.0.0.1:');
    await new Promise((done) => server.close(done));
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

describe('signals', () => {
  test('SIGINT cancels the query on the server, and the exit code is 130 (R2)', async () => {
    const coordinator: FakeCoordinator = new FakeCoordinator({
      'SELECT 2': (request, context) => coordinator.untilCanceled()(request, context),
    });
    const run = processes.start(['sql', '--progress', 'on', '--server', await serve(coordinator), 'SELECT 2']);
    await run.untilStderr('RUNNING');
    run.child.kill('SIGINT');
    expect(await run.exitCode).toBe(130);
    expect(run.stderr).toMatch(new RegExp(`canceled query ${QUERY_ID}\\n$`));
    expect(coordinator.cancelRequests).toMatchObject([{ queryId: QUERY_ID }]);
  });

  test('SIGINT leaves a stream that goes on although the query was canceled', async () => {
    const left = new AbortController();
    const coordinator: FakeCoordinator = new FakeCoordinator({
      'SELECT 2': async function* (_request, context) {
        yield state(QueryState.RUNNING);
        await aborted(context.signal);
        left.abort();
      },
    });
    const run = processes.start(['sql', '--progress', 'on', '--server', await serve(coordinator), 'SELECT 2']);
    await run.untilStderr('RUNNING');
    run.child.kill('SIGINT');
    expect(await run.exitCode).toBe(130);
    await aborted(left.signal);
    expect(coordinator.cancelRequests).toHaveLength(1);
  });

  test('a second SIGINT ends the program at once', async () => {
    const coordinator: FakeCoordinator = new FakeCoordinator({
      'SELECT 2': (request, context) => coordinator.endless(request, context),
    });
    coordinator.answersCancel = false;
    const run = processes.start(['sql', '--progress', 'on', '--server', await serve(coordinator), 'SELECT 2']);
    await run.untilStderr('RUNNING');
    run.child.kill('SIGINT');
    await aborted(coordinator.cancelSignal);
    run.child.kill('SIGINT');
    expect(await run.exitCode).toBe(130);
    expect(run.stderr).not.toContain('canceled');
  });

  test('SIGTERM cancels too, with the exit code 143', async () => {
    const coordinator: FakeCoordinator = new FakeCoordinator({
      'SELECT 2': (request, context) => coordinator.untilCanceled()(request, context),
    });
    const run = processes.start(['sql', '--progress', 'on', '--server', await serve(coordinator), 'SELECT 2']);
    await run.untilStderr('RUNNING');
    run.child.kill('SIGTERM');
    expect(await run.exitCode).toBe(143);
    expect(coordinator.cancelRequests).toHaveLength(1);
  });
});

test('SIGINT ends a program that waits for its input', async () => {
  const run = processes.start(['sql'], { inputStaysOpen: true });
  await run.untilReading();
  run.child.kill('SIGINT');
  expect(await run.exitCode).toBe(130);
  expect(run.stderr).toBe('interrupted\n');
});

describe('a pipeline', () => {
  test('whose reader has enough ends quietly, and the query with it', async () => {
    const left = new AbortController();
    const coordinator = new FakeCoordinator({
      'SELECT 2': async function* (_request, context) {
        context.signal.addEventListener('abort', () => left.abort(), { once: true });
        yield state(QueryState.RUNNING);
        yield columns('n BIGINT');
        for (;;) yield rows(...Array.from({ length: 1_000 }, (_, index) => `["${index}"]`));
      },
    });
    const run = processes.start(['sql', '--server', await serve(coordinator), 'SELECT 2']);
    await run.untilStdout();
    run.child.stdout.destroy();
    expect(await run.exitCode).toBe(0);
    expect(run.stderr).toBe('');
    await aborted(left.signal);
  });

  test('gets every byte of a large result', async () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => `["${index}"]`);
    const coordinator = new FakeCoordinator({
      'SELECT 2': async function* () {
        yield state(QueryState.RUNNING);
        yield columns('n BIGINT');
        for (let batch = 0; batch < 200; batch += 1) yield rows(...lines);
        yield state(QueryState.FINISHED);
      },
    });
    const run = processes.start(['sql', '--no-header', '--server', await serve(coordinator), 'SELECT 2']);
    expect(await run.exitCode).toBe(0);
    expect(run.stdout.split('\n')).toHaveLength(200_001);
    expect(run.stdout.endsWith('998\n999\n')).toBe(true);
  });
});
