// The only place where errors of calls are made and read. Services throw rpcError(...); clients decide on what
// readRpcError(...) says, never on the text of an error.
import { create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema, RetryInfoSchema } from '@tutti/contracts/google/rpc/error_details_pb';
import { connectionFault } from './connection-fault.js';

/** The domain of every `google.rpc.ErrorInfo` that Tutti sends. */
export const ERROR_DOMAIN = 'tutti.dev';

const NEVER_PROCESSED = 'neverProcessed';

/** What an error says besides its code and its message. */
export interface ErrorDetails {
  /** Names the cause in UPPER_SNAKE_CASE: the thing that programs decide on. */
  readonly reason: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** After how many milliseconds it makes sense to try again. */
  readonly retryAfterMs?: number;
  /** True when the server did nothing at all, so that the call may go to another server. Never after a first effect. */
  readonly neverProcessed?: boolean;
}

/** An error to throw from a service: carries google.rpc.ErrorInfo and, with retryAfterMs, google.rpc.RetryInfo. */
export function rpcError(code: Code, message: string, details: ErrorDetails): ConnectError {
  const metadata = { ...details.metadata, ...(details.neverProcessed ? { [NEVER_PROCESSED]: 'true' } : {}) };
  const info = { desc: ErrorInfoSchema, value: { reason: details.reason, domain: ERROR_DOMAIN, metadata } };
  if (details.retryAfterMs === undefined) return new ConnectError(message, code, undefined, [info]);
  const retryDelay = durationFromMs(Math.ceil(details.retryAfterMs));
  return new ConnectError(message, code, undefined, [info, { desc: RetryInfoSchema, value: { retryDelay } }]);
}

/** What a failed call tells its caller. */
export interface RemoteError {
  readonly code: Code;
  /** The message without a prefix that names the code. */
  readonly message: string;
  /** The reason that the server gave; undefined when the error comes from the connection or from other software. */
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
  /** The server certainly did nothing (connection refused, stream refused, draining): the call may go elsewhere. */
  readonly neverProcessed: boolean;
}

/**
 * Reads any error that a call threw. Faults of the connection become UNAVAILABLE, whatever code the library below gave
 * them: a stream that a draining server refuses arrives as INTERNAL otherwise, a reset connection as ABORTED.
 */
export function readRpcError(error: unknown): RemoteError {
  const remote = isAbort(error) ? new ConnectError(error.message, Code.Canceled) : ConnectError.from(error);
  const info = remote.findDetails(ErrorInfoSchema)[0];
  const retryDelay = remote.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const fault = info === undefined ? connectionFault(remote) : undefined;
  const { [NEVER_PROCESSED]: marked, ...metadata } = info?.metadata ?? {};
  return {
    code: fault === undefined ? remote.code : Code.Unavailable,
    message: remote.rawMessage,
    reason: info?.reason,
    metadata,
    retryAfterMs: retryDelay === undefined ? undefined : durationMs(retryDelay),
    neverProcessed: fault === 'neverProcessed' || marked === 'true',
  };
}

/** What AbortController.abort() gives as a reason when nobody names one. */
const isAbort = (error: unknown): error is { message: string } =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';

/** A fresh ErrorInfo, for places that carry one inside another message. */
export const errorInfo = (details: ErrorDetails) =>
  create(ErrorInfoSchema, { reason: details.reason, domain: ERROR_DOMAIN, metadata: { ...details.metadata } });
