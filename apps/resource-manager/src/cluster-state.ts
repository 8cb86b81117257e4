import { type Clock, type Instant, type NodeId, nodeId } from '@tutti/base';
import type { NodeReport } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type { QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import { LiveNodeTable, NodeTable } from '@tutti/discovery';
import type { GroupFile } from '@tutti/group-file';
import { HeartbeatLedger } from '@tutti/heartbeat';
import { type CoordinatorReport, UsageLedger } from '@tutti/resource-groups';
import { News } from '@tutti/service';
import { ClusterView } from './core/cluster-view.js';
import type { GroupSources } from './core/group-list.js';
import type { Settings } from './settings.js';

/**
 * All that a resource manager knows. It is in memory only: a restart makes it anew from what the nodes report; the CPU that
 * groups have used, from what the other resource managers report.
 */
export interface ClusterState {
  /** Who this is. */
  readonly nodeId: NodeId;
  /** Unix milliseconds at process start. */
  readonly incarnation: number;
  /** Which nodes there are. */
  readonly nodes: LiveNodeTable;
  /** What each of them said last. */
  readonly reports: HeartbeatLedger<NodeReport>;
  /** The queries of all coordinators. */
  readonly queries: ClusterView<QueryInfo>;
  /** What runs and waits in each resource group. */
  readonly usage: UsageLedger;
  /** After this much silence a coordinator counts by what workers run for it. */
  readonly usageForgetAfterMs: number;
  /** The resource groups of this node's own file. */
  readonly groups: KeptGroups;
  readonly clock: Clock;
}

/** The resource groups that a node keeps to. */
export type KeptGroups = Pick<GroupFile, 'current' | 'status'>;

/** Many changes of the table of nodes within this time make one message to those who watch it. */
const NEWS_COALESCE_MS = 20;

export function createClusterState(
  node: Pick<ClusterState, 'nodeId' | 'incarnation' | 'groups' | 'clock'>,
  config: Pick<Settings, 'nodes' | 'usage' | 'queries'>,
): ClusterState {
  const { clock } = node;
  const { suspectAfter, lease } = config.nodes;
  const { expireAfter, completedKept, completedMax } = config.queries;
  const table = new NodeTable({ suspectAfterMs: suspectAfter, leaseMs: lease }, clock.now());
  return {
    ...node,
    nodes: new LiveNodeTable(table, new News(clock, NEWS_COALESCE_MS)),
    reports: new HeartbeatLedger<NodeReport>({ expireAfterMs: lease }),
    queries: new ClusterView({ expireAfterMs: expireAfter, endedKeptMs: completedKept, endedMax: completedMax }),
    usage: new UsageLedger({ expireAfterMs: expireAfter }),
    usageForgetAfterMs: config.usage.forgetAfter,
  };
}

/** Whether what this resource manager says of the cluster is whole. */
export const isSynced = ({ nodes, clock }: ClusterState): boolean =>
  nodes.update((table) => table.isSynced(clock.now()));

/** Who takes no work is not part of the cluster's size: shares are of what can be used. */
function sizeOf({ nodes, reports }: ClusterState, now: Instant): GroupSources['cluster'] {
  const workers = nodes.nodes.nodes(now).filter(({ role, state }) => role === 'worker' && state === 'ACTIVE');
  const memoryBytes = workers.reduce((sum, worker) => {
    const status = reports.get(nodeId(worker.nodeId))?.report.status;
    return sum + (status?.case === 'worker' ? Number(status.value.memoryLimitBytes) : 0);
  }, 0);
  return { activeWorkers: workers.length, memoryBytes };
}

/** What runs and waits in the groups of the cluster, and what limits it. */
export function groupSources(state: ClusterState): GroupSources {
  const now = state.clock.now();
  return {
    config: state.groups.current.config,
    totals: state.usage.groups(now),
    cpuUsedMs: state.usage.cpuUsedMs(now),
    cluster: sizeOf(state, now),
  };
}

/** Takes in what a coordinator runs and waits for, from a heartbeat or a question. Late counts change nothing. */
export function recordCounts(state: ClusterState, report: CoordinatorReport): void {
  const now = state.clock.now();
  const node = state.nodes.nodes.get(nodeId(report.coordinatorId), now);
  const isThisLife = node?.incarnation === report.incarnation && node.querySuffix !== '';
  state.usage.record(isThisLife ? { ...report, queryIdSuffix: node.querySuffix } : report, now);
}

/** Lets time pass in all parts of the state; runs every few hundred milliseconds. */
export function sweep(state: ClusterState): void {
  const now = state.clock.now();
  state.nodes.update((table) => table.tick(now));
  for (const { nodeId: id, incarnation, report } of [...state.reports.all()]) {
    const node = state.nodes.nodes.get(id, now);
    if (node?.state !== 'GONE' || node.incarnation !== incarnation) continue;
    state.reports.forget(id);
    if (report.status.case !== 'coordinator') continue;
    state.queries.departed(id, now);
    state.usage.forget(id);
  }
  for (const { nodeId: id, role, state: nodeState, ageMs } of state.nodes.nodes.nodes(now)) {
    if (role !== 'coordinator' || nodeState !== 'SUSPECT' || ageMs <= state.usageForgetAfterMs) continue;
    // No resource manager has heard it for longer than answers are good for, so it has started nothing since, and cannot.
    // To count its last report until it expires would only make everybody wait for data that does not come.
    state.usage.forget(id);
  }
  state.reports.expire(now);
  state.queries.expire(now);
  state.usage.expire(now);
}
