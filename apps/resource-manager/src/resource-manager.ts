import { create } from '@bufbuild/protobuf';
import { type Clock, type NodeId, type Random } from '@tutti/base';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { DiscoveryService } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { HeartbeatService } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { GetUsageRequestSchema, ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { Announcer, type Connect, discoveryService, type Endpoints, replicate } from '@tutti/discovery';
import type { GroupFile } from '@tutti/group-file';
import { HeartbeatSender, type NodeStatus, ProcessMonitor, reportToWire } from '@tutti/heartbeat';
import { seatSetToWire } from '@tutti/lease-wire';
import { type AddressWatcher, ChannelPool, every, type Log, type Metrics, type Routes } from '@tutti/service';
import { clusterService } from './cluster-service.js';
import { createClusterState, isSynced, sweep } from './cluster-state.js';
import { cpuLevelsToWire } from './group-codec.js';
import { heartbeatService } from './heartbeat-service.js';
import { leaseService, nodeIdTaken } from './lease-service.js';
import { createLeases } from './leases.js';
import { loadOf } from './report-codec.js';
import { resourceGroupService } from './resource-group-service.js';
import { resourceManagerMetrics } from './resource-manager-metrics.js';
import { seatQuestions, seatService } from './seat-service.js';
import type { Settings } from './settings.js';

const SWEEP_INTERVAL_MS = 400;

export interface ResourceManagerOptions {
  readonly nodeId: NodeId;
  /** Unix milliseconds at process start. */
  readonly incarnation: number;
  readonly config: Pick<Settings, 'heartbeat' | 'nodes' | 'usage' | 'queries' | 'seats'>;
  /** All resource managers; this one may be among them. */
  readonly addresses: AddressWatcher;
  /** The resource groups; the resource manager watches their file while it runs. */
  readonly groups: Pick<GroupFile, 'current' | 'status' | 'run'>;
  /** See AnnouncerOptions. */
  readonly onNameTaken?: (message: string) => void;
  readonly onNameFree?: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Opens channels to other resource managers. The default opens one per address. */
  readonly connect?: Connect;
}

/** A resource manager without its ports. */
export interface ResourceManager {
  /** What the other roles call. */
  readonly clusterRoutes: Routes;
  /** What people call. */
  readonly edgeRoutes: Routes;
  /**
   * Sweeps, replicates and reports itself until `signal` aborts. Tells whether it is ready: it has heard all nodes, and its
   * seats do not disagree with those of others. Without a majority of seats it is ready, and says why nothing is dealt.
   */
  run(endpoints: Endpoints, onReady: (ready: boolean, why: string) => void, signal: AbortSignal): Promise<void>;
  /** Gives the groups that it deals to other resource managers; to be called before `depart`, once. Bounded. */
  handOver(): Promise<void>;
  /** Another process has its node id: gives up what it deals, and ends its streams with coordinators. For good. */
  standAside(message: string): Promise<void>;
  /** Tells everybody that it leaves. */
  depart(): Promise<void>;
}

/** Wires the parts of a resource manager. */
export function createResourceManager(options: ResourceManagerOptions): ResourceManager {
  const { nodeId, incarnation, config, groups, clock, log } = options;
  const state = createClusterState({ nodeId, incarnation, groups, clock }, config);
  const metrics = resourceManagerMetrics(options.metrics, state);
  const { connect = new ChannelPool().connect } = options;
  const leases = createLeases({ ...options, state, config: config.seats, connect });
  const { shell, standing } = leases;
  const seats = { state, shell, seats: leases.seats, messages: leases.seatMessages, standing };

  const loadOfWorker = (id: NodeId) => {
    const entry = state.reports.get(id);
    return entry?.report.status.case === 'worker' ? loadOf(entry.report.status.value, entry.sequence) : undefined;
  };
  const edgeRoutes: Routes = (router) => {
    const service = resourceGroupService(state, metrics, shell.desk);
    router.service(ClusterService, clusterService(state));
    // People may look, and vouch for what is gone; only coordinators, on the cluster port, may say what they run and claim.
    const nobody = create(GetUsageRequestSchema);
    const { writeOffCoordinator } = leaseService(state, shell, new AbortController().signal);
    router.service(ResourceGroupService, {
      ...service,
      getUsage: (_, context) => service.getUsage(nobody, context),
      writeOffCoordinator,
    });
    router.service(SeatService, seatQuestions(seats));
  };
  const clusterRoutes: Routes = (router, drainSignal) => {
    const self = { resourceManagerId: nodeId, resourceManagerIncarnation: incarnation };
    const discovery = { ...self, nodes: state.nodes, leaseMs: config.nodes.lease, clock, log };
    router.service(HeartbeatService, heartbeatService(state, metrics, shell, drainSignal));
    router.service(DiscoveryService, discoveryService({ ...discovery, loadOf: loadOfWorker }, drainSignal));
    router.service(ResourceGroupService, {
      ...resourceGroupService(state, metrics, shell.desk),
      ...leaseService(state, shell, drainSignal),
    });
    router.service(SeatService, seatService(seats, drainSignal));
    router.service(ClusterService, clusterService(state));
  };

  const status = (): NodeStatus => {
    const cpu = cpuLevelsToWire(state.usage.cpuLevels(clock.now()));
    const told = { synced: isSynced(state), groupConfig: groups.status(), seats: seatSetToWire(leases.seats) };
    const { isIdle: seatIdle, heldBack } = standing();
    return { case: 'resourceManager', value: { ...told, seatIdle, seatHeldBack: heldBack === 'seatsDisagree', cpu } };
  };
  const monitor = new ProcessMonitor(clock);
  const processUsage = () => monitor.usage();
  const announcer = new Announcer({
    ...options,
    role: 'resourceManager',
    connect,
    // What other resource managers need to know of the cluster comes with replication.
    knownNodeIds: () => [],
  });
  const intervalMs = config.heartbeat.interval;
  const sender = new HeartbeatSender({ ...options, intervalMs, status, processUsage, connect });

  /** It is in its own view as the others are, without a network between. */
  const noteSelf = () => {
    const now = clock.now();
    const sequence = sender.nextSequence();
    const own = announcer.record();
    const isTaken = state.nodes.update((table) => table.announced(own, [], now));
    announcer.answered('', isTaken ? undefined : state.nodes.nodes.newerThan(own, now));
    const report = reportToWire({ nodeId, incarnation, sequence, process: processUsage(), status: status() });
    state.reports.record({ nodeId, incarnation, sequence, report, arrivedAt: now });
  };

  return {
    clusterRoutes,
    edgeRoutes,
    async run(endpoints, onReady, signal) {
      let wasSynced: boolean | undefined;
      let told: string | undefined;
      const sweepOnce = () => {
        sweep(state);
        const synced = isSynced(state);
        const { problems, heldBack } = standing();
        const missing = state.nodes.nodes.missing();
        if (synced !== wasSynced) log.info(synced ? 'synced' : 'syncing', { missing });
        wasSynced = synced;
        const unheard = synced ? [] : [`waits for ${missing.join(', ') || 'any coordinator'}`];
        const ready = synced && heldBack !== 'seatsDisagree';
        const news = [synced, ready, ...problems].join();
        if (told === news) return;
        told = news;
        onReady(ready, [...unheard, ...problems].join('; ') || 'ready');
      };
      const loop = { clock, random: options.random, signal, log };
      const announced = announcer.run(endpoints, signal);
      noteSelf();
      sweepOnce();
      await Promise.all([
        announced,
        sender.run(signal),
        groups.run(signal),
        leases.run(signal),
        replicate({ ...options, nodes: state.nodes, resourceManagerId: nodeId, connect }, signal),
        every({ ...loop, intervalMs: SWEEP_INTERVAL_MS, run: sweepOnce }),
        every({ ...loop, intervalMs, run: noteSelf }),
      ]);
      monitor.close();
    },
    handOver: () => leases.handOver(),
    async standAside(message) {
      await leases.handOver();
      shell.streams.turnAway(nodeIdTaken(message));
    },
    async depart() {
      announcer.setState('DRAINING');
      await announcer.depart();
    },
  };
}
