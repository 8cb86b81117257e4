import { Code, type ConnectError } from '@connectrpc/connect';
import { rpcError } from '@tutti/service';
import { failure, type QueryFailure } from './core/query.js';

/** gRPC codes of the reasons that a query or a call of a coordinator can end with; docs/errors.md shows the same table. */
const codes: Readonly<Record<string, Code>> = {
  SYNTAX_ERROR: Code.InvalidArgument,
  EMPTY_STATEMENT: Code.InvalidArgument,
  MULTIPLE_STATEMENTS: Code.InvalidArgument,
  QUERY_TEXT_TOO_LARGE: Code.InvalidArgument,
  TABLE_NOT_FOUND: Code.NotFound,
  SCHEMA_NOT_FOUND: Code.NotFound,
  CATALOG_NOT_FOUND: Code.NotFound,
  COLUMN_NOT_FOUND: Code.NotFound,
  FUNCTION_NOT_FOUND: Code.NotFound,
  TYPE_MISMATCH: Code.InvalidArgument,
  INVALID_STATEMENT: Code.InvalidArgument,
  INVALID_ARGUMENT: Code.InvalidArgument,
  NOT_SUPPORTED: Code.Unimplemented,
  PERMISSION_DENIED: Code.PermissionDenied,
  QUERY_QUEUE_FULL: Code.ResourceExhausted,
  MISSING_RESOURCE_GROUP_SELECTOR: Code.FailedPrecondition,
  INVALID_RESOURCE_GROUP: Code.FailedPrecondition,
  TOO_MANY_RESOURCE_GROUPS: Code.ResourceExhausted,
  EXCEEDED_QUEUED_TIME_LIMIT: Code.DeadlineExceeded,
  EXCEEDED_TIME_LIMIT: Code.DeadlineExceeded,
  EXCEEDED_CPU_LIMIT: Code.ResourceExhausted,
  EXCEEDED_LOCAL_MEMORY_LIMIT: Code.ResourceExhausted,
  EXCEEDED_SPILL_LIMIT: Code.ResourceExhausted,
  EXCEEDED_EXCHANGE_LIMIT: Code.ResourceExhausted,
  DISK_FULL: Code.ResourceExhausted,
  QUERY_FAILED: Code.InvalidArgument,
  TABLE_UNREADABLE: Code.FailedPrecondition,
  NO_WORKERS: Code.Unavailable,
  WORKER_LOST: Code.Unavailable,
  WORKER_DRAINING: Code.Unavailable,
  WORKER_BUSY: Code.ResourceExhausted,
  EXECUTOR_CRASHED: Code.Unavailable,
  USER_CANCELED: Code.Canceled,
  ADMINISTRATIVELY_KILLED: Code.Canceled,
  ABANDONED_QUERY: Code.Canceled,
  QUERY_NOT_FOUND: Code.NotFound,
  TASK_NOT_FOUND: Code.NotFound,
  GROUP_NOT_FOUND: Code.NotFound,
  COORDINATOR_GONE: Code.Unavailable,
  COORDINATOR_DRAINING: Code.Unavailable,
  NODE_ID_TAKEN: Code.Unavailable,
  RESOURCE_MANAGERS_UNREACHABLE: Code.Unavailable,
  RESOURCE_MANAGER_STARTING: Code.Unavailable,
  INTERNAL_ERROR: Code.Internal,
};

/** After this long it makes sense to send a statement again that failed for a passing reason. */
const RETRY_AFTER_MS = 1_000;

/** The error that a client gets for a failure. Its metadata names the query and, when there is one, the place in the text. */
export const failureError = (failure: QueryFailure, queryId?: string): ConnectError =>
  errorOf(failure, queryId === undefined ? {} : { query_id: queryId }, false);

/** The error for a statement that was not taken at all: the client may send it to another coordinator. */
export const refusal = (failure: QueryFailure): ConnectError => errorOf(failure, {}, true);

/** Refuses a request that makes no sense. */
export function refuse(reason: string, message: string): never {
  throw failureError(failure(reason, message));
}

function errorOf(
  failure: QueryFailure,
  metadata: Readonly<Record<string, string>>,
  neverProcessed: boolean,
): ConnectError {
  const place = failure.line > 0 ? { line: String(failure.line), column: String(failure.column) } : {};
  return rpcError(codes[failure.reason] ?? Code.Internal, failure.message, {
    reason: failure.reason,
    metadata: { ...metadata, ...place },
    neverProcessed,
    ...(failure.retriable ? { retryAfterMs: RETRY_AFTER_MS } : {}),
  });
}

/** Whether a statement that failed for this reason may succeed when it is sent again. */
export const isRetriable = (reason: string): boolean => codes[reason] === Code.Unavailable || reason === 'WORKER_BUSY';
