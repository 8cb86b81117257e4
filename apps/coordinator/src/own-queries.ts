import { create } from '@bufbuild/protobuf';
import type { FetchResultsRequest, FetchResultsResponse, QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import { FetchResultsResponseSchema } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { QueryFailure, QuerySnapshot } from './core/query.js';
import { failure, isEnd } from './core/query.js';
import type { QueryHistory } from './core/query-history.js';
import type { Dispatcher } from './dispatcher.js';
import { failureError, refuse } from './failure-codes.js';
import { LISTED_STATEMENT_LENGTH, queryInfoOf, wireStateOf } from './query-codec.js';
import type { OwnQueries } from './query-finder.js';
import { type QueryFilter, passes } from './query-list.js';
import { checkMaxWait } from './request-checks.js';
import { rowsOfLines } from './row-codec.js';
import type { SubmittedQueries } from './submitted-queries.js';

export interface OwnQueriesOptions {
  readonly nodeId: string;
  readonly dispatcher: Dispatcher;
  readonly history: QueryHistory;
  readonly submitted: SubmittedQueries;
  readonly onResultBytes: (count: number) => void;
}

/** The queries of this coordinator, live and ended, as its services show them. */
export class CoordinatorQueries implements OwnQueries {
  constructor(private readonly options: OwnQueriesOptions) {}

  get(queryId: string): QueryInfo | undefined {
    const query = this.snapshot(queryId);
    return query && queryInfoOf(query, this.options.nodeId);
  }

  /** A query that waits for its group; undefined when it does not any more. */
  waiting(queryId: string): QueryInfo | undefined {
    const query = this.options.dispatcher.find(queryId)?.snapshot();
    return query && queryInfoOf(query, this.options.nodeId, LISTED_STATEMENT_LENGTH);
  }

  *list(filter: QueryFilter): Generator<QueryInfo> {
    const { dispatcher, history, nodeId } = this.options;
    const live = [...dispatcher.queries()].reverse();
    const isWanted = (query: QuerySnapshot) =>
      passes({ state: wireStateOf(query.state), user: query.session.user }, filter);
    for (const query of live) {
      const snapshot = query.snapshot();
      if (isWanted(snapshot)) yield queryInfoOf(snapshot, nodeId, LISTED_STATEMENT_LENGTH);
    }
    for (const query of history.newest())
      if (isWanted(query)) yield queryInfoOf(query, nodeId, LISTED_STATEMENT_LENGTH);
  }

  cancel(queryId: string, reason: string): QueryInfo | undefined {
    const why = reason === '' ? 'The query was canceled.' : `The query was canceled: ${reason}`;
    this.options.dispatcher.find(queryId)?.apply({ kind: 'canceled', failure: failure('USER_CANCELED', why) });
    return this.get(queryId);
  }

  async fetch(request: FetchResultsRequest, signal: AbortSignal): Promise<FetchResultsResponse | undefined> {
    const { submitted, nodeId, onResultBytes } = this.options;
    const { queryId, pageToken } = request;
    const query = submitted.find(queryId);
    const outcome = await submitted.fetch(queryId, pageToken, checkMaxWait(request.maxWait), signal);
    if (query === undefined || outcome === undefined) return this.nothingToFetch(queryId);
    switch (outcome.kind) {
      case 'failed':
        throw failureError(query.failure as QueryFailure, queryId);
      case 'gone':
        return refuse('INVALID_ARGUMENT', `page_token "${pageToken}" is neither the last page nor the next one.`);
      case 'page': {
        const { lines, nextPageToken } = outcome.page;
        for (const part of lines) onResultBytes(part.length);
        return create(FetchResultsResponseSchema, {
          query: queryInfoOf(query.snapshot(), nodeId, LISTED_STATEMENT_LENGTH),
          columns: (query.columns ?? []).map(({ name, type }) => ({ name, type })),
          rows: lines.flatMap(rowsOfLines),
          nextPageToken,
        });
      }
    }
  }

  private snapshot(queryId: string): QuerySnapshot | undefined {
    return this.options.dispatcher.find(queryId)?.snapshot() ?? this.options.history.get(queryId);
  }

  /** Undefined when the query is not one of ours. */
  private nothingToFetch(queryId: string): undefined {
    const query = this.snapshot(queryId);
    if (query === undefined) return undefined;
    if (query.failure) throw failureError(query.failure, queryId);
    const message = isEnd(query.state)
      ? 'All results of the query were fetched, and are not kept any longer.'
      : 'The results of the query go to the stream of its ExecuteQuery call.';
    return refuse('INVALID_ARGUMENT', message);
  }
}
