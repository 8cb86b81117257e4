import { type Client, createClient } from '@connectrpc/connect';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ExecuteQueryRequest,
  type QueryInfo,
  QueryService,
  QueryState,
} from '@tutti/contracts/tutti/query/v1/query_pb';
import { TaskService, TaskState, type TaskStatus } from '@tutti/contracts/tutti/task/v1/task_pb';
import { createClusterTransport, createEdgeTransport } from '@tutti/service';
import { LocalCluster, type LocalClusterOptions } from '@tutti/tools/local-cluster';

export const root = join(__dirname, '..', '..', '..');
export const QUERY_TIMEOUT_MS = 60_000;

/** A statement that keeps a worker busy until it is canceled, and that a cancel reaches at once. */
export const ENDLESS = 'SELECT count(*) AS n FROM range(100000000000) AS a(i) WHERE hash(i) = 42';

export interface TestCluster {
  readonly cluster: LocalCluster;
  readonly directory: string;
  /** Stops the processes and removes what they wrote. */
  close(): Promise<void>;
}

/** Starts a cluster of real processes and waits until all of them are ready. */
export async function startCluster(
  options: Partial<LocalClusterOptions> & { readonly groups?: unknown } = {},
): Promise<TestCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-cluster-'));
  const groupsFile = join(directory, 'resource-groups.json');
  const { groups } = options;
  if (groups !== undefined) writeFileSync(groupsFile, typeof groups === 'string' ? groups : JSON.stringify(groups));
  const cluster = await LocalCluster.create({
    root,
    directory: join(directory, 'nodes'),
    resourceManagers: 3,
    coordinators: 2,
    workers: 2,
    catalogs: join(root, 'catalogs'),
    resourceGroups: options.groups === undefined ? undefined : groupsFile,
    ...options,
  });
  const close = async () => {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  cluster.start();
  await cluster.ready().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { cluster, directory, close };
}

export interface QueryClient extends Client<typeof QueryService> {
  close(): void;
}

export function connect(url: string): QueryClient {
  const transport = createEdgeTransport({ url });
  return { ...createClient(QueryService, transport), close: () => transport.close() };
}

export interface QueryResult {
  readonly rows: unknown[][];
  readonly columns: readonly string[];
  readonly last: QueryInfo;
  readonly states: readonly QueryState[];
}

/** Runs a statement to its end. */
export async function runQuery(
  client: QueryClient,
  request: { statement: string } & Partial<Pick<ExecuteQueryRequest, 'session' | 'timeLimit'>>,
  onInfo: (info: QueryInfo) => void = () => undefined,
): Promise<QueryResult> {
  const rows: unknown[][] = [];
  let columns: string[] = [];
  const infos: QueryInfo[] = [];
  for await (const { event } of client.executeQuery(request, { timeoutMs: QUERY_TIMEOUT_MS })) {
    if (event.case === 'query') {
      infos.push(event.value);
      onInfo(event.value);
    }
    if (event.case === 'columns') columns = event.value.columns.map((column) => column.name);
    if (event.case === 'rows') rows.push(...event.value.rows.map((row) => row.values.map((value) => value.kind.value)));
  }
  const last = infos.at(-1);
  if (last?.state !== QueryState.FINISHED) throw new Error(`the stream ended in state ${last?.state}`);
  return { rows, columns, last, states: infos.map((info) => info.state) };
}

/** A query that was started and goes on in the background. */
export interface BackgroundQuery {
  readonly id: string;
  /** Resolves once `condition` holds for a state message of this query. */
  until(condition: (info: QueryInfo) => boolean): Promise<QueryInfo>;
  readonly result: Promise<QueryResult>;
}

/** Starts a statement and returns once its first state is known. */
export async function startQuery(
  client: QueryClient,
  request: Parameters<typeof runQuery>[1],
): Promise<BackgroundQuery> {
  const seen: QueryInfo[] = [];
  const waiters: {
    condition: (info: QueryInfo) => boolean;
    resolve: (info: QueryInfo) => void;
    reject: (error: unknown) => void;
  }[] = [];
  const result = runQuery(client, request, (info) => {
    seen.push(info);
    for (const waiter of waiters) if (waiter.condition(info)) waiter.resolve(info);
  });
  result.catch((error: unknown) => waiters.forEach((waiter) => waiter.reject(error)));
  const until = (condition: (info: QueryInfo) => boolean) =>
    new Promise<QueryInfo>((resolve, reject) => {
      const known = seen.find(condition);
      if (known !== undefined) return resolve(known);
      waiters.push({ condition, resolve, reject });
    });
  const first = await until(() => true);
  return { id: first.queryId, until, result };
}

/** Polls until `probe` returns something, within `withinMs`. For what a cluster reaches in its own time. */
export async function eventually<T>(what: string, withinMs: number, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How many tasks run now, as the workers themselves count. */
export async function runningTasks(
  { cluster }: TestCluster,
  counts: (task: TaskStatus) => boolean = () => true,
): Promise<number> {
  const workers = cluster.byRole('worker').filter((worker) => worker.running);
  const running = await Promise.all(
    workers.map(async (worker) => {
      const transport = createClusterTransport({ address: `127.0.0.1:${worker.ports.cluster}` });
      const { tasks } = await createClient(TaskService, transport).listTasks({}, { timeoutMs: 5_000 });
      transport.close();
      const live = tasks.filter(({ state }) => state === TaskState.RUNNING || state === TaskState.PLANNED);
      return live.filter(counts).length;
    }),
  );
  return running.reduce((sum, count) => sum + count, 0);
}
