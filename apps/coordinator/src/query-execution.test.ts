import { Code } from '@connectrpc/connect';
import { WaitKind } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import { Listening, oneGroup, TestCluster } from './testing/test-cluster.js';

describe('running a query on workers', () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.stop());

  test.each(['busy', 'draining', 'unreachable'] as const)('a worker that is %s is passed over', async (mode) => {
    const w1 = cluster.worker('w1');
    const w2 = cluster.worker('w2');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    await cluster.meet();
    w1.mode = mode;
    const heard = new Listening(client, { statement: 'rows 2' });
    await cluster.until(() => heard.over, 1);
    expect(heard.last?.stats?.workerIds).toEqual(['w2']);
    expect(w2.created).toEqual([`${heard.last?.queryId}.0.1`]);
  });

  test('without an active worker a query waits for resources, says so, and starts when one comes', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 2' });
    await cluster.until(() => heard.states.includes('WAITING_FOR_RESOURCES'), 10);
    await cluster.until(() => heard.last?.waitReason?.kind === WaitKind.NO_WORKERS);
    expect(heard.last?.waitReason?.message).toBe('Waits for a worker: none is active.');
    cluster.worker('w1');
    await cluster.until(() => heard.over, 10);
    expect(heard.rowCount).toBe(2);
    expect(heard.last?.waitReason).toBeUndefined();
  });

  test('a query that finds no worker in time fails with NO_WORKERS and may be sent again', async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 2' });
    await cluster.until(() => heard.over, 10_000);
    expect(heard.last?.elapsed?.seconds).toBe(300n);
    const { code, reason, retryAfterMs } = readRpcError(heard.error);
    expect({ code, reason, retryAfterMs }).toEqual({
      code: Code.Unavailable,
      reason: 'NO_WORKERS',
      retryAfterMs: 1_000,
    });
  });

  test('while all workers are busy queries stand in line, and one of them asks', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const first = new Listening(client, { statement: 'hold' });
    await cluster.until(() => first.states.includes('RUNNING'), 1);
    worker.mode = 'busy';
    const waiting = [1, 2, 3].map((n) => new Listening(client, { statement: `rows ${n}` }));
    await cluster.until(() => waiting.every(({ last }) => last?.waitReason?.kind === WaitKind.NO_WORKERS), 10);
    expect(waiting.map(({ last }) => last?.waitReason?.message)).toEqual(
      Array(3).fill(expect.stringMatching(/^Waits for a worker: none of the 1 active ones takes the query/)),
    );
    worker.mode = 'accept';
    worker.end('finish');
    await cluster.until(() => waiting.every(({ over }) => over), 10);
    expect(waiting.map(({ rowCount }) => rowCount)).toEqual([1, 2, 3]);
    expect(first.error).toBeUndefined();
  });

  test('a worker that dies before the first row costs nothing but time', async () => {
    const w1 = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'hold' });
    await cluster.until(() => heard.states.includes('RUNNING'), 1);
    const w2 = cluster.worker('w2');
    w1.mode = 'unreachable';
    w1.end('die');
    await cluster.until(() => w2.tasks.size === 1, 1);
    w2.end('finish');
    await cluster.until(() => heard.over, 1);
    expect(heard.error).toBeUndefined();
    expect(heard.states.at(-1)).toBe('FINISHED');
    expect(heard.last?.stats?.workerIds).toEqual(['w2']);
  });

  test('a worker that dies after the first row ends the query with WORKER_LOST, which may be sent again', async () => {
    const worker = cluster.worker('w1');
    cluster.worker('w2');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 1 hold' });
    await cluster.until(() => heard.rowCount === 1, 1);
    worker.end('die');
    await cluster.until(() => heard.over, 1);
    expect(heard.states.at(-1)).toBe('FAILED');
    expect(readRpcError(heard.error)).toMatchObject({
      code: Code.Unavailable,
      reason: 'WORKER_LOST',
      retryAfterMs: 1_000,
    });
    expect(heard.error?.rawMessage).toContain('The worker w1 was lost');
  });

  test('a task that is lost three times is given up', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'hold' });
    for (let run = 1; run <= 3; run++) {
      await cluster.until(() => worker.created.length === run && worker.holding !== undefined, 10);
      worker.end('die');
    }
    await cluster.until(() => heard.over, 10);
    expect(readRpcError(heard.error).reason).toBe('WORKER_LOST');
    expect(worker.created).toHaveLength(3);
  });

  test('T4: a coordinator that nobody heard for a while places no task again where others may have taken its slot', async () => {
    const w1 = cluster.worker('w1');
    const w2 = cluster.worker('w2');
    const { client } = cluster.coordinator('c1', 'aaaaa', oneGroup(100, 100, { admissionMode: 'gated' }));
    const heard = new Listening(client, { statement: 'hold' });
    await cluster.until(() => heard.states.includes('RUNNING'), 1);
    cluster.resourceManager.reachable = false;
    await cluster.clock.advance(5_000);
    cluster.resourceManager.reachable = true;
    await cluster.clock.advance(2_000);
    const [busy, idle] = w1.tasks.size > 0 ? [w1, w2] : [w2, w1];
    busy.end('die');
    await cluster.until(() => heard.over, 1);
    expect(idle.created).toEqual([]);
    expect(readRpcError(heard.error)).toMatchObject({
      code: Code.Unavailable,
      reason: 'RESOURCE_MANAGERS_UNREACHABLE',
      retryAfterMs: 1_000,
    });
    expect(heard.error?.rawMessage).toContain('its slot in "global" may be taken');
  });

  test('a crash of the executor is an answer, and no reason to crash another one', async () => {
    const worker = cluster.worker('w1');
    cluster.worker('w2');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'hold' });
    await cluster.until(() => heard.states.includes('RUNNING'), 1);
    worker.end('crash');
    await cluster.until(() => heard.over, 1);
    expect(readRpcError(heard.error)).toMatchObject({ reason: 'EXECUTOR_CRASHED', message: 'The executor crashed.' });
  });

  test('a restarted worker does not run what its former life ran', async () => {
    cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 1 hold' });
    await cluster.until(() => heard.rowCount === 1, 1);
    cluster.change('w1', { incarnation: 2 });
    await cluster.until(() => heard.over, 1);
    expect(readRpcError(heard.error).reason).toBe('WORKER_LOST');
  });

  test('a worker that nobody hears for a moment keeps its running query', async () => {
    const worker = cluster.worker('w1');
    const { client } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'rows 1 hold' });
    await cluster.until(() => heard.rowCount === 1, 1);
    cluster.change('w1', { state: 'SUSPECT' });
    await cluster.clock.advance(1_000);
    worker.end('finish');
    await cluster.until(() => heard.over, 1);
    expect(heard.error).toBeUndefined();
  });

  test('the slot of a canceled query is free only when its task has stopped', async () => {
    const worker = cluster.worker('w1');
    const { client, status } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'hold' });
    await cluster.until(() => heard.states.includes('RUNNING'), 1);
    await client.cancelQuery({ queryId: heard.last?.queryId ?? '' });
    const running = () => (status().value as { groups: { running: number }[] }).groups[0]?.running ?? 0;
    await cluster.until(() => running() === 0 && heard.over);
    expect(worker.canceled).toEqual(worker.created);
  });

  test('an end of the client while the statement is planned ends the query there', async () => {
    const { client, planner, dispatcher } = cluster.coordinator('c1', 'aaaaa');
    const heard = new Listening(client, { statement: 'slow' });
    await cluster.until(() => planner.planned.length === 1 && heard.states.length === 1);
    heard.leave();
    await cluster.until(() => dispatcher.queries().size === 0);
    expect(cluster.resourceManager.asked).toBe(0);
  });
});
