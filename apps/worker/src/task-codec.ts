import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import type { TaskId } from '@tutti/base';
import {
  type CreateTaskRequest,
  TaskState,
  type TaskStatus,
  TaskStatusSchema,
} from '@tutti/contracts/tutti/task/v1/task_pb';
import { isSession } from '@tutti/engine';
import { BadMessage, type ShardStamp, taskLeaseFromWire, taskLeaseToWire } from '@tutti/lease-wire';
import { shardOfGroup } from '@tutti/resource-groups';
import { rpcError } from '@tutti/service';
import type { SessionCounts } from './session-task.js';
import type { TaskPhase } from './task-machine.js';
import type { TaskReport, TaskRequest } from './task-runner.js';

const STATES: Readonly<Record<TaskPhase['kind'], TaskState>> = {
  planned: TaskState.PLANNED,
  running: TaskState.RUNNING,
  finished: TaskState.FINISHED,
  failed: TaskState.FAILED,
  canceled: TaskState.CANCELED,
};

/** A task, for the wire. */
export function statusToWire(task: TaskReport): TaskStatus {
  const init: MessageInitShape<typeof TaskStatusSchema> = {
    taskId: task.taskId,
    queryId: task.queryId,
    state: STATES[task.phase.kind],
    rows: BigInt(task.usage.rows),
    cpuTime: durationFromMs(Math.round(task.usage.cpuMs)),
    memoryBytes: BigInt(Math.round(task.usage.memoryBytes)),
    peakMemoryBytes: BigInt(Math.round(task.usage.peakMemoryBytes)),
    spilledBytes: BigInt(Math.round(task.usage.spilledBytes)),
    elapsed: durationFromMs(Math.round(task.elapsedMs)),
    coordinatorId: task.coordinatorId,
    resourceGroup: task.resourceGroup,
    ...(task.lease && { lease: taskLeaseToWire(task.lease) }),
    ...(task.counts && countsToWire(task.counts)),
  };
  return create(TaskStatusSchema, init);
}

const countsToWire = ({ exchangeBytes, fetchedBytes, fragmentsDone, fragmentsOpen }: SessionCounts) => ({
  exchangeBytes: BigInt(exchangeBytes),
  fetchedBytes: BigInt(fetchedBytes),
  fragmentsDone,
  fragmentsOpen,
});

const ID_LENGTH_MAX = 200;
const EXCHANGE_KEY_LENGTH_MIN = 16;

/** A request to create a task; the memory limit is at most `memoryLimitMax`, and that when the request names none. */
export function requestFromWire(request: CreateTaskRequest, memoryLimitMax: number): TaskRequest {
  const { taskId, queryId, coordinatorId, resourceGroup, fragment } = request;
  for (const [field, value] of Object.entries({ task_id: taskId, query_id: queryId, coordinator_id: coordinatorId }))
    if (value === '' || value.length > ID_LENGTH_MAX)
      throw invalid(`${field} is needed, with at most ${ID_LENGTH_MAX} characters`);
  if (fragment.length === 0) throw invalid('fragment is needed: what the task is to run');
  const asked = Number(request.memoryLimitBytes);
  if (asked < 0) throw invalid('memory_limit_bytes must not be negative');
  const memoryLimitBytes = asked === 0 ? memoryLimitMax : Math.min(asked, memoryLimitMax);
  const lease = leaseFromWire(request);
  const session = sessionFromWire(request);
  return {
    taskId: taskId as TaskId,
    queryId,
    coordinatorId,
    resourceGroup,
    lease,
    fragment,
    memoryLimitBytes,
    session,
  };
}

/** What a session needs besides; undefined when the fragment is none. */
function sessionFromWire({ fragment, exchangeKey }: CreateTaskRequest): TaskRequest['session'] {
  if (!isSession(fragment)) return undefined;
  if (exchangeKey.length < EXCHANGE_KEY_LENGTH_MIN || exchangeKey.length > ID_LENGTH_MAX)
    throw invalid(`exchange_key of a session needs ${EXCHANGE_KEY_LENGTH_MIN} to ${ID_LENGTH_MAX} characters`);
  return { exchangeKey };
}

/** The lease that a task came with. It must be one of its own group's shard, or the fences of another one would judge it. */
function leaseFromWire({ lease: wire, coordinatorId, resourceGroup }: CreateTaskRequest): ShardStamp | undefined {
  if (wire === undefined) return undefined;
  let lease: ShardStamp;
  try {
    lease = taskLeaseFromWire(wire, coordinatorId);
  } catch (error) {
    if (error instanceof BadMessage) throw invalid(`lease: ${error.message}`);
    throw error;
  }
  const shard = shardOfGroup(resourceGroup);
  if (lease.shard !== shard)
    throw invalid(`lease.shard is ${lease.shard}, but resource_group "${resourceGroup}" is in shard ${shard}`);
  return lease;
}

const invalid = (message: string) => rpcError(Code.InvalidArgument, message, { reason: 'INVALID_ARGUMENT' });
