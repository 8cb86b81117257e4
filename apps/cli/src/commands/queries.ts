import { createClient } from '@connectrpc/connect';
import { QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { UsageError } from '../failures.js';
import { renderQueries, renderQuery } from '../output/query-text.js';
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

/** Shows all that is known of one query, and why it waits or failed. */
export async function showQueryCommand(queryId: string, format: ListFormat, context: Context): Promise<void> {
  const { terminal } = context;
  const query = await getQuery(queryId, context);
  if (format === 'json') return printJson(terminal, query);
  await terminal.write(renderQuery(query, terminal.stdoutStyles));
}

/** One query, whichever coordinator owns it. */
export async function getQuery(queryId: string, { connection }: Context): Promise<QueryView> {
  const { query } = await connection.call((transport, options) =>
    createClient(QueryService, transport).getQuery({ queryId }, options),
  );
  if (query === undefined) throw new Error('the server answered without the query');
  return decodeQuery(query);
}
