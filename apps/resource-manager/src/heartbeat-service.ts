import { Code, type ServiceImpl } from '@connectrpc/connect';
import { nodeId } from '@tutti/base';
import type { HeartbeatService, NodeReport } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { rpcError, untilAborted } from '@tutti/service';
import { type ClusterState, isSynced, recordCounts } from './cluster-state.js';
import { countsOf, cpuLevelsOf } from './group-codec.js';
import { queriesOf, roleOf, tasksOf } from './report-codec.js';
import type { ResourceManagerMetrics } from './resource-manager-metrics.js';

/** Hears the reports of all nodes. */
export function heartbeatService(
  state: ClusterState,
  metrics: Pick<ResourceManagerMetrics, 'reports'>,
  drainSignal: AbortSignal,
): ServiceImpl<typeof HeartbeatService> {
  const answer = (report: NodeReport | undefined) => {
    if (report !== undefined) metrics.reports.inc({ outcome: take(state, report) });
    return {
      ack: {
        sequence: report?.sequence ?? 0n,
        resourceManagerId: state.nodeId,
        resourceManagerIncarnation: BigInt(state.incarnation),
        synced: isSynced(state),
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

/** Takes one report into all parts of the state. Late ones change nothing. */
function take(state: ClusterState, report: NodeReport): 'newest' | 'late' {
  const role = roleOf(report);
  if (report.nodeId === '' || report.incarnation <= 0n || report.sequence <= 0n || role === undefined) {
    const message = 'a report needs node_id, incarnation, sequence and one status';
    throw rpcError(Code.InvalidArgument, message, { reason: 'INVALID_ARGUMENT' });
  }
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
  return 'newest';
}
