import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import { FakeClock } from '@tutti/base/testing';
import { QueryState, ResultFormat, WaitKind } from '@tutti/contracts/tutti/query/v1/query_pb';
import { rpcError } from '@tutti/service';
import { FakeCoordinator, QUERY_ID, columns, rows, state } from '../testing/fake-coordinator.js';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { inMemory, runInMemory } from '../testing/run-in-memory.js';

const { routes } = new FakeCoordinator();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tutti-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'report.sql');
  writeFileSync(path, text);
  return path;
}

describe('tutti sql prints', () => {
  test('csv in a pipe', async () => {
    expect(await runInMemory(['sql', 'SELECT 1'], { routes })).toEqual({ exitCode: 0, stdout: 'n\n1\n', stderr: '' });
  });

  test('a table on a terminal, and a summary where the progress line was', async () => {
    const terminal = new FakeTerminal({ stdoutIsTerminal: true, stderrIsTerminal: true });
    const clock = new FakeClock();
    const { stdout, stderr } = await runInMemory(['sql', 'SELECT 1'], { routes, terminal, clock });
    expect(stdout).toBe(' n\n---\n 1\n');
    expect(stderr).toMatch(/^\rCONNECTING {2}0\.00 s\x1b\[K\rQUEUED {2}0\.00 s .*\r\x1b\[K\(1 row, 0\.00 s, /s);
    expect(stderr).toMatch(/\(1 row, 0\.00 s, query 20261122_151200_00001_k3x9q, worker w1\)\n$/);
  });

  test('the progress line to the end beside a file', async () => {
    const terminal = new FakeTerminal({ stdoutIsFile: true, stderrIsTerminal: true });
    const { stderr } = await runInMemory(['sql', 'SELECT 1'], { routes, terminal, clock: new FakeClock() });
    expect(stderr).toMatch(/FINISHED {2}0\.00 s {2}1 row {2}6B {2}w1\x1b\[K\r\x1b\[K\(1 row, .*\)\n$/);
  });

  test('the progress line beside a pipe only until the first rows: its reader may print on the same terminal', async () => {
    const terminal = new FakeTerminal({ stderrIsTerminal: true });
    const { stderr } = await runInMemory(['sql', 'SELECT 1'], { routes, terminal, clock: new FakeClock() });
    expect(stderr).toMatch(/RUNNING {2}0\.00 s {2}0 rows {2}0B {2}w1\x1b\[K\r\x1b\[K$/);
  });

  test('no progress line when it is switched off', async () => {
    const terminal = new FakeTerminal({ stdoutIsTerminal: true, stderrIsTerminal: true });
    expect(await runInMemory(['sql', '--progress', 'off', 'SELECT 1'], { routes, terminal })).toMatchObject({
      stderr: '',
    });
  });

  test.each([
    ['csv', '1\n'],
    ['table', ' 1\n'],
    ['json', '[\n{"n":1}\n]\n'],
    ['jsonl', '{"n":1}\n'],
  ])('%s without a header', async (format, expected) => {
    const { stdout } = await runInMemory(['sql', '-o', format, '--no-header', 'SELECT 1;'], { routes });
    expect(stdout).toBe(expected);
  });

  describe('what EXPLAIN answers', () => {
    const explain = '-- why so slow?\nEXPLAIN SELECT 1';
    const { routes: plans } = new FakeCoordinator({
      [explain]: async function* () {
        yield columns('Plan VARCHAR');
        yield rows('["Stage final [1 task]"]', '["    Output: result, \\"n\\""]');
        yield state(QueryState.FINISHED);
      },
    });
    const asCsv = 'Plan\nStage final [1 task]\n"    Output: result, ""n"""\n';
    test.each([
      ['as plain lines in a pipe', [], 'Stage final [1 task]\n    Output: result, "n"\n'],
      ['as csv when it is asked for', ['--output-format', 'csv'], asCsv],
    ])('%s', async (_, flags, expected) => {
      const result = await runInMemory(['sql', ...flags, explain], { routes: plans });
      expect(result).toEqual({ exitCode: 0, stdout: expected, stderr: '' });
    });
  });

  test('an empty result as one', async () => {
    expect((await runInMemory(['sql', '-o', 'json', 'SELECT none'], { routes })).stdout).toBe('[]\n');
  });

  test('progress as lines in a file when it is asked for, with the reason of the wait', async () => {
    const waits = new FakeCoordinator({
      'SELECT 2': async function* () {
        const message = '"global" runs 1 of 1: 0 here, 1 elsewhere';
        const waitReason = { kind: WaitKind.CONCURRENCY_LIMIT, queuedAhead: 1, message };
        yield state(QueryState.QUEUED, { resourceGroup: 'global', waitReason });
        yield state(QueryState.RUNNING);
        yield state(QueryState.FINISHED);
      },
    });
    const { stderr } = await runInMemory(['sql', '--progress', 'on', 'SELECT 2'], {
      routes: waits.routes,
      clock: new FakeClock(),
    });
    expect(stderr).toBe(
      [
        'QUEUED  0.00 s  "global" runs 1 of 1: 0 here, 1 elsewhere',
        'RUNNING  0.00 s  0 rows  0B',
        'FINISHED  0.00 s  0 rows  0B',
        `(0 rows, 0.00 s, query ${QUERY_ID})`,
        '',
      ].join('\n'),
    );
  });
});

test('the request says who asks, in which context, and within which limits', async () => {
  const coordinator = new FakeCoordinator();
  const flags = [
    ...['--user', 'ann', '--source', 'tests', '--catalog', 'tpch', '--schema', 'sf1', '--principal', 'ann@EXAMPLE'],
    ...['--client-info', 'ticket 7', '--client-tags', 'etl, nightly,', '--priority', '10'],
    ...['--resource-estimate', 'execution-time=5m,CPU_TIME=1h,peak-memory=2GB'],
    ...['--time-limit', '1.5s', '--cpu-time-limit', '2m', '--memory-limit', '512MB'],
  ];
  await runInMemory(['sql', ...flags, 'SELECT 1'], { routes: coordinator.routes });
  expect(coordinator.requests).toMatchObject([
    {
      statement: 'SELECT 1',
      session: {
        ...{ user: 'ann', source: 'tests', catalog: 'tpch', schema: 'sf1', principal: 'ann@EXAMPLE' },
        ...{ clientInfo: 'ticket 7', clientTags: ['etl', 'nightly'], priority: 10 },
        estimates: { executionTime: { seconds: 300n }, cpuTime: { seconds: 3_600n }, peakMemoryBytes: 2_147_483_648n },
      },
      timeLimit: { seconds: 1n, nanos: 500_000_000 },
      cpuTimeLimit: { seconds: 120n },
      memoryLimitBytes: 536_870_912n,
      resultFormat: ResultFormat.JSON_LINES,
    },
  ]);
});

test('what is not given is left to the coordinator', async () => {
  const coordinator = new FakeCoordinator();
  await runInMemory(['sql', 'SELECT 1'], { routes: coordinator.routes });
  expect(coordinator.requests).toMatchObject([
    {
      session: { source: 'tutti-cli', catalog: '', schema: '', principal: '', clientTags: [], priority: 0 },
      memoryLimitBytes: 0n,
    },
  ]);
  const [{ timeLimit, cpuTimeLimit, session } = {}] = coordinator.requests;
  expect([timeLimit, cpuTimeLimit, session?.estimates]).toEqual([undefined, undefined, undefined]);
});

test('the environment names the user', async () => {
  const coordinator = new FakeCoordinator();
  const terminal = new FakeTerminal({ env: { TUTTI_USER: 'bob' } });
  await runInMemory(['sql', 'SELECT 1'], { routes: coordinator.routes, terminal });
  expect(coordinator.requests[0]?.session).toMatchObject({ user: 'bob', source: 'tutti-cli' });
});

describe('several statements', () => {
  const input = 'SELECT 1;\n\n-- wrong\n SELECT nme\nFORM t; SELECT 1';

  test('run one after another', async () => {
    const terminal = new FakeTerminal({ input: 'SELECT 1; SELECT none;' });
    expect((await runInMemory(['sql'], { routes, terminal })).stdout).toBe('n\n1\nn\n');
  });

  test('stop at the first that fails', async () => {
    const { exitCode, stdout } = await runInMemory(['sql', '-f', '-'], {
      routes: new FakeCoordinator(wrongAt(4)).routes,
      terminal: new FakeTerminal({ input }),
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'n\n1\n' });
  });

  test('go on with --ignore-errors, and still exit with 1', async () => {
    const { exitCode, stdout } = await runInMemory(['sql', '--ignore-errors'], {
      routes: new FakeCoordinator(wrongAt(4)).routes,
      terminal: new FakeTerminal({ input }),
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'n\n1\nn\n1\n' });
  });

  test('an error names the line of the file', async () => {
    const path = file(input);
    const { stderr } = await runInMemory(['sql', '-f', path], { routes: new FakeCoordinator(wrongAt(3)).routes });
    expect(stderr).toBe(
      [
        'error: SYNTAX_ERROR: syntax error at or near "FORM"',
        `  ${path}:5: FORM t`,
        `${' '.repeat(path.length + 6)}^`,
        `  query ${QUERY_ID}`,
        '',
      ].join('\n'),
    );
  });

  const wrongAt = (line: number) => ({
    '-- wrong\n SELECT nme\nFORM t': async function* () {
      yield state(QueryState.QUEUED);
      const metadata = { line: String(line), column: '1' };
      throw rpcError(Code.InvalidArgument, 'syntax error at or near "FORM"', { reason: 'SYNTAX_ERROR', metadata });
    },
  });
});

describe('a statement fails', () => {
  test('with the place marked', async () => {
    const { exitCode, stdout, stderr } = await runInMemory(['sql', 'SELECT nme\nFORM t'], { routes });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toBe(
      `error: SYNTAX_ERROR: syntax error at or near "FORM"\n  line 2: FORM t\n          ^\n  query ${QUERY_ID}\n`,
    );
  });

  test('saying when it may be tried again', async () => {
    const busy = new FakeCoordinator({
      'SELECT 2': async function* () {
        throw rpcError(Code.Unavailable, 'worker w1 was lost', { reason: 'WORKER_LOST', retryAfterMs: 1_000 });
      },
    });
    const { exitCode, stderr } = await runInMemory(['sql', 'SELECT 2'], { routes: busy.routes });
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'error: WORKER_LOST: worker w1 was lost\n  The same may succeed when it is tried again in 1.00 s.\n',
    );
  });

  test('when the stream ends without the final state: what came is not taken for the whole (R3)', async () => {
    const { exitCode, stdout, stderr } = await runInMemory(['sql', '-o', 'json', 'SELECT broken off'], { routes });
    expect(exitCode).toBe(1);
    expect(stdout).toBe('[\n{"n":1},\n{"n":2}');
    expect(stderr).toMatch(/^error: CONNECTION_LOST: the server ended the result before/);
  });
});

describe('the input is wrong:', () => {
  test.each([
    ['a statement and a file', ['sql', '-f', 'x.sql', 'SELECT 1'], 'give either a statement or --file, not both'],
    ['a file that is not there', ['sql', '-f', '/nowhere/x.sql'], 'cannot read the file of --file: ENOENT'],
    ['an empty statement', ['sql', ' ; -- nothing'], 'there is no statement in the input'],
    ['no statement at a terminal', ['sql'], 'no statement: write it in quotes'],
  ])('%s', async (_name, argv, message) => {
    const terminal = new FakeTerminal({ stdinIsTerminal: true });
    const { exitCode, stderr } = await runInMemory(argv, { routes, terminal });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`error: ${message}`);
  });
});

describe('several servers', () => {
  const refused = new ConnectError('connect ECONNREFUSED', Code.Unavailable, undefined, undefined, {
    code: 'ECONNREFUSED',
  });
  refused.cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const refusing = { unary: () => Promise.reject(refused), stream: () => Promise.reject(refused) };

  test('the next one is asked when one refuses, and stays in use', async () => {
    const opened: string[] = [];
    const coordinator = new FakeCoordinator();
    const open = (url: string) => {
      opened.push(url);
      return url.includes('one') ? refusing : inMemory(coordinator.routes);
    };
    const result = await runInMemory(['sql', '--server', 'one:1,two:2,three:3', 'SELECT 1; SELECT 1'], { open });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'n\n1\nn\n1\n' });
    expect(opened).toEqual(['http://one:1', 'http://two:2']);
  });

  test('a server that drains passes the statement on', async () => {
    const draining = new FakeCoordinator({
      'SELECT 1': async function* () {
        const details = { reason: 'COORDINATOR_DRAINING', neverProcessed: true };
        throw rpcError(Code.Unavailable, 'the coordinator is draining', details);
      },
    });
    const coordinator = new FakeCoordinator();
    const open = (url: string) => inMemory(url.includes('one') ? draining.routes : coordinator.routes);
    expect(await runInMemory(['sql', '--server', 'one,two', 'SELECT 1'], { open })).toMatchObject({ exitCode: 0 });
    expect(await runInMemory(['sql', '--server', 'one', 'SELECT 1'], { open })).toMatchObject({
      exitCode: 1,
      stderr: 'error: COORDINATOR_DRAINING: the coordinator is draining\n',
    });
  });

  test('a failed statement is not sent to another one', async () => {
    const coordinator = new FakeCoordinator();
    const open = () => inMemory(coordinator.routes);
    await runInMemory(['sql', '--server', 'one,two', 'SELECT nme\nFORM t'], { open });
    expect(coordinator.requests).toHaveLength(1);
  });

  test('all refuse: each is named, with what to do', async () => {
    const result = await runInMemory(['sql', '--server', 'one,http://two', 'SELECT 1'], { open: () => refusing });
    expect(result).toEqual({
      exitCode: 3,
      stdout: '',
      stderr: [
        'error: cannot connect to http://one:8080: connection refused: nothing listens there',
        'error: cannot connect to http://two: connection refused: nothing listens there',
        'Start a local cluster with `npm start`, or name a server with --server URL or TUTTI_SERVER.',
        '',
      ].join('\n'),
    });
  });

  test('a server that says nothing is given up', async () => {
    const clock = new FakeClock();
    const coordinator = new FakeCoordinator({
      'SELECT 2': async function* () {
        await clock.advance(60_000);
        await new Promise(() => undefined);
      },
    });
    const result = await runInMemory(['sql', 'SELECT 2'], { routes: coordinator.routes, clock });
    expect(result).toMatchObject({ exitCode: 3 });
    expect(result.stderr).toContain('cannot connect to http://127.0.0.1:8080: no answer within 30.00s');
  });
});

test('rows are taken from the server only as fast as they can be written (R1)', async () => {
  const lines = Array.from({ length: 1_000 }, () => '["1"]');
  const coordinator = new FakeCoordinator({
    'SELECT 2': async function* () {
      yield state(QueryState.RUNNING);
      yield columns('n BIGINT');
      for (let batch = 0; batch < 1_000; batch += 1) yield rows(...lines);
      yield state(QueryState.FINISHED);
    },
  });
  const terminal = new FakeTerminal();
  let sentWhileFull = 0;
  terminal.write = async (text) => {
    terminal.stdout += text;
    const { messagesSent } = coordinator;
    for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
    sentWhileFull = Math.max(sentWhileFull, coordinator.messagesSent - messagesSent);
    if (terminal.stdout.length > 20_000) terminal.closeOutput();
  };
  expect(await runInMemory(['sql', 'SELECT 2'], { routes: coordinator.routes, terminal })).toMatchObject({
    exitCode: 0,
    stderr: '',
  });
  expect(sentWhileFull).toBeLessThanOrEqual(1);
  expect(coordinator.clientsGone).toBe(1);
});

describe('Ctrl-C', () => {
  test('cancels the query by its name and waits for the answer (R2)', async () => {
    const interrupt = new AbortController();
    const coordinator: FakeCoordinator = new FakeCoordinator({
      'SELECT 2': async function* (request, context) {
        yield state(QueryState.RUNNING);
        yield columns('n BIGINT');
        yield rows('["1"]');
        interrupt.abort(130);
        yield* script(request, context);
      },
    });
    const script = coordinator.untilCanceled();
    const result = await runInMemory(['sql', 'SELECT 2; SELECT 1'], {
      routes: coordinator.routes,
      interrupt: interrupt.signal,
    });
    expect(result).toMatchObject({ exitCode: 130, stderr: `canceled query ${QUERY_ID}\n` });
    expect(coordinator.cancelRequests).toMatchObject([{ queryId: QUERY_ID, reason: 'canceled by the user (Ctrl-C)' }]);
    expect(coordinator.requests).toHaveLength(1);
  });

  test('before the query has a name leaves the call', async () => {
    const interrupt = new AbortController();
    const coordinator: FakeCoordinator = new FakeCoordinator({
      'SELECT 2': (request, context) => {
        interrupt.abort(130);
        return coordinator.endless(request, context);
      },
    });
    const result = await runInMemory(['sql', 'SELECT 2'], { routes: coordinator.routes, interrupt: interrupt.signal });
    expect(result).toMatchObject({ exitCode: 130 });
    expect(coordinator.clientsGone).toBe(1);
  });
});
