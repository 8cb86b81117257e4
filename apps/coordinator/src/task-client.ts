import { create } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, createClient, type Transport } from '@connectrpc/connect';
import type { TaskStatus } from '@tutti/contracts/tutti/task/v1/task_pb';
import { CreateTaskRequestSchema, TaskService, TaskState } from '@tutti/contracts/tutti/task/v1/task_pb';
import { LEASE_FENCED, LEASE_REQUIRED, type ShardStamp, taskLeaseToWire, WORKER_NOT_ENROLLED } from '@tutti/lease-wire';
import type { Clock } from '@tutti/base';
import { readRpcError } from '@tutti/service';
import type { QueryFailure } from './core/query.js';
import { failure } from './core/query.js';
import { isRetriable } from './failure-codes.js';
import { TaskStreams } from './task-streams.js';

export interface NewTask {
  readonly taskId: string;
  readonly queryId: string;
  readonly group: string;
  readonly fragment: Uint8Array;
  /** 0 means what the worker gives a task. */
  readonly memoryLimitBytes: number;
  /** The lease by which the query was started; undefined when its group needs none. */
  readonly lease: ShardStamp | undefined;
  /** Set for a session: what other workers must bring to fetch its files. */
  readonly exchangeKey?: string | undefined;
}

/** What became of the attempt to start a task. */
export type CreateOutcome =
  | { readonly kind: 'accepted' }
  /** The worker certainly did nothing: the task may go elsewhere at once. */
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string }
  /** The worker did nothing, since the lease of the task is over: with a newer one it may try again. */
  | { readonly kind: 'fenced'; readonly message: string }
  /** Nobody knows whether the worker has it. Tasks only read, so another may be started; this one is canceled. */
  | { readonly kind: 'lost'; readonly message: string }
  | { readonly kind: 'failed'; readonly failure: QueryFailure };

/** What became of the attempt to stop a task. */
export type CancelOutcome =
  /** It has ended, or the worker has no such task and takes none by this id any more. Without use where none is known. */
  | { readonly kind: 'ended'; readonly use: TaskUse | undefined }
  /** It may still run. */
  | { readonly kind: 'unconfirmed'; readonly message: string };

export interface TaskUse {
  readonly rows: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
  /** Age of the task when it had used this. */
  readonly elapsedMs: number;
}

export type TaskPart =
  { readonly kind: 'lines'; readonly lines: Uint8Array } | { readonly kind: 'use'; readonly use: TaskUse };

/** How the rows of a task ended. */
export type TaskOutcome =
  | { readonly kind: 'finished' }
  | { readonly kind: 'lost'; readonly message: string }
  | { readonly kind: 'failed'; readonly failure: QueryFailure };

/** What a query asks of the workers. A task that was accepted has to be fetched or canceled. */
export interface TaskClient {
  create(address: string, task: NewTask, signal: AbortSignal): Promise<CreateOutcome>;
  /** Yields rows and use, and returns how it ended; once for a task. Aborting `signal` stops the task. */
  fetch(address: string, taskId: string, signal: AbortSignal): AsyncGenerator<TaskPart, TaskOutcome>;
  /** Stops a task. Never rejects. */
  cancel(address: string, taskId: string, reason: string): Promise<CancelOutcome>;
  /** What each task of a worker uses now; empty when it does not answer in time. Never rejects. */
  list(address: string, signal: AbortSignal): Promise<ReadonlyMap<string, TaskUse>>;
}

/** Starting an executor takes half a second on a slow machine; a worker that needs much longer is not well. */
const CREATE_TIMEOUT_MS = 5_000;
/** A worker interrupts, waits its grace, and kills: it answers well within this. */
const CANCEL_TIMEOUT_MS = 5_000;
/** Figures that come later are hardly worth more than those that are there. */
const LIST_TIMEOUT_MS = 900;

