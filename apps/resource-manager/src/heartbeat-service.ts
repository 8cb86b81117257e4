import { Code, type ServiceImpl } from '@connectrpc/connect';
import { nodeId } from '@tutti/base';
import type { HeartbeatService, NodeReport } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { rpcError, untilAborted } from '@tutti/service';
import { BadMessage, fenceListToWire, type ShardFences } from '@tutti/lease-wire';
import { type ClusterState, isSynced, recordCounts } from './cluster-state.js';
import { countsOf, cpuLevelsOf } from './group-codec.js';
import type { LeaseDeskShell } from './lease-desk-shell.js';
import { deskReportOf, queriesOf, roleOf, seatReportsOf, tasksOf } from './report-codec.js';
import type { ResourceManagerMetrics } from './resource-manager-metrics.js';

/** Hears the reports of all nodes. */
export function heartbeatService(
  state: ClusterState,
  metrics: Pick<ResourceManagerMetrics, 'reports'>,
  desk: Pick<LeaseDeskShell, 'workerReport'>,
  drainSignal: AbortSignal,
): ServiceImpl<typeof HeartbeatService> {
  const answer = (report: NodeReport | undefined) => {
    const taken = report === undefined ? undefined : take(state, desk, report);
    if (taken !== undefined) metrics.reports.inc({ outcome: taken === 'late' ? 'late' : 'newest' });
    const fences = taken === undefined || taken === 'late' ? [] : taken.map(fenceListToWire);
    return {
      ack: {
        sequence: report?.sequence ?? 0n,
        resourceManagerId: state.nodeId,
        resourceManagerIncarnation: BigInt(state.incarnation),
        synced: isSynced(state),
        fences,
      },
    };
  };
  return {
    async *streamNodeHeartbeats(requests) {
      for await (const { report } of untilAborted(requests, drainSignal)) yield answer(report);
    },
    reportNode: ({ report }) => answer(report),
  };
}

/** Takes one report into all parts of the state; returns which tasks a worker has to refuse. Late ones change nothing. */
function take(
  state: ClusterState,
  desk: Pick<LeaseDeskShell, 'workerReport'>,
  report: NodeReport,
): ShardFences[] | 'late' {
  const role = roleOf(report);
  if (report.nodeId === '' || report.incarnation <= 0n || report.sequence <= 0n || role === undefined) {
    const message = 'a report needs node_id, incarnation, sequence and one status';
    throw rpcError(Code.InvalidArgument, message, { reason: 'INVALID_ARGUMENT' });
  }
  const worker = readLeases(report);
  const now = state.clock.now();
  const id = nodeId(report.nodeId);
  const [incarnation, sequence] = [Number(report.incarnation), Number(report.sequence)];
  if (!state.nodes.update((table) => table.reported(id, incarnation, role, now))) return 'late';
  if (state.reports.record({ nodeId: id, incarnation, sequence, report, arrivedAt: now }) === 'late') return 'late';

  const { status } = report;
  if (status.case === 'coordinator') {
    const { queriesLeftOut, groupConfig } = status.value;
    const groups = countsOf(status.value.groups);
    recordCounts(state, { coordinatorId: id, incarnation, sequence, groups, configVersion: groupConfig?.version });
    const isComplete = queriesLeftOut === 0;
    state.queries.reported({ coordinatorId: id, incarnation, queries: queriesOf(status.value), isComplete }, now);
  }
  if (status.case === 'worker') state.usage.recordWorker(id, tasksOf(status.value), now);
  if (status.case === 'resourceManager') {
    const levels = cpuLevelsOf(status.value.cpu);
    state.usage.takeOverCpu({ resourceManagerId: id, incarnation, levels }, state.incarnation, now);
  }
  return worker === undefined ? [] : desk.workerReport(worker);
}

/** What a worker says of leases; throws INVALID_ARGUMENT when that, or what others say of seats, makes no sense. */
function readLeases(report: NodeReport) {
  try {
    seatReportsOf(nodeId(report.nodeId), report);
    return report.status.case === 'worker' ? deskReportOf(report, report.status.value) : undefined;
  } catch (error) {
    if (!(error instanceof BadMessage)) throw error;
    throw rpcError(Code.InvalidArgument, error.message, { reason: 'INVALID_ARGUMENT' });
  }
}
