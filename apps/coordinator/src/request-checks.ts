// What a request must be before it becomes a query. Each check throws the error that the client gets.
import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { formatDuration, formatSize } from '@tutti/base';
import { ResultFormat as WireFormat, type Session } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { ResultFormat } from '@tutti/engine';
import { limitsOf } from './core/query-limits.js';
import { decodeCursors, type QueuedCursors } from './core/queued-page.js';
import type { NewStatement } from './dispatcher.js';
import { refuse } from './failure-codes.js';
import { checkSession, type SessionLimits } from './session-checks.js';

export interface RequestLimits extends SessionLimits {
  readonly statementBytesMax: number;
  readonly executionMsMax: number;
}

export interface StatementRequest {
  readonly statement: string;
  readonly session?: Session | undefined;
  readonly timeLimit?: Duration | undefined;
  readonly cpuTimeLimit?: Duration | undefined;
  readonly memoryLimitBytes: bigint;
  /** Submitted queries have none: their rows are fetched as rows. */
  readonly resultFormat?: WireFormat;
}

/** The statement to run, with defaults filled in. */
export function checkStatement(request: StatementRequest, limits: RequestLimits): NewStatement {
  const bytes = Buffer.byteLength(request.statement);
  if (bytes > limits.statementBytesMax) {
    const most = formatSize(limits.statementBytesMax);
    refuse('QUERY_TEXT_TOO_LARGE', `The statement has ${formatSize(bytes)}; the most is ${most} (query.maxLength).`);
  }
  if (request.statement.trim() === '') refuse('EMPTY_STATEMENT', 'The statement is empty.');
  const asked = {
    executionMs: checkTimeLimit('time_limit', request.timeLimit),
    cpuMs: checkTimeLimit('cpu_time_limit', request.cpuTimeLimit),
    memoryBytes: checkMemoryLimit(request.memoryLimitBytes),
  };
  return {
    statement: request.statement,
    session: checkSession(request.session, limits),
    limits: limitsOf(asked, limits.executionMsMax),
    resultFormat: checkResultFormat(request.resultFormat ?? WireFormat.ROWS),
  };
}

const resultFormats: Readonly<Record<WireFormat, ResultFormat>> = {
  [WireFormat.UNSPECIFIED]: 'rows',
  [WireFormat.ROWS]: 'rows',
  [WireFormat.JSON_LINES]: 'jsonLines',
  [WireFormat.PARQUET]: 'parquet',
};

const checkResultFormat = (format: WireFormat): ResultFormat =>
  (resultFormats[format] as ResultFormat | undefined) ??
  refuse('INVALID_ARGUMENT', `result_format ${format} is not known.`);

function checkTimeLimit(name: string, limit: Duration | undefined): number | undefined {
  if (limit === undefined) return undefined;
  const ms = durationMs(limit);
  const was = ms < 0 ? `-${formatDuration(-ms)}` : formatDuration(ms);
  if (ms <= 0) refuse('INVALID_ARGUMENT', `${name} must be longer than zero; it is ${was}.`);
  return ms;
}

function checkMemoryLimit(bytes: bigint): number | undefined {
  if (bytes < 0n) refuse('INVALID_ARGUMENT', `memory_limit_bytes must not be negative; it is ${bytes}.`);
  return bytes === 0n ? undefined : Number(bytes);
}

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1_000;

export function checkPageSize(pageSize: number): number {
  if (pageSize < 0) refuse('INVALID_ARGUMENT', `page_size must not be negative; it is ${pageSize}.`);
  return pageSize === 0 ? PAGE_SIZE_DEFAULT : Math.min(pageSize, PAGE_SIZE_MAX);
}

/** Where the list of waiting queries goes on. */
export const checkCursors = (pageToken: string): QueuedCursors =>
  decodeCursors(pageToken) ?? refuse('INVALID_ARGUMENT', 'page_token is not one that ExplainQueued has returned.');

const WAIT_MS_DEFAULT = 1_000;
const WAIT_MS_MAX = 30_000;

export function checkMaxWait(maxWait: Duration | undefined): number {
  if (maxWait === undefined) return WAIT_MS_DEFAULT;
  const ms = durationMs(maxWait);
  if (ms < 0) refuse('INVALID_ARGUMENT', 'max_wait must not be negative.');
  return Math.min(ms, WAIT_MS_MAX);
}