/** Calls workers; `transportTo` keeps one channel per address. */
export function createTaskClient(options: {
  readonly coordinatorId: string;
  readonly transportTo: (address: string) => Transport;
  readonly clock: Clock;
}): TaskClient {
  const streams = new TaskStreams(options.clock);
  const clientOf = (address: string) => createClient(TaskService, options.transportTo(address));
  return {
    async create(address, task, signal) {
      const request = create(CreateTaskRequestSchema, {
        taskId: task.taskId,
        queryId: task.queryId,
        coordinatorId: options.coordinatorId,
        resourceGroup: task.group,
        fragment: task.fragment,
        memoryLimitBytes: BigInt(task.memoryLimitBytes),
        ...(task.lease && { lease: taskLeaseToWire(task.lease) }),
        ...(task.exchangeKey !== undefined && { exchangeKey: task.exchangeKey }),
      });
      try {
        const { taskId } = task;
        // The rows come by the call that starts the task: one round trip less. It has no deadline of its own: the query's time
        // limit aborts the signal of its reader, and the channel notices a dead worker.
        const call = (left: AbortSignal) =>
          clientOf(address).fetchResults({ taskId, create: request }, { signal: left, timeoutMs: 0 });
        await streams.open(taskId, call, { signal, timeoutMs: CREATE_TIMEOUT_MS });
        return { kind: 'accepted' };
      } catch (error) {
        return createOutcomeOf(error);
      }
    },

    async *fetch(_address, taskId, signal) {
      const stream = streams.take(taskId);
      if (stream === undefined) return { kind: 'lost', message: 'the task was stopped before its rows were read' };
      const { parts, leave } = stream;
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      let isOver = false;
      try {
        for (;;) {
          const next = await parts.next();
          isOver = next.done === true;
          if (next.done === true) return { kind: 'finished' };
          const { part } = next.value;
          if (part.case === 'jsonLines') yield { kind: 'lines', lines: part.value };
          if (part.case === 'status') yield { kind: 'use', use: useOf(part.value) };
        }
      } catch (error) {
        isOver = true;
        return fetchOutcomeOf(error);
      } finally {
        signal.removeEventListener('abort', leave);
        if (!isOver) leave();
      }
    },

    async cancel(address, taskId, reason) {
      streams.take(taskId)?.leave();
      try {
        const { task } = await clientOf(address).cancelTask({ taskId, reason }, { timeoutMs: CANCEL_TIMEOUT_MS });
        if (task && UNENDED.has(task.state)) return { kind: 'unconfirmed', message: 'the task still runs' };
        return { kind: 'ended', use: task && useOf(task) };
      } catch (error) {
        return { kind: 'unconfirmed', message: readRpcError(error).message };
      }
    },

    async list(address, signal) {
      try {
        const { tasks } = await clientOf(address).listTasks({}, { signal, timeoutMs: LIST_TIMEOUT_MS });
        return new Map(tasks.map((task) => [task.taskId, useOf(task)]));
      } catch {
        // Who needs the figures asks again; what becomes of the tasks comes by their own streams.
        return new Map();
      }
    },
  };
}

const UNENDED: ReadonlySet<TaskState> = new Set([TaskState.PLANNED, TaskState.RUNNING]);

/** Refusals that say that the worker did nothing. */
const REFUSALS = new Set(['WORKER_BUSY', 'WORKER_DRAINING', LEASE_REQUIRED, WORKER_NOT_ENROLLED]);

function createOutcomeOf(error: unknown): CreateOutcome {
  const { reason, message, neverProcessed, ...remote } = readRpcError(error);
  if (reason === LEASE_FENCED) return { kind: 'fenced', message };
  if (neverProcessed || (reason !== undefined && REFUSALS.has(reason))) {
    return { kind: 'refused', reason: reason ?? 'UNREACHABLE', message };
  }
  return failedOr(reason, message, remote.code, remote.metadata);
}

function fetchOutcomeOf(error: unknown): TaskOutcome {
  const { reason, message, code, metadata } = readRpcError(error);
  return failedOr(reason, message, code, metadata);
}

/** Reasons with which a worker gives up a task that another worker can still run. */
const GIVEN_UP = new Set(['WORKER_DRAINING', 'TASK_NOT_FOUND', 'USER_CANCELED', 'CANCELED']);

function failedOr(
  reason: string | undefined,
  message: string,
  code: Code,
  metadata: Readonly<Record<string, string>>,
): { kind: 'lost'; message: string } | { kind: 'failed'; failure: QueryFailure } {
  if (reason !== undefined && !GIVEN_UP.has(reason)) {
    const place = { line: Number(metadata['line'] ?? 0), column: Number(metadata['column'] ?? 0) };
    return { kind: 'failed', failure: { ...failure(reason, message, isRetriable(reason)), ...place } };
  }
  const lost = [Code.Unavailable, Code.DeadlineExceeded, Code.Canceled, Code.Aborted, Code.NotFound];
  if (reason !== undefined || lost.includes(code)) return { kind: 'lost', message };
  return { kind: 'failed', failure: failure('INTERNAL_ERROR', `the worker failed: ${message}`) };
}

const useOf = (status: TaskStatus): TaskUse => ({
  rows: Number(status.rows),
  cpuMs: status.cpuTime ? durationMs(status.cpuTime) : 0,
  memoryBytes: Number(status.memoryBytes),
  peakMemoryBytes: Number(status.peakMemoryBytes),
  spilledBytes: Number(status.spilledBytes),
  elapsedMs: status.elapsed ? durationMs(status.elapsed) : 0,
});
