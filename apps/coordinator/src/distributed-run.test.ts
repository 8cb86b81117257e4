import { Code, ConnectError } from '@connectrpc/connect';
import type { RunFragmentRequest } from '@tutti/contracts/tutti/task/v1/task_pb';
import { readRpcError, rpcError } from '@tutti/service';
import type { FakeOutcome, FakeWorker } from './testing/fake-worker.js';
import { Listening, TestCluster } from './testing/test-cluster.js';

interface StageJson {
  readonly stageId: string;
  readonly index: number;
  readonly scans: readonly { readonly parts: readonly { readonly firstRow: number }[] }[];
  readonly output: { readonly kind: 'files' | 'partitioned' | 'result'; readonly partitions?: number };
}

const read = ({ fragment }: RunFragmentRequest) => JSON.parse(new TextDecoder().decode(fragment)) as StageJson;
const stagesOf = ({ fragments }: FakeWorker) => fragments.map((id) => id.replace(/\.\d+\.\d+$/, ''));

/** One row in each file, and one row for each input file in a result. */
async function outcome(request: RunFragmentRequest, content = ''): Promise<FakeOutcome> {
  const { output } = read(request);
  const inputs = request.inputs.flatMap(({ files }) => files);
  if (output.kind === 'result')
    return { lines: inputs.map(({ name }) => `["${name}","1"]\n`).join(''), output: { rows: BigInt(inputs.length) } };
  const partitions = output.partitions ?? 1;
  const files = Array.from({ length: partitions }, (_, partition) => ({
    taskId: request.taskId,
    name: `${request.fragmentId}/${partition}`,
    ...{ partition, rows: 1n, bytes: 10n, content: new TextEncoder().encode(content) },
  }));
  return { output: { rows: BigInt(partitions), bytes: BigInt(10 * partitions), files } };
}

