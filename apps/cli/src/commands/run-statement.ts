import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, createClient } from '@connectrpc/connect';
import {
  ExecuteQueryRequestSchema,
  type QueryInfo,
  QueryService,
  ResultFormat,
} from '@tutti/contracts/tutti/query/v1/query_pb';
import { InterruptedError, RequestFailedError } from '../failures.js';
import type { ResultColumn } from '../output/column-type.js';
import { splitJsonArray } from '../output/json-text.js';
import {
  createResultFormat,
  linesFormat,
  type ResultFormat as Format,
  type ResultFormatName,
} from '../output/result-format.js';
import type { Styles } from '../output/styles.js';
import { escapeControls } from '../output/text-width.js';
import { type Progress, ProgressLine, renderSummary } from '../progress-line.js';
import { decodeQuery, type QueryView } from '../query-codec.js';
import type { Context } from './context.js';
import { type Identity, identityFields } from './identity.js';
import type { Piece, ResultSink } from './result-sink.js';
import type { SessionSettings } from './session-settings.js';

/** Who asks, in which context and within which limits, and how the rows are shown. */
export interface StatementOptions {
  readonly identity: Identity;
  readonly catalog: string;
  readonly priority: number | undefined;
  readonly timeLimitMs: number | undefined;
  readonly cpuTimeLimitMs: number | undefined;
  readonly memoryLimitBytes: number | undefined;
  readonly format: ResultFormatName;
  /** Nobody asked for a format that a program reads: what EXPLAIN answers is printed as the text that it is. */
  readonly plainPlans: boolean;
  readonly header: boolean;
  readonly progress: ProgressKind;
  /** Settings that are sent with the statement, and changed by it. */
  readonly session: SessionSettings;
  readonly sink: ResultSink;
}

/** Whether the progress line is shown: not at all, until the first rows are printed, or to the end. */
export type ProgressKind = 'none' | 'untilRows' | 'untilRowsNoSummary' | 'always';

/** Time that a server has to confirm that it canceled a query after Ctrl-C. */
const CANCEL_TIMEOUT_MS = 3_000;

/**
 * Runs one statement and prints its rows as they come, in bounded memory.
 *   R1. Rows are taken from the server only as fast as they can be written.
 *   R2. Ctrl-C cancels the query on the server, waits for its answer at most 3 s, and throws InterruptedError.
 *   R3. A result that ended early is never taken for a whole one: only the state FINISHED ends well.
 */
export async function runStatement(text: string, options: StatementOptions, context: Context): Promise<void> {
  const { terminal, clock, interrupt, connection } = context;
  const startedAt = clock.now();
  const run = new StatementRun();
  const progress = (): Progress => ({ ...run, elapsedMs: clock.now() - startedAt });
  const target = { write: (piece: string) => terminal.writeError(piece), width: () => terminal.width() };
  const line = new ProgressLine({ target, clock, inPlace: terminal.stderrIsTerminal, progress });
  const show = () => {
    if (options.progress === 'always' || (options.progress !== 'none' && !run.hasPrinted)) line.show();
  };

  const stop = new AbortController();
  const onInterrupt = () => void cancelOnServer(run.query, context).finally(() => stop.abort());
  const onOutputClosed = () => stop.abort();
  interrupt.addEventListener('abort', onInterrupt, { once: true });
  terminal.outputClosed.addEventListener('abort', onOutputClosed, { once: true });
  const print = async (piece: Piece) => {
    if (piece.length === 0) return;
    if (options.progress !== 'always') line.clear();
    run.hasPrinted = true;
    await options.sink.write(piece, stop.signal);
  };

  try {
    interrupt.throwIfAborted();
    show();
    for await (const { event } of connection.stream(
      (transport, signal) => createClient(QueryService, transport).executeQuery(requestOf(text, options), { signal }),
      stop.signal,
    )) {
      if (event.case === 'query') run.hear(event.value);
      if (event.case === 'columns') run.begin(text, event.value.columns, options, terminal.stdoutStyles);
      if (event.case === 'jsonLines') await print(run.take(event.value));
      if (event.case === 'parquet') await print(run.pass(event.value));
      show();
    }
    interrupt.throwIfAborted();
    if (run.query?.state !== 'FINISHED') throw cutOff(run.query);
    await print(run.format?.end() ?? '');
    line.clear();
    const change = run.info === undefined ? '' : options.session.apply(run.info);
    if (options.progress === 'always' || options.progress === 'untilRows') {
      const summary = change === '' ? renderSummary(progress()) : `(${escapeControls(change)})`;
      terminal.writeError(`${terminal.stderrStyles.dim(summary)}\n`);
    }
  } catch (error) {
    line.clear();
    terminal.outputClosed.throwIfAborted();
    if (interrupt.aborted) throw new InterruptedError(interruptText(run.query), Number(interrupt.reason));
    throw run.query !== undefined && error instanceof RequestFailedError ? withQueryId(error, run.query) : error;
  } finally {
    interrupt.removeEventListener('abort', onInterrupt);
    terminal.outputClosed.removeEventListener('abort', onOutputClosed);
  }
}

