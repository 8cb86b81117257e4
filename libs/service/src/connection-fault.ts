// Tells faults of the connection from answers of the server. The libraries below us report them in their own ways
// (codes of Node in the chain of causes, texts of grpc-js); this file is the only one that knows them.
import { types } from 'node:util';
import { Code, type ConnectError } from '@connectrpc/connect';

const { isNativeError } = types;

/** `neverProcessed`: no server has seen the call. `maybeProcessed`: the connection broke while the call was open. */
export type ConnectionFault = 'neverProcessed' | 'maybeProcessed';

/** Node's codes for a call that found no connection to go out on. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_INVALID_SESSION',
]);

/** Node's codes for a connection that broke under a call. */
const BROKEN = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'ERR_HTTP2_INVALID_STREAM',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** A server refuses a stream only before it looks at it (RFC 9113, 8.7). */
const REFUSED = /REFUSED_STREAM|^Stream refused by server/;
/** How connect-node tells of a stream whose server died; a caller that gives up gets its own reason instead. */
const CUT_OFF = /^http\/2 stream closed with error code CANCEL/;
/** What grpc-js says when a call never got as far as a connection. */
const NO_CONNECTION = /^(No connection established|Name resolution failed|Failed to start HTTP\/2 stream)/;

/** The fault of the connection behind an error, or undefined when the server itself answered (or the caller gave up). */
export function connectionFault(error: ConnectError): ConnectionFault | undefined {
  if (error.code === Code.Canceled && CUT_OFF.test(error.rawMessage)) return 'maybeProcessed';
  if (error.code === Code.Canceled || error.code === Code.DeadlineExceeded) return undefined;
  const chain = causesOf(error);
  if (chain.some((cause) => REFUSED.test(messageOf(cause)))) return 'neverProcessed';
  if (error.code === Code.Unavailable && NO_CONNECTION.test(error.rawMessage)) return 'neverProcessed';
  const codes = chain.map(codeOf);
  if (codes.some((code) => code !== undefined && NEVER_SENT.has(code))) return 'neverProcessed';
  if (codes.some((code) => code !== undefined && BROKEN.has(code))) return 'maybeProcessed';
  return undefined;
}

function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  // isNativeError, not instanceof: Node's own errors come from another realm where code runs in a vm context (Jest).
  for (let cause = error; isNativeError(cause) && !chain.includes(cause); cause = cause.cause) chain.push(cause);
  return chain;
}

const messageOf = (error: Error): string => ('rawMessage' in error ? String(error.rawMessage) : error.message);

const codeOf = (error: Error): string | undefined =>
  'code' in error && typeof error.code === 'string' ? error.code : undefined;
