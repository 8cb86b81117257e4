import { createClient } from '@connectrpc/connect';
import { QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { escapeControls } from '../output/text-width.js';
import { decodeQuery, type QueryView } from '../query-codec.js';
import { type Context, type ListFormat, printJson } from './context.js';

/** Which query to cancel, and what its owner is told. */
export interface KillOptions {
  readonly queryId: string;
  readonly reason: string;
  readonly format: ListFormat;
}

/** Cancels one query, whichever coordinator owns it. A query that has ended is no failure. */
export async function killCommand({ queryId, reason, format }: KillOptions, context: Context): Promise<void> {
  const { terminal, connection } = context;
  const { query } = await connection.call((transport, options) =>
    createClient(QueryService, transport).cancelQuery({ queryId, reason }, options),
  );
  if (query === undefined) throw new Error('the server answered without the query');
  const view = decodeQuery(query);
  if (format === 'json') return printJson(terminal, view);
  await terminal.write(`${escapeControls(killText(view))}\n`);
}

function killText({ queryId, state }: QueryView): string {
  switch (state) {
    case 'CANCELED':
      return `query ${queryId} is canceled`;
    case 'FINISHED':
    case 'FAILED':
      return `query ${queryId} had already ended: ${state.toLowerCase()}`;
    default:
      return `query ${queryId} is being canceled (${state.toLowerCase().replaceAll('_', ' ')})`;
  }
}
