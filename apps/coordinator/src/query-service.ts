import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { Clock } from '@tutti/base';
import type { ExecuteQueryResponse, QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { ExecuteQueryResponseSchema, RowsSchema } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { ResultFormat } from '@tutti/engine';
import { withEncoded } from '@tutti/service';
import { failure } from './core/query.js';
import { isPageToken } from './core/query-page.js';
import type { Dispatcher } from './dispatcher.js';
import { failureError, refusal, refuse } from './failure-codes.js';
import type { LiveQuery } from './live-query.js';
import { columnsOf, LISTED_STATEMENT_LENGTH, queryInfoOf } from './query-codec.js';
import type { QueryFinder } from './query-finder.js';
import type { QueryList } from './query-list.js';
import type { QueuedList } from './queued-list.js';
import { queryNews, type QueryNews } from './query-stream.js';
import type { RequestLimits, StatementRequest } from './request-checks.js';
import { checkCursors, checkMaxWait, checkPageSize, checkStatement } from './request-checks.js';
import { piecesOfLines, rowsOfLines } from './row-codec.js';
import { rowsToWire } from './row-wire.js';
import type { SubmittedQueries } from './submitted-queries.js';

export interface QueryServiceOptions {
  readonly nodeId: string;
  readonly dispatcher: Dispatcher;
  readonly submitted: SubmittedQueries;
  readonly finder: QueryFinder;
  readonly list: QueryList;
  readonly queued: QueuedList;
  readonly limits: RequestLimits;
  readonly onResultBytes: (count: number) => void;
  readonly clock: Clock;
}

/** Serves QueryService on both ports of a coordinator. */
export function queryService(options: QueryServiceOptions): ServiceImpl<typeof QueryService> {
  const { nodeId, dispatcher, submitted, finder, list, queued, limits, clock } = options;

  const submit = (request: StatementRequest): LiveQuery => {
    const submission = dispatcher.submit(checkStatement(request, limits));
    if (submission.kind === 'refused') throw refusal(submission.failure);
    return submission.query;
  };
  const infoOf = (query: LiveQuery) => queryInfoOf(query.snapshot(), nodeId, LISTED_STATEMENT_LENGTH);

  return {
    async *executeQuery(request, context) {
      const query = submit(request);
      const responseOf = responder(query, options, isJson(context));
      // Not in a finally: while the client does not read, this generator stands still and would never get there.
      const cancel = () => query.apply({ kind: 'canceled', failure: clientLeft });
      context.signal.addEventListener('abort', cancel, { once: true });
      try {
        for await (const news of queryNews(query, clock, context.signal))
          for (const part of partsOf(news, query.resultFormat)) yield responseOf(part);
        context.signal.throwIfAborted();
        if (query.failure) throw failureError(query.failure, query.queryId);
      } finally {
        context.signal.removeEventListener('abort', cancel);
        cancel();
      }
    },

    submitQuery(request) {
      const query = submit(request);
      submitted.add(query);
      return { query: infoOf(query) };
    },

    fetchResults: (request, { signal }) => finder.fetch(request, checkMaxWait(request.maxWait), signal),

    async getQuery({ queryId, localOnly }, { signal }) {
      return { query: await finder.get(queryId, localOnly, signal) };
    },

    async cancelQuery({ queryId, reason, localOnly }, { signal }) {
      return { query: await finder.cancel(queryId, reason, localOnly, signal) };
    },

    async listQueries({ pageSize, pageToken, states, user, localOnly }, { signal }: HandlerContext) {
      const size = checkPageSize(pageSize);
      if (!isPageToken(pageToken)) refuse('INVALID_ARGUMENT', 'page_token is not one that a list has returned.');
      const page = await list.page({ states, user }, { size, token: pageToken, localOnly }, signal);
      return { queries: page.items, nextPageToken: page.nextPageToken };
    },

    explainQueued({ pageSize, pageToken, group, localOnly }, { signal }) {
      const request = { group, size: checkPageSize(pageSize), from: checkCursors(pageToken), localOnly };
      return queued.page(request, signal);
    },
  };
}

const clientLeft = failure('USER_CANCELED', 'The client left before the query ended.');

/** Rows are sent in messages of this many bytes of text. */
const ROWS_PIECE_BYTES = 64 * 1024;

/** Each becomes one message. */
function* partsOf(news: QueryNews, format: ResultFormat): Generator<QueryNews> {
  if (news.kind !== 'lines' || format !== 'rows') return yield news;
  for (const lines of piecesOfLines(news.lines, ROWS_PIECE_BYTES)) yield { kind: 'lines', lines };
}

type ResponseEvent = Exclude<ExecuteQueryResponse['event'], { case: undefined }>;

/** Whether the client takes messages as JSON. */
const isJson = ({ requestHeader }: HandlerContext): boolean =>
  requestHeader.get('content-type')?.includes('json') ?? false;

/** Turns news of a query into messages, with rows as the client wants them. */
function responder(
  { resultFormat }: LiveQuery,
  { nodeId, onResultBytes }: QueryServiceOptions,
  asJson: boolean,
): (news: QueryNews) => ExecuteQueryResponse {
  const told = (event: ResponseEvent) => create(ExecuteQueryResponseSchema, { event });
  return (news) => {
    switch (news.kind) {
      case 'state':
        return told({ case: 'query', value: queryInfoOf(news.query, nodeId, LISTED_STATEMENT_LENGTH) });
      case 'columns':
        return told({ case: 'columns', value: columnsOf(news.columns) });
      case 'lines':
        onResultBytes(news.lines.length);
        if (resultFormat !== 'rows' || asJson) return told(rowsIn(resultFormat, news.lines));
        return withEncoded(ExecuteQueryResponseSchema, ExecuteQueryResponseSchema.field.rows, rowsToWire(news.lines));
    }
  };
}

function rowsIn(format: ResultFormat, bytes: Uint8Array): ResponseEvent {
  switch (format) {
    case 'rows':
      return { case: 'rows', value: create(RowsSchema, { rows: rowsOfLines(bytes) }) };
    case 'jsonLines':
      return { case: 'jsonLines', value: bytes };
    case 'parquet':
      return { case: 'parquet', value: bytes };
  }
}
