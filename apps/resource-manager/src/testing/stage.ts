import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { nodeId, seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { DiscoveryService, NodeRole, NodeState } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import {
  type CoordinatorStatusSchema,
  HeartbeatService,
  type NodeReportSchema,
  type WorkerStatusSchema,
} from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type { QueryInfoSchema, QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import {
  type GroupCountsSchema,
  ResourceGroupService,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { LoadedGroups } from '@tutti/group-file';
import { defaultGroupConfig } from '@tutti/resource-groups';
import { aborted, AddressWatcher, createMetrics, readRpcError } from '@tutti/service';
import { memoryTransport, TestLog } from '@tutti/service/testing';
import { createResourceManager } from '../resource-manager.js';

export type Counts = MessageInitShape<typeof GroupCountsSchema>;
type Status = NonNullable<MessageInitShape<typeof NodeReportSchema>['status']>;
export type Query = MessageInitShape<typeof QueryInfoSchema>;

const CONFIG = {
  heartbeat: { interval: 1_000 },
  nodes: { suspectAfter: 2_500, lease: 10_000 },
  usage: { forgetAfter: 3_500 },
  queries: { expireAfter: 10_000, completedKept: 600_000, completedMax: 1_000 },
  seats: { ids: [], version: 1, firstStart: true },
};

/** A resource manager in memory, with its time in our hands, and the calls that nodes make. */
export class Stage {
  readonly clock = new FakeClock();
  readonly metrics = createMetrics({}, { processMetrics: false });
  readonly readiness: string[] = [];
  private readonly stop = new AbortController();
  private readonly log = new TestLog();
  /** What its file says, and what is wrong with it. */
  loaded: LoadedGroups = { config: defaultGroupConfig, version: 'built-in' };
  problems: string[] = [];
  private readonly manager = createResourceManager({
    nodeId: nodeId('r1'),
    incarnation: 7,
    config: CONFIG,
    addresses: new AddressWatcher({
      specs: [],
      resolveIntervalMs: 1_000,
      resolve: () => Promise.resolve([]),
      clock: this.clock,
      log: this.log,
    }),
    groups: groupsOf(this),
    clock: this.clock,
    random: seededRandom(1),
    metrics: this.metrics,
    log: this.log,
  });
  private readonly transport = memoryTransport(this.manager.clusterRoutes);
  readonly cluster = createClient(ClusterService, this.transport);
  readonly discovery = createClient(DiscoveryService, this.transport);
  readonly groups = createClient(ResourceGroupService, this.transport);
  readonly heartbeats = createClient(HeartbeatService, this.transport);
  private readonly endpoints = { clusterAddress: 'r1:9090', edgeAddress: 'r1:8080' };
  private readonly running = this.manager.run(this.endpoints, (_, why) => this.readiness.push(why), this.stop.signal);

  async announce(id: string, known: string[] = [], incarnation = 1n): Promise<void> {
    const role = id.startsWith('c') ? NodeRole.COORDINATOR : NodeRole.WORKER;
    const state = NodeState.ACTIVE;
    const announcement = { nodeId: id, role, incarnation, version: 1n, state, queryIdSuffix: `${id}${id}z` };
    const requests = async function* () {
      yield { announcement, knownNodeIds: known };
    };
    for await (const _ of this.discovery.announce(requests()));
  }

  report(id: string, sequence: number, status: Status, incarnation = 1n) {
    return this.heartbeats.reportNode({ report: { nodeId: id, incarnation, sequence: BigInt(sequence), status } });
  }

  coordinator(
    id: string,
    sequence: number,
    value: MessageInitShape<typeof CoordinatorStatusSchema> = {},
    incarnation = 1n,
  ) {
    return this.report(id, sequence, { case: 'coordinator', value }, incarnation);
  }

  worker(id: string, sequence: number, value: MessageInitShape<typeof WorkerStatusSchema> = {}) {
    return this.report(id, sequence, { case: 'worker', value });
  }

  ask(id: string, sequence: number, groups: Counts[] = []) {
    return this.groups.getUsage({ nodeId: id, incarnation: 1n, sequence: BigInt(sequence), groups });
  }

  async settled(): Promise<void> {
    await this.coordinator('c0', 1);
    for (let step = 0; step < 8; step++) await this.clock.advance(200);
  }

  /** Lets time pass in steps of the sweep. */
  async pass(ms: number): Promise<void> {
    for (let step = 0; step < ms / 200; step++) await this.clock.advance(200);
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
  }
}

/** A group file that is read whenever somebody looks. */
const groupsOf = (stage: Stage) => ({
  get current() {
    return stage.loaded;
  },
  status: () => ({ version: stage.loaded.version, problems: stage.problems }),
  run: aborted,
});

export const counts = (group: string, running: number, queued = 0, claimed = 0, round = 0): Counts => ({
  group,
  running,
  queued,
  claimed,
  claimRound: BigInt(round),
  hardConcurrencyLimit: 10,
  maxQueued: 100,
});

export const query = (queryId: string, state: QueryState, more: Query = {}): Query => ({ queryId, state, ...more });

export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => readRpcError(error),
  );
