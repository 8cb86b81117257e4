import { Code, type ConnectError } from '@connectrpc/connect';
import type { TaskError, TaskErrorReason } from '@tutti/engine';
import type { ExchangeError, ExchangeErrorReason } from '@tutti/exchange';
import { LEASE_FENCED, LEASE_REQUIRED, WORKER_NOT_ENROLLED } from '@tutti/lease-wire';
import { rpcError } from '@tutti/service';
import { FRAGMENTS_QUEUED_MAX, type FragmentRefusal } from './session-task.js';
import type { StopReason, TaskEffect } from './task-machine.js';

/** When a caller may ask a busy or draining worker again; another one is free to take the task at once. */
const RETRY_AFTER_MS = 500;

const codes: Readonly<Record<TaskErrorReason, Code>> = {
  EXCEEDED_LOCAL_MEMORY_LIMIT: Code.ResourceExhausted,
  EXCEEDED_SPILL_LIMIT: Code.ResourceExhausted,
  DISK_FULL: Code.ResourceExhausted,
  QUERY_FAILED: Code.InvalidArgument,
  TABLE_UNREADABLE: Code.FailedPrecondition,
  PERMISSION_DENIED: Code.PermissionDenied,
  EXECUTOR_CRASHED: Code.Unavailable,
  WORKER_BUSY: Code.ResourceExhausted,
  CANCELED: Code.Canceled,
  INTERNAL_ERROR: Code.Internal,
};

const exchangeCodes: Readonly<Record<ExchangeErrorReason, Code>> = {
  EXCHANGE_LOST: Code.Unavailable,
  EXCEEDED_EXCHANGE_LIMIT: Code.ResourceExhausted,
  DISK_FULL: Code.ResourceExhausted,
  PERMISSION_DENIED: Code.PermissionDenied,
};

/** The error with which the rows of a failed task end. */
export function taskFailed(error: TaskError): ConnectError {
  const { reason, message, position, retriable } = error;
  const metadata = position && { line: String(position.line), column: String(position.column) };
  return rpcError(codes[reason], message, {
    reason,
    ...(metadata && { metadata }),
    ...(retriable && { retryAfterMs: RETRY_AFTER_MS }),
  });
}

/** The error with which a fragment ends whose exchange files could not be had, or not be kept. */
export function exchangeFailed({ reason, message, place }: ExchangeError): ConnectError {
  const metadata = place && { task_id: place.taskId, name: place.file, worker: place.worker };
  return rpcError(exchangeCodes[reason], message, {
    reason,
    ...(metadata && { metadata }),
    ...(reason === 'EXCHANGE_LOST' && { retryAfterMs: RETRY_AFTER_MS }),
  });
}

/** The error for a fragment that was not taken. Nothing was done for it. */
export function fragmentRefused(refusal: FragmentRefusal | 'none' | 'notASession', fragmentId: string): ConnectError {
  switch (refusal) {
    case 'none':
      return rpcError(Code.NotFound, 'the worker has no such session; it may have ended', {
        reason: 'TASK_NOT_FOUND',
        neverProcessed: true,
      });
    case 'notASession':
      return rpcError(Code.InvalidArgument, 'fragments run in sessions, and this task is none', {
        reason: 'INVALID_ARGUMENT',
        neverProcessed: true,
      });
    case 'knownFragment':
      return rpcError(Code.AlreadyExists, `the session has fragment ${fragmentId} already`, {
        reason: 'INVALID_ARGUMENT',
        neverProcessed: true,
      });
    case 'queueFull':
      return rpcError(Code.ResourceExhausted, `${FRAGMENTS_QUEUED_MAX} fragments wait in the session already`, {
        reason: 'WORKER_BUSY',
        retryAfterMs: RETRY_AFTER_MS,
        neverProcessed: true,
      });
  }
}

/** The error with which the rows of a canceled task end. */
export function taskStopped(reason: StopReason): ConnectError {
  switch (reason) {
    case 'userCanceled':
    case 'readerLeft':
      return rpcError(Code.Canceled, 'the task was canceled', { reason: 'USER_CANCELED' });
    case 'orphaned':
      return rpcError(Code.Canceled, 'the task was canceled, since nobody read its rows', {
        reason: 'ABANDONED_QUERY',
      });
    case 'workerDraining':
      return rpcError(Code.Unavailable, 'the worker stops and the task did not end within drain.grace', {
        reason: 'WORKER_DRAINING',
        retryAfterMs: RETRY_AFTER_MS,
      });
  }
}

/** The error for a cancel that did not get through in time. The executor is being killed. */
export const stillStopping = (): ConnectError =>
  rpcError(Code.DeadlineExceeded, 'the task was canceled, but its executor has not ended yet; ask again', {
    reason: 'TASK_STOPPING',
    retryAfterMs: RETRY_AFTER_MS,
  });

/** The error for a request that the machine refused. Nothing was done for it. */
export function refused(effect: Extract<TaskEffect, { kind: 'refuse' }>, tasksMax: number): ConnectError {
  switch (effect.reason) {
    case 'busy':
      return rpcError(Code.ResourceExhausted, `the worker runs ${tasksMax} tasks already (task.maxTasks)`, {
        reason: 'WORKER_BUSY',
        retryAfterMs: RETRY_AFTER_MS,
        neverProcessed: true,
      });
    case 'draining':
      return rpcError(Code.Unavailable, 'the worker drains and takes no new tasks', {
        reason: 'WORKER_DRAINING',
        retryAfterMs: RETRY_AFTER_MS,
        neverProcessed: true,
      });
    case 'fenced':
      return rpcError(Code.FailedPrecondition, 'the lease by which the query was started is over', {
        reason: LEASE_FENCED,
        neverProcessed: true,
      });
    case 'leaseRequired':
      return rpcError(Code.FailedPrecondition, 'the resource group takes only queries that were started by a lease', {
        reason: LEASE_REQUIRED,
        neverProcessed: true,
      });
    case 'notEnrolled':
      return rpcError(Code.Unavailable, 'the worker has not heard yet from the owner of the resource group', {
        reason: WORKER_NOT_ENROLLED,
        retryAfterMs: RETRY_AFTER_MS,
        neverProcessed: true,
      });
    case 'canceledBefore':
      return rpcError(Code.FailedPrecondition, 'the task was canceled before it came', {
        reason: 'USER_CANCELED',
        neverProcessed: true,
      });
    case 'tooManyCanceled':
      return rpcError(Code.ResourceExhausted, 'too many unknown tasks were canceled within a minute', {
        reason: 'WORKER_BUSY',
        retryAfterMs: RETRY_AFTER_MS,
        neverProcessed: true,
      });
    case 'unknownTask':
      return rpcError(Code.NotFound, 'the worker does not know this task; it may have ended long ago', {
        reason: 'TASK_NOT_FOUND',
      });
    case 'alreadyRead':
      return rpcError(
        Code.FailedPrecondition,
        'the rows of this task have been asked for already; they are sent once',
        {
          reason: 'INVALID_ARGUMENT',
        },
      );
  }
}