/** What is known of a statement while it runs. */
class StatementRun {
  info: QueryInfo | undefined;
  query: QueryView | undefined;
  format: Format | undefined;
  rows = 0;
  bytes = 0;
  hasPrinted = false;
  private readonly decoder = new TextDecoder();

  hear(info: QueryInfo): void {
    this.info = info;
    this.query = decodeQuery(info);
  }

  /** A statement about the session has no columns, and so no result. */
  begin(text: string, columns: readonly ResultColumn[], options: StatementOptions, styles: Styles): void {
    if (columns.length === 0) return;
    const { format, header, sink } = options;
    sink.begin();
    if (options.plainPlans && isExplain(text)) this.format = linesFormat;
    else if (format !== 'parquet') this.format = createResultFormat(format, columns, { header, styles });
  }

  /** Takes the next bytes of a file that the server writes. */
  pass(bytes: Uint8Array): Uint8Array {
    this.bytes += bytes.length;
    return bytes;
  }

  /** Takes whole lines, each the JSON array of one row; returns what can be printed. */
  take(lines: Uint8Array): string {
    this.bytes += lines.length;
    let printable = '';
    for (const line of this.decoder.decode(lines).split('\n')) {
      if (line === '') continue;
      this.rows += 1;
      printable += this.format?.row(splitJsonArray(line)) ?? '';
    }
    return printable;
  }
}

const isExplain = (text: string): boolean => /^(?:\s|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)*explain\b/i.test(text);

function requestOf(statement: string, options: StatementOptions) {
  const { catalog, priority, timeLimitMs, cpuTimeLimitMs, memoryLimitBytes } = options;
  return create(ExecuteQueryRequestSchema, {
    statement,
    session: {
      ...identityFields(options.identity),
      catalog,
      ...(priority !== undefined && { priority }),
      properties: { ...options.session.current },
    },
    resultFormat: options.format === 'parquet' ? ResultFormat.PARQUET : ResultFormat.JSON_LINES,
    ...(timeLimitMs !== undefined && { timeLimit: durationFromMs(timeLimitMs) }),
    ...(cpuTimeLimitMs !== undefined && { cpuTimeLimit: durationFromMs(cpuTimeLimitMs) }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes: BigInt(memoryLimitBytes) }),
  });
}

/** Cancels the query by name, so that the server knows the reason; a query without a name ends with its stream. */
async function cancelOnServer(query: QueryView | undefined, { connection }: Context): Promise<void> {
  if (query === undefined) return;
  const request = { queryId: query.queryId, reason: 'canceled by the user (Ctrl-C)' };
  try {
    await connection.callCurrent((transport) =>
      createClient(QueryService, transport).cancelQuery(request, { timeoutMs: CANCEL_TIMEOUT_MS }),
    );
  } catch {
    // The stream is left right after this, which cancels the query too, if the server lives.
  }
}

const interruptText = (query: QueryView | undefined): string =>
  query === undefined ? 'interrupted before the query began' : `canceled query ${query.queryId}`;

/** The error for a stream that ended without telling how the query ended. */
function cutOff(query: QueryView | undefined): RequestFailedError {
  const { error } = query ?? {};
  return new RequestFailedError({
    code: Code.Unavailable,
    message: error?.message ?? 'the server ended the result before the query was finished',
    reason: error?.reason ?? 'CONNECTION_LOST',
    metadata: error ? { line: String(error.line), column: String(error.column) } : {},
    retryAfterMs: undefined,
    neverProcessed: false,
  });
}

function withQueryId({ remote }: RequestFailedError, { queryId }: QueryView): RequestFailedError {
  return new RequestFailedError({
    ...remote,
    reason: remote.reason ?? (remote.code === Code.Unavailable ? 'CONNECTION_LOST' : undefined),
    metadata: { query_id: queryId, ...remote.metadata },
  });
}
