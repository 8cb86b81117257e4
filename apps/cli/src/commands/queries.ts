import { createClient } from '@connectrpc/connect';
import { formatSize } from '@tutti/base';
import { QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { UsageError } from '../failures.js';
import { formatElapsed, groupDigits } from '../output/quantities.js';
import { renderRecord, renderTable } from '../output/render-table.js';
import type { Styles } from '../output/styles.js';
import { clipText, escapeControls } from '../output/text-width.js';
import { decodeQuery, QUERY_STATE_NAMES, queryStateOf, type QueryView } from '../query-codec.js';
import { type Context, type ListFormat, printJson } from './context.js';

/** Which queries to list. */
export interface QueriesOptions {
  readonly format: ListFormat;
  /** Names of states with commas between; empty means all. */
  readonly state: string;
  readonly user: string;
  readonly limit: number;
}

const PAGE_SIZE_MAX = 1_000;

/** Lists the queries of the cluster: live ones first, then the newest that ended. */
export async function queriesCommand(options: QueriesOptions, context: Context): Promise<void> {
  const { terminal, connection } = context;
  const states = parseStates(options.state);
  const queries: QueryView[] = [];
  let pageToken = '';
  do {
    const pageSize = Math.min(PAGE_SIZE_MAX, options.limit - queries.length);
    const page = await connection.call((transport, callOptions) =>
      createClient(QueryService, transport).listQueries(
        { pageSize, pageToken, states, user: options.user },
        callOptions,
      ),
    );
    queries.push(...page.queries.map(decodeQuery));
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && queries.length < options.limit);
  if (options.format === 'json') return printJson(terminal, queries);
  await terminal.write(renderQueries(queries, terminal.stdoutStyles));
}

/** Shows all that is known of one query, and why it waits or failed. */
export async function showQueryCommand(queryId: string, format: ListFormat, context: Context): Promise<void> {
  const { terminal, connection } = context;
  const { query } = await connection.call((transport, options) =>
    createClient(QueryService, transport).getQuery({ queryId }, options),
  );
  if (query === undefined) throw new Error('the server answered without the query');
  if (format === 'json') return printJson(terminal, decodeQuery(query));
  await terminal.write(renderQuery(decodeQuery(query), terminal.stdoutStyles));
}

function parseStates(text: string) {
  const names = text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const unknown = names.filter((name) => !QUERY_STATE_NAMES.includes(name));
  if (unknown.length > 0)
    throw new UsageError(
      `--state: no such state: ${unknown.join(', ')}; the states are ${QUERY_STATE_NAMES.join(', ')}`,
    );
  return names.map(queryStateOf);
}

const STATEMENT_WIDTH_MAX = 60;
const oneLine = (statement: string): string => clipText(statement.replace(/\s+/g, ' ').trim(), STATEMENT_WIDTH_MAX);

/** The queries as a table; why they wait is a column when one of them does. */
export function renderQueries(queries: readonly QueryView[], styles: Styles): string {
  const anyWaits = queries.some((query) => query.waitReason !== null);
  const columns = [
    { title: 'query' },
    { title: 'state' },
    { title: 'user' },
    { title: 'group' },
    { title: 'coordinator' },
    { title: 'elapsed', right: true },
    { title: 'queued', right: true },
    { title: 'rows', right: true },
    ...(anyWaits ? [{ title: 'waits because' }] : []),
    { title: 'statement' },
  ];
  const rows = queries.map((query) => [
    query.queryId,
    query.error === null ? stateName(query) : `${stateName(query)}: ${query.error.reason}`,
    query.user,
    query.group,
    query.coordinator,
    formatElapsed(query.elapsedMs),
    formatElapsed(query.queuedMs),
    groupDigits(query.rows),
    ...(anyWaits ? [query.waitReason?.message ?? ''] : []),
    oneLine(query.statement),
  ]);
  return renderTable(columns, rows, styles);
}

const stateName = (query: QueryView): string => query.state.toLowerCase().replaceAll('_', ' ');

/** One query, an entry per line. */
export function renderQuery(query: QueryView, styles: Styles): string {
  const { error, waitReason } = query;
  const entries: [string, string][] = [
    ['query', query.queryId],
    ['state', stateName(query)],
    ['waits because', waitReason?.message ?? ''],
    ['data age', waitReason?.dataAgeMs == null ? '' : formatElapsed(waitReason.dataAgeMs)],
    ['error', error === null ? '' : `${error.reason}: ${error.message}`],
    ['at', error === null || error.line === 0 ? '' : `line ${error.line}, column ${error.column}`],
    ['retriable', error === null ? '' : error.retriable ? 'yes: the same statement may succeed when sent again' : 'no'],
    ['user', query.user],
    ['source', query.source],
    ['context', [query.catalog, query.schema].filter((part) => part !== '').join('.')],
    ['group', query.group],
    ['coordinator', query.coordinator],
    ['workers', query.workers.join(' ')],
    ['created', query.createTime ?? ''],
    ['elapsed', formatElapsed(query.elapsedMs)],
    ['queued', formatElapsed(query.queuedMs)],
    ['cpu', formatElapsed(query.cpuMs)],
    ['result', `${groupDigits(query.rows)} rows, ${formatSize(query.resultBytes)}`],
    ['memory', `${formatSize(query.memoryBytes)} now, ${formatSize(query.peakMemoryBytes)} at most`],
    ['spilled', query.spilledBytes === 0 ? '' : formatSize(query.spilledBytes)],
    ['statement', query.statement],
  ];
  return renderRecord(
    entries.map(([name, value]) => [name, value.split('\n').map(escapeControls).join('\n')]),
    styles,
  );
}