describe('a query that is cut into stages', () => {
  let cluster: TestCluster;
  let workers: readonly [FakeWorker, FakeWorker];
  beforeEach(() => {
    cluster = new TestCluster();
    workers = [cluster.worker('w1'), cluster.worker('w2')];
    for (const worker of workers) worker.onFragment = (request) => outcome(request);
  });
  afterEach(() => cluster.stop());

  const start = async () => {
    const { client } = cluster.coordinator('c1', 'aaaaa');
    await cluster.meet();
    return new Listening(client, { statement: 'grouped' });
  };

  test('runs on all workers, gives its rows once, and leaves no task behind', async () => {
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    expect(heard.error).toBeUndefined();
    expect(heard.last?.stats?.workerIds).toEqual(['w1', 'w2']);
    expect(heard.rowCount).toBeGreaterThan(0);
    expect(Number(heard.last?.stats?.rows)).toBe(heard.rowCount);
    const [first, second] = workers.map((worker) => new Set(stagesOf(worker)));
    expect([...(first ?? [])].filter((stage) => second?.has(stage)).length).toBeGreaterThan(0);
    expect(workers.map(({ tasks }) => tasks.size)).toEqual([0, 0]);
  });

  test('each split is scanned once, whatever runs where', async () => {
    const rows: number[] = [];
    for (const worker of workers)
      worker.onFragment = async (request) => {
        rows.push(...read(request).scans.flatMap(({ parts }) => parts.map(({ firstRow }) => firstRow)));
        return outcome(request);
      };
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    expect(rows.sort((a, b) => a - b)).toEqual([0, 5_000_000, 10_000_000, 15_000_000]);
  });

  test('with one worker it runs whole there', async () => {
    const alone = new TestCluster();
    const worker = alone.worker('w1');
    const { client } = alone.coordinator('c1', 'aaaaa');
    await alone.meet();
    const heard = new Listening(client, { statement: 'grouped rows 2' });
    await alone.until(() => heard.over, 10);
    expect(worker.fragments).toEqual([]);
    alone.stop();
  });

  test('a session that dies in the middle: what it held is made again by the other one, and the rows are right', async () => {
    const whole = await start();
    await cluster.until(() => whole.over, 10);
    let died = false;
    for (const worker of workers)
      worker.onFragment = async (request, signal) => {
        if (died || read(request).scans.length > 0) return outcome(request);
        died = true;
        worker.mode = 'unreachable';
        worker.end('die');
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        throw new ConnectError('the connection broke', Code.Unavailable);
      };
    const heard = new Listening(cluster.coordinators[0]?.client as never, { statement: 'grouped' });
    await cluster.until(() => heard.over, 60);
    expect(heard.error).toBeUndefined();
    expect(died).toBe(true);
    expect(heard.rowCount).toBe(whole.rowCount);
  });

  test('a fragment that cannot get a file has it made again', async () => {
    let refused = 0;
    for (const worker of workers)
      worker.onFragment = async (request) => {
        const [file] = request.inputs.flatMap(({ files }) => files);
        if (file === undefined || refused++ > 0) return outcome(request);
        const metadata = { task_id: file.taskId, name: file.name };
        throw rpcError(Code.Unavailable, `${file.name} is gone`, { reason: 'EXCHANGE_LOST', metadata });
      };
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    expect(heard.error).toBeUndefined();
    const attempts = workers.flatMap(({ fragments }) => fragments).map((id) => Number(id.split('.').at(-1)));
    expect(attempts.filter((attempt) => attempt === 2).length).toBe(2); // Who wrote it, and who reads it.
  });

  test('what small outputs hold goes along to those who read it elsewhere, and not to the session that wrote it', async () => {
    const came: { readonly own: boolean; readonly content: string }[] = [];
    for (const worker of workers)
      worker.onFragment = async (request) => {
        const { taskId, inputs } = request;
        for (const file of inputs.flatMap(({ files }) => files))
          came.push({ own: file.taskId === taskId, content: new TextDecoder().decode(file.content) });
        return outcome(request, request.contentBytesMax < 10 ? '' : 'ten bytes.');
      };
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    expect(heard.error).toBeUndefined();
    expect(new Set(came.map(({ own, content }) => (own ? `own ${content}` : content)))).toEqual(
      new Set(['own ', 'ten bytes.']),
    );
  });

  test('a failure of one task ends the query, says where, and stops the others', async () => {
    for (const worker of workers)
      worker.onFragment = async (request, signal) => {
        if (request.fragmentId.endsWith('.0.1'))
          throw rpcError(Code.InvalidArgument, 'division by zero', { reason: 'QUERY_FAILED' });
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        throw new ConnectError('left', Code.Canceled);
      };
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    const { reason, message } = readRpcError(heard.error);
    expect(reason).toBe('QUERY_FAILED');
    expect(message).toMatch(/^division by zero \(stage \S+, task 0, worker w[12]\)$/);
    await cluster.until(() => workers.every(({ tasks }) => tasks.size === 0), 10);
  });

  test('a fragment is tried three times; then the query fails and may be sent again', async () => {
    for (const worker of workers)
      worker.onFragment = async () => {
        throw new ConnectError('the connection broke', Code.Unavailable);
      };
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    expect(readRpcError(heard.error).reason).toBe('WORKER_LOST');
    expect(readRpcError(heard.error).message).toMatch(
      /was lost: worker w\d: the connection broke; it was started 3 times/,
    );
  });

  test('what a dead session could not run is not given to it again before its stream tells of the death', async () => {
    const [first] = workers;
    first.onFragment = async () => {
      throw rpcError(Code.Unavailable, 'the executor ended', { reason: 'EXECUTOR_CRASHED' });
    };
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    expect(heard.error).toBeUndefined();
    expect(heard.rowCount).toBeGreaterThan(0);
    // Both tasks that it was given at first; nothing came after.
    expect(first.fragments.length).toBeLessThanOrEqual(2);
  });

  test('fragments leave before the workers have said that they take the sessions, and a late answer holds up no rows', async () => {
    let answer = () => {};
    workers[1].answering = new Promise((resolve) => (answer = resolve));
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    expect(heard.error).toBeUndefined();
    expect(heard.rowCount).toBeGreaterThan(0);
    expect(stagesOf(workers[1]).length).toBeGreaterThan(0);
    answer();
    await cluster.until(() => workers.every(({ tasks }) => tasks.size === 0), 10);
  });

  test.each(['busy', 'draining', 'unreachable'] as const)('a worker that is %s takes no part', async (mode) => {
    workers[0].mode = mode;
    const heard = await start();
    await cluster.until(() => heard.over, 10);
    expect(heard.error).toBeUndefined();
    expect(heard.last?.stats?.workerIds).toEqual(['w2']);
  });
});
