// Nodes and the sums of the cluster as the commands show them. Wire types stop here.
import { durationMs } from '@bufbuild/protobuf/wkt';
import type { ClusterNode, GetClusterResponse } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { NodeRole, NodeState } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';

/** One node. This is also what `-o json` prints, so a field may be added but not renamed. */
export interface NodeView {
  readonly nodeId: string;
  readonly role: string;
  readonly state: string;
  readonly clusterAddress: string;
  readonly edgeAddress: string;
  readonly version: string;
  readonly startTime: string | null;
  /** Time since it was last heard, by announcement or heartbeat. */
  readonly ageMs: number | null;
  readonly heartbeatAgeMs: number | null;
  readonly cpuCores: number;
  readonly cpuUsedCores: number;
  readonly rssBytes: number;
  /** What a worker does; null for other roles and for a worker that has not reported. */
  readonly work: {
    readonly runningTasks: number;
    readonly tasksMax: number;
    readonly memoryUsedBytes: number;
    readonly memoryReservedBytes: number;
    readonly memoryLimitBytes: number;
  } | null;
}

export function decodeNode({ node, process, worker, heartbeatAge }: ClusterNode): NodeView {
  const announcement = node?.announcement;
  return {
    nodeId: announcement?.nodeId ?? '',
    role: NodeRole[announcement?.role ?? 0] ?? '',
    state: NodeState[node?.state ?? 0] ?? '',
    clusterAddress: announcement?.clusterAddress ?? '',
    edgeAddress: announcement?.edgeAddress ?? '',
    version: announcement?.programVersion ?? '',
    startTime: announcement?.incarnation ? new Date(Number(announcement.incarnation)).toISOString() : null,
    ageMs: node?.age === undefined ? null : durationMs(node.age),
    heartbeatAgeMs: heartbeatAge === undefined ? null : durationMs(heartbeatAge),
    cpuCores: process?.cpuCores ?? 0,
    cpuUsedCores: process?.cpuUsedCores ?? 0,
    rssBytes: Number(process?.rssBytes ?? 0),
    work:
      worker === undefined
        ? null
        : {
            runningTasks: worker.tasks.length,
            tasksMax: worker.tasksMax,
            memoryUsedBytes: Number(worker.memoryUsedBytes),
            memoryReservedBytes: Number(worker.memoryReservedBytes),
            memoryLimitBytes: Number(worker.memoryLimitBytes),
          },
  };
}

/** The sums of the cluster, as one resource manager knows them. */
export interface ClusterSums {
  readonly activeCoordinators: number;
  readonly activeResourceManagers: number;
  readonly activeWorkers: number;
  readonly runningQueries: number;
  readonly queuedQueries: number;
  /** Of those, how many could run if the cluster were larger. */
  readonly adjustedQueueSize: number;
  readonly runningTasks: number;
  readonly memoryLimitBytes: number;
  readonly memoryReservedBytes: number;
  readonly memoryUsedBytes: number;
  readonly resourceManager: string;
  readonly synced: boolean;
}

export const decodeCluster = (cluster: GetClusterResponse): ClusterSums => ({
  activeCoordinators: cluster.activeCoordinators,
  activeResourceManagers: cluster.activeResourceManagers,
  activeWorkers: cluster.activeWorkers,
  runningQueries: cluster.runningQueries,
  queuedQueries: cluster.queuedQueries,
  adjustedQueueSize: cluster.adjustedQueueSize,
  runningTasks: cluster.runningTasks,
  memoryLimitBytes: Number(cluster.memoryLimitBytes),
  memoryReservedBytes: Number(cluster.memoryReservedBytes),
  memoryUsedBytes: Number(cluster.memoryUsedBytes),
  resourceManager: cluster.resourceManagerId,
  synced: cluster.synced,
});
