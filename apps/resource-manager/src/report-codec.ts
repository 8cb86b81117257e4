// Reads what nodes report into the types of the parts that keep it, and writes queries back out.
import { clone } from '@bufbuild/protobuf';
import { type NodeId, queryId } from '@tutti/base';
import type { CoordinatorStatus, NodeReport, WorkerStatus } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { type QueryInfo, QueryInfoSchema, QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { TaskState } from '@tutti/contracts/tutti/task/v1/task_pb';
import type { NodeLoad, NodeRole } from '@tutti/discovery';
import { fencesKeptFromWire, seatSetFromWire } from '@tutti/lease-wire';
import type { DeskReport, LeasedTask, SeatReport, WorkerTask } from '@tutti/resource-groups';
import type { ReportedQuery, ViewedQuery } from './core/cluster-view.js';

const ENDED: ReadonlySet<QueryState> = new Set([QueryState.FINISHED, QueryState.FAILED, QueryState.CANCELED]);
const ENDED_TASKS: ReadonlySet<TaskState> = new Set([TaskState.FINISHED, TaskState.FAILED, TaskState.CANCELED]);

/** The role that a report is of; undefined when it says nothing of it. */
export function roleOf({ status }: NodeReport): NodeRole | undefined {
  return status.case;
}

export const queriesOf = (status: CoordinatorStatus): ReportedQuery<QueryInfo>[] =>
  status.queries
    .filter((info) => info.queryId !== '')
    .map((info) => ({
      queryId: queryId(info.queryId),
      state: QueryState[info.state],
      isEnded: ENDED.has(info.state),
      user: info.session?.user ?? '',
      info,
    }));

/** The tasks that really run, as the worker says. */
export const tasksOf = (status: WorkerStatus): WorkerTask[] =>
  status.tasks
    .filter((task) => !ENDED_TASKS.has(task.state))
    .map((task) => ({
      coordinatorId: task.coordinatorId,
      group: task.resourceGroup,
      queryId: task.queryId,
      memoryBytes: Number(task.memoryBytes),
    }));

/** What a worker runs, and which fences it kept meanwhile. Throws BadMessage. */
export const deskReportOf = (report: NodeReport, status: WorkerStatus): DeskReport => ({
  workerId: report.nodeId,
  incarnation: Number(report.incarnation),
  sequence: Number(report.sequence),
  kept: fencesKeptFromWire(status.fencesKept),
  tasks: status.tasks
    .filter((task) => !ENDED_TASKS.has(task.state))
    .map((task): LeasedTask => ({
      coordinatorId: task.coordinatorId,
      incarnation: Number(task.lease?.coordinatorIncarnation ?? 0n),
      group: task.resourceGroup,
      queryId: task.queryId,
    })),
});

/** The seats that a resource manager says it has; nothing of other nodes. Throws BadMessage. */
export function seatReportsOf(id: NodeId, { incarnation, status }: NodeReport): SeatReport[] {
  if (status.case !== 'resourceManager') return [];
  const { seatIdle: isIdle, seatHeldBack: isHeldBack } = status.value;
  return [
    { nodeId: id, incarnation: Number(incarnation), seats: seatSetFromWire(status.value.seats), isIdle, isHeldBack },
  ];
}

export const loadOf = (status: WorkerStatus, sequence: number): NodeLoad => ({
  runningTasks: status.tasks.filter((task) => !ENDED_TASKS.has(task.state)).length,
  tasksMax: status.tasksMax,
  memoryReservedBytes: Number(status.memoryReservedBytes),
  memoryLimitBytes: Number(status.memoryLimitBytes),
  sequence,
});

/** The state in which a query is shown. */
export const shownState = ({ query, isLost }: ViewedQuery<unknown>): string => (isLost ? 'FAILED' : query.state);

/** A query as it is shown: one whose coordinator is gone has failed, whatever it was doing. */
export function shownInfo({ query, coordinatorId, isLost }: ViewedQuery<QueryInfo>): QueryInfo {
  if (!isLost) return query.info;
  const info = clone(QueryInfoSchema, query.info);
  delete info.waitReason;
  return Object.assign(info, {
    state: QueryState.FAILED,
    error: {
      $typeName: 'tutti.query.v1.QueryError',
      reason: 'COORDINATOR_GONE',
      message: `coordinator ${coordinatorId} is gone; the query was ${query.state} when it was last heard`,
      line: 0,
      column: 0,
      retriable: true,
    },
  });
}
