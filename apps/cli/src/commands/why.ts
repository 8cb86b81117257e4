import { createClient } from '@connectrpc/connect';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { RequestFailedError } from '../failures.js';
import { groupDigits } from '../output/quantities.js';
import { escapeControls } from '../output/text-width.js';
import { renderWaiting, renderWhy } from '../output/wait-text.js';
import { decodeQuery, type QueryView } from '../query-codec.js';
import { type Context, type ListFormat, printJson } from './context.js';
import { getQuery } from './queries.js';

/** Tells why one query waits, or that it does not. */
export async function whyCommand(queryId: string, format: ListFormat, context: Context): Promise<void> {
  const { terminal } = context;
  const query = await getQuery(queryId, context);
  if (format === 'json') return printJson(terminal, query);
  await terminal.write(renderWhy(query, terminal.stdoutStyles));
}

/** Which waiting queries to list. */
export interface WhyAllOptions {
  readonly format: ListFormat;
  /** Only those of this group and the groups below it; empty means all. */
  readonly group: string;
  /** Only those of this user; empty means all. */
  readonly user: string;
  readonly limit: number;
}

const PAGE_SIZE_MAX = 1_000;

/** Lists the queries that wait for their group, the next ones first, and why. */
export async function whyAllCommand(options: WhyAllOptions, context: Context): Promise<void> {
  const { format, group, user, limit } = options;
  const { terminal, connection } = context;
  const queries: QueryView[] = [];
  const unreachable = new Set<string>();
  let pageToken = '';
  do {
    // One more than is shown tells whether there are more; users are told apart only here.
    const pageSize = user === '' ? Math.min(PAGE_SIZE_MAX, limit + 1 - queries.length) : PAGE_SIZE_MAX;
    const page = await connection.call((transport, options) =>
      createClient(QueryService, transport).explainQueued({ pageSize, pageToken, group }, options),
    );
    queries.push(...page.queries.map(decodeQuery).filter((query) => user === '' || query.user === user));
    for (const coordinator of page.unreachableCoordinators) unreachable.add(coordinator);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && queries.length <= limit);
  if (queries.length === 0 && group !== '') await checkGroup(group, context);
  const isMore = queries.length > limit;
  if (isMore) queries.length = limit;
  if (format === 'json') await printJson(terminal, queries);
  else if (queries.length > 0) await terminal.write(renderWaiting(queries, terminal.stdoutStyles));
  else
    await terminal.write(
      `no query${user === '' ? '' : ` of ${escapeControls(user)}`} waits${group === '' ? '' : ` in ${escapeControls(group)}`}\n`,
    );
  if (isMore) terminal.writeError(`more wait than the ${groupDigits(limit)} shown: list them with a larger --limit\n`);
  if (unreachable.size === 0) return;
  const names = escapeControls([...unreachable].join(', '));
  terminal.writeError(
    `${terminal.stderrStyles.yellow('warning:')} no answer from ${names}: what waits there is not listed\n`,
  );
}

/** Fails when nobody knows the group: that nothing waits in it would hide a wrong name. */
async function checkGroup(group: string, { connection }: Context): Promise<void> {
  try {
    await connection.call((transport, options) =>
      createClient(ResourceGroupService, transport).listResourceGroups({ group, pageSize: 1 }, options),
    );
  } catch (error) {
    // What keeps the cluster from telling its groups does not make it less true that none waits.
    if (!(error instanceof RequestFailedError) || error.remote.reason === 'GROUP_NOT_FOUND') throw error;
  }
}
