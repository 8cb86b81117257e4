import { Code } from '@connectrpc/connect';
import {
  CannotConnectError,
  EXIT,
  FailedQuietlyError,
  InterruptedError,
  OutputClosedError,
  OutputFailedError,
  RequestFailedError,
  UsageError,
} from './failures.js';
import { type ErrorReport, renderError, type StatementSource } from './output/error-text.js';
import { formatElapsed } from './output/quantities.js';
import { escapeControls } from './output/text-width.js';
import type { Terminal } from './terminal.js';

/** Prints what a command threw, for people, and returns the exit code. */
export function reportEnd(error: unknown, terminal: Terminal): number {
  const fail = (text: string) => terminal.writeError(`${terminal.stderrStyles.red('error:')} ${text}\n`);
  if (error instanceof FailedQuietlyError) return EXIT.failed;
  if (error instanceof OutputClosedError) return EXIT.ok;
  if (error instanceof InterruptedError) {
    terminal.writeError(`${escapeControls(error.message)}\n`);
    return error.exitCode;
  }
  if (error instanceof UsageError) {
    fail(error.message);
    return EXIT.usage;
  }
  if (error instanceof CannotConnectError) {
    for (const { url, problem } of error.attempts) fail(`cannot connect to ${url}: ${escapeControls(problem)}`);
    terminal.writeError(
      'Start a local cluster with `npm start`, or name a server with --server URL or TUTTI_SERVER.\n',
    );
    return EXIT.cannotConnect;
  }
  if (error instanceof RequestFailedError) {
    reportRequestFailure(error, terminal);
    return EXIT.failed;
  }
  if (error instanceof OutputFailedError) {
    fail(error.message);
    return EXIT.failed;
  }
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.failed;
}

/** Prints the error of a server, with its place in the statement when it has one. */
export function reportRequestFailure(
  { remote }: RequestFailedError,
  terminal: Terminal,
  source?: StatementSource,
): void {
  const report: ErrorReport = {
    name: remote.reason ?? codeName(remote.code),
    message: remote.message,
    line: placeNumber(remote.metadata['line']),
    column: placeNumber(remote.metadata['column']),
    queryId: remote.metadata['query_id'],
    hint:
      remote.retryAfterMs === undefined
        ? undefined
        : `The same may succeed when it is tried again in ${formatElapsed(remote.retryAfterMs)}.`,
    source,
  };
  terminal.writeError(renderError(report, terminal.stderrStyles, terminal.width()));
}

const placeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/** "DeadlineExceeded" as DEADLINE_EXCEEDED. */
const codeName = (code: Code): string => (Code[code] ?? 'Unknown').replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
