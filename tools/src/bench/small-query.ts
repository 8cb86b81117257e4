import { createClient } from '@connectrpc/connect';
import { DuckDBInstance } from '@duckdb/node-api';
import { join } from 'node:path';
import { createEdgeTransport } from '@tutti/service';
import { QueryService, QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { LocalCluster, type LocalNode, type Role } from '../local-cluster.js';
import { percentile } from './percentile.js';
import { childrenOf, cpuSeconds, rssBytes } from './process-stats.js';

export interface SmallQueryReport {
  /** `SELECT 1` through a coordinator and a worker. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The same statement on a DuckDB inside this process, in turn with the above. */
  readonly duckdbP50Ms: number;
  /** From the start of the first process until all seven are ready. */
  readonly readyMs: number;
  /** Cores that the idle cluster uses: seven processes and their executors. */
  readonly idleCores: number;
  /** Resident memory of one process of each role, the largest; shared pages are counted in each. */
  readonly rssBytes: Readonly<Record<Role | 'executor', number>>;
}

const WARM_UP_QUERIES = 50;
const MEASURED_QUERIES = 300;
const SETTLE_SECONDS = 20;
const IDLE_SECONDS = 15;

/** What the smallest query costs, and what a cluster costs that does nothing. */
export async function smallQuery(root: string, say: (text: string) => void): Promise<SmallQueryReport> {
  const cluster = await LocalCluster.create({
    root,
    directory: join(root, '.tutti', 'bench'),
    resourceManagers: 3,
    coordinators: 2,
    workers: 2,
    catalogs: join(root, 'catalogs'),
  });
  try {
    const startedAt = performance.now();
    cluster.start();
    await cluster.ready();
    const readyMs = performance.now() - startedAt;
    say(`ready after ${Math.round(readyMs)} ms; measuring ${MEASURED_QUERIES} queries ...`);
    const latency = await measureLatency(cluster);
    say(`measuring ${IDLE_SECONDS} s of idleness ...`);
    const idleCores = await measureIdle(cluster);
    return { ...latency, readyMs, idleCores, rssBytes: measureMemory(cluster) };
  } finally {
    await cluster.stop();
  }
}

async function measureLatency(cluster: LocalCluster) {
  const transport = createEdgeTransport({ url: cluster.url() });
  const client = createClient(QueryService, transport);
  const instance = await DuckDBInstance.create(':memory:');
  const duckdb = await instance.connect();
  const tutti: number[] = [];
  const baseline: number[] = [];
  for (let index = -WARM_UP_QUERIES; index < MEASURED_QUERIES; index++) {
    const startedAt = performance.now();
    let finished = false;
    for await (const { event } of client.executeQuery({ statement: 'SELECT 1' }, { timeoutMs: 30_000 })) {
      finished = event.case === 'query' && event.value.state === QueryState.FINISHED;
    }
    if (!finished) throw new Error('SELECT 1 did not finish');
    const endedAt = performance.now();
    await (await duckdb.run('SELECT 1')).getRows();
    if (index < 0) continue;
    tutti.push(endedAt - startedAt);
    baseline.push(performance.now() - endedAt);
  }
  duckdb.closeSync();
  transport.close();
  return { p50Ms: percentile(tutti, 0.5), p99Ms: percentile(tutti, 0.99), duckdbP50Ms: percentile(baseline, 0.5) };
}

const pidsOf = (node: LocalNode): number[] => (node.pid === undefined ? [] : [node.pid, ...childrenOf(node.pid)]);

async function measureIdle(cluster: LocalCluster): Promise<number> {
  const used = () =>
    cluster.nodes
      .flatMap(pidsOf)
      .map(cpuSeconds)
      .reduce((sum, seconds) => sum + seconds, 0);
  // Executors that are being replaced, and code that is still being compiled, are not idleness.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_SECONDS * 1_000));
  const before = used();
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1_000));
  return (used() - before) / ((performance.now() - startedAt) / 1_000);
}

function measureMemory(cluster: LocalCluster): SmallQueryReport['rssBytes'] {
  const largest = (pids: readonly number[]) => Math.max(0, ...pids.map(rssBytes));
  const own = (role: Role) => largest(cluster.byRole(role).flatMap((node) => node.pid ?? []));
  return {
    'resource-manager': own('resource-manager'),
    coordinator: own('coordinator'),
    worker: own('worker'),
    executor: largest(cluster.byRole('worker').flatMap((node) => pidsOf(node).slice(1))),
  };
}
