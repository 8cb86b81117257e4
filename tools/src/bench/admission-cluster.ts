import { createClient } from '@connectrpc/connect';
import type { NodeId } from '@tutti/base';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { preferenceOf, shardOfGroup } from '@tutti/resource-groups';
import { createEdgeTransport } from '@tutti/service';
import { LocalCluster, type LocalNode, type NodePlace, type Role } from '../local-cluster.js';
import { BENCH_GROUP, groupFileOf } from './admission-groups.js';
import type { Mode } from './admission-options.js';
import { EndedQueries } from './ended-queries.js';
import { LogTail } from './log-tail.js';
import { metricSum } from './metric-text.js';
import { coreWaitSeconds, cpuSeconds } from './process-stats.js';
import { QuerySender } from './query-sender.js';
import { TaskIntervals } from './task-intervals.js';
import { until } from './until.js';

export const RESOURCE_MANAGERS = 3;
export const COORDINATORS = 4;
export const WORKERS = 2;

const SETTLED_WITHIN_MS = 60_000;
const WARM_WITHIN_MS = 60_000;
const RPC_TIMEOUT_MS = 5_000;
/** A group that has just come up has no owner, and workers that have just come up take nothing: until this works. */
const WARM_UP_QUERIES = 2;
const WARM_UP_WITHIN_MS = 30_000;

/** A cluster whose group BENCH_GROUP has a limit, and what one can see of it from outside. */
export class AdmissionCluster {
  readonly tasks = new TaskIntervals();
  readonly ended = new EndedQueries();
  private readonly tails: readonly { readonly tail: LogTail; readonly role: Role }[];
  readonly senders: readonly QuerySender[];

  private constructor(readonly cluster: LocalCluster) {
    this.tails = cluster.nodes.map(({ logFile, role }) => ({ tail: new LogTail(logFile), role }));
    this.senders = cluster.byRole('coordinator').map((node) => new QuerySender(node.id, node.url('edge')));
  }

  /** Starts it and runs a few queries everywhere. */
  static async start(options: {
    readonly root: string;
    readonly name: string;
    readonly mode: Mode;
    readonly limit: number;
    readonly placeOf?: (id: string) => NodePlace;
  }): Promise<AdmissionCluster> {
    // Of each cluster the logs stay there: they tell why queries failed.
    const directory = join(options.root, '.tutti', 'bench-admission', options.name);
    mkdirSync(directory, { recursive: true });
    const resourceGroups = join(directory, 'resource-groups.json');
    writeFileSync(resourceGroups, JSON.stringify(groupFileOf(options.mode, options.limit)));
    // Presto's rule may start the limit on every coordinator: the workers must not hide that.
    const executors = Math.ceil((options.limit * COORDINATORS) / WORKERS);
    const cluster = await LocalCluster.create({
      root: options.root,
      directory: join(directory, 'nodes'),
      resourceManagers: RESOURCE_MANAGERS,
      coordinators: COORDINATORS,
      workers: WORKERS,
      catalogs: join(options.root, 'catalogs'),
      resourceGroups,
      arguments: {
        worker: [
          ...['--log-level', 'debug', '--task-threads', '1', '--task-memory-limit', '128MB'],
          ...['--task-max-tasks', `${2 * executors}`, '--executor-warm', `${executors}`],
        ],
      },
      ...(options.placeOf && { placeOf: options.placeOf }),
    });
    cluster.start();
    try {
      await cluster.ready();
      const admission = new AdmissionCluster(cluster);
      await admission.warmUp(executors);
      return admission;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const sender of this.senders) sender.close();
    await this.cluster.stop();
  }

  /** Takes over what the nodes have logged. */
  readLogs(): void {
    for (const { tail, role } of this.tails)
      for (const line of tail.read()) {
        if (role === 'worker') this.tasks.take(line);
        if (role === 'coordinator') this.ended.take(line);
      }
  }

  /** Sum of a metric over the nodes of a role that answer. */
  async metric(role: Role, name: string, labels?: string): Promise<number> {
    const texts = await Promise.all(
      this.cluster.byRole(role).map(async (node) => {
        if (!node.running) return '';
        const response = await fetch(`${node.url('metrics')}/metrics`, { signal: AbortSignal.timeout(RPC_TIMEOUT_MS) });
        return response.text();
      }),
    );
    return texts.reduce((sum, text) => sum + metricSum(text, name, labels), 0);
  }

  /** CPU that the processes of a role have used, without their children. */
  cpuSeconds(role: Role): number {
    return this.cluster.byRole(role).reduce((sum, { pid }) => sum + (pid === undefined ? 0 : cpuSeconds(pid)), 0);
  }

  /** For how long their event loops were ready to run and had no core. */
  coreWaitSeconds(role: Role): number {
    return this.cluster.byRole(role).reduce((sum, { pid }) => sum + (pid === undefined ? 0 : coreWaitSeconds(pid)), 0);
  }

  /** The resource manager that deals the slots of the group, as it says itself. */
  async owner(): Promise<LocalNode | undefined> {
    const shard = shardOfGroup(BENCH_GROUP);
    for (const node of this.cluster.byRole('resource-manager')) {
      const shards = (await this.askSeats(node))?.shards ?? [];
      if (shards.some((one) => one.shard === shard && one.owner === node.id && one.phase === 'dealing')) return node;
    }
    return undefined;
  }

  /**
   * Resolves when all seats give promises, which takes one that has just begun ten seconds, and the one deals that should: a
   * shard that changes hands meanwhile would be part of what is measured.
   */
  async settledOwner(): Promise<LocalNode> {
    const managers = this.cluster.byRole('resource-manager');
    await until('all resource managers take part', SETTLED_WITHIN_MS, async () => {
      const answers = await Promise.all(managers.map((node) => this.askSeats(node)));
      return answers.every((answer) => answer?.ready === true) || undefined;
    });
    const [first] = preferenceOf(
      managers.map(({ id }) => id as NodeId),
      shardOfGroup(BENCH_GROUP),
    );
    return until(`${first} deals`, SETTLED_WITHIN_MS, async () => {
      const owner = await this.owner();
      return owner?.id === first ? owner : undefined;
    });
  }

  private async askSeats(node: LocalNode) {
    if (!node.running) return undefined;
    const transport = createEdgeTransport({ url: node.url('edge') });
    try {
      return await createClient(SeatService, transport).listShards({}, { timeoutMs: RPC_TIMEOUT_MS });
    } catch {
      return undefined; // It is asked again.
    } finally {
      transport.close();
    }
  }

  private async warmUp(executors: number): Promise<void> {
    await until('executors', WARM_WITHIN_MS, async () => {
      const warm = await this.metric('worker', 'tutti_executors', 'state="warm"');
      return warm >= executors * WORKERS || undefined;
    });
    await Promise.all(
      this.senders.map((sender) =>
        until(`queries through ${sender.coordinatorId}`, WARM_UP_WITHIN_MS, async () => {
          for (let query = 0; query < WARM_UP_QUERIES; query++)
            if ((await sender.send({ sleepMs: 20 })).failure !== undefined) return undefined;
          return true;
        }),
      ),
    );
  }
}
