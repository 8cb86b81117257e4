// Finds a query wherever it lives: here, at the coordinator that its id names, or in the memory of the resource managers.
//   F1. A question goes over at most one other coordinator: what is forwarded is answered there or not at all.
//   F2. A live query of a coordinator that is gone is a failed query: nobody will ever say otherwise.
import { clone } from '@bufbuild/protobuf';
import type { Client } from '@connectrpc/connect';
import { Code } from '@connectrpc/connect';
import { queryIdSuffixOf } from '@tutti/base';
import type { FetchResultsRequest, FetchResultsResponse, QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { QueryInfoSchema, QueryState, type QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import { failure } from './core/query.js';
import { failureError } from './failure-codes.js';
import type { Peers } from './peers.js';

/** Answers for the queries of this coordinator; undefined when it does not know the query. */
export interface OwnQueries {
  get(queryId: string): QueryInfo | undefined;
  /** Cancels a query; one that has ended stays as it is. */
  cancel(queryId: string, reason: string): QueryInfo | undefined;
  fetch(request: FetchResultsRequest, signal: AbortSignal): Promise<FetchResultsResponse | undefined>;
}

export interface QueryFinderOptions {
  readonly own: OwnQueries;
  readonly ownSuffix: string;
  readonly peers: Peers;
}

interface Question<T> {
  readonly queryId: string;
  readonly localOnly: boolean;
  /** Undefined when this coordinator does not know the query. */
  readonly here: () => T | undefined | Promise<T | undefined>;
  readonly there: (
    owner: Client<typeof QueryService>,
    options: { timeoutMs: number; signal: AbortSignal },
  ) => Promise<T>;
  readonly timeoutMs: number;
  /** What to answer when the owner does not: from the last report, if there is one. */
  readonly instead: (reported: QueryInfo | undefined, ownerGone: boolean) => T;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 3_000;
const ENDED = [QueryState.FINISHED, QueryState.FAILED, QueryState.CANCELED];

export class QueryFinder {
  constructor(private readonly options: QueryFinderOptions) {}

  get(queryId: string, localOnly: boolean, signal: AbortSignal): Promise<QueryInfo> {
    return this.answer({
      queryId,
      localOnly,
      here: () => this.options.own.get(queryId),
      there: async (owner, call) =>
        (await owner.getQuery({ queryId, localOnly: true }, call)).query ?? notFound(queryId),
      timeoutMs: TIMEOUT_MS,
      instead: (reported) => reported ?? notFound(queryId),
      signal,
    });
  }

  cancel(queryId: string, reason: string, localOnly: boolean, signal: AbortSignal): Promise<QueryInfo> {
    return this.answer({
      queryId,
      localOnly,
      here: () => this.options.own.cancel(queryId, reason),
      there: async (owner, call) =>
        (await owner.cancelQuery({ queryId, reason, localOnly: true }, call)).query ?? notFound(queryId),
      timeoutMs: TIMEOUT_MS,
      instead: (reported, ownerGone) => {
        if (reported && ENDED.includes(reported.state)) return reported;
        return ownerGone ? notFound(queryId) : unanswered(queryId);
      },
      signal,
    });
  }

  fetch(request: FetchResultsRequest, maxWaitMs: number, signal: AbortSignal): Promise<FetchResultsResponse> {
    const { queryId } = request;
    return this.answer({
      queryId,
      localOnly: request.localOnly,
      here: () => this.options.own.fetch(request, signal),
      there: (owner, call) => owner.fetchResults({ ...request, localOnly: true }, call),
      timeoutMs: maxWaitMs + TIMEOUT_MS,
      instead: (_reported, ownerGone) => (ownerGone ? gone(queryId) : unanswered(queryId)),
      signal,
    });
  }

  private async answer<T>(question: Question<T>): Promise<T> {
    const { queryId, here, there, signal } = question;
    const { ownSuffix, peers } = this.options;
    const known = await here();
    if (known !== undefined) return known;
    const suffix = queryIdSuffixOf(queryId);
    if (suffix === undefined || suffix === ownSuffix || question.localOnly) notFound(queryId); // F1
    const owner = peers.directory.byQuerySuffix(suffix);
    if (owner) {
      try {
        return await there(peers.coordinator(owner.clusterAddress), { timeoutMs: question.timeoutMs, signal });
      } catch (error) {
        const { code, reason } = readRpcError(error);
        const answered = reason !== undefined || (code !== Code.Unavailable && code !== Code.DeadlineExceeded);
        if (answered || signal.aborted) throw error;
      }
    }
    const ownerGone = owner === undefined;
    const reported = await peers.lastReported(queryId, signal);
    return question.instead(reported && (ownerGone ? endedWith(reported) : reported), ownerGone);
  }
}

/** F2. */
function endedWith(reported: QueryInfo): QueryInfo {
  if (ENDED.includes(reported.state)) return reported;
  const { reason, message, retriable } = ownerGoneFailure(reported.queryId);
  const ended = clone(QueryInfoSchema, reported);
  ended.state = QueryState.FAILED;
  delete ended.waitReason;
  ended.error = { $typeName: 'tutti.query.v1.QueryError', reason, message, line: 0, column: 0, retriable };
  return ended;
}

const ownerGoneFailure = (queryId: string) =>
  failure(
    'COORDINATOR_GONE',
    `The coordinator of query ${queryId} is gone, and the query with it. Send the statement again.`,
    true,
  );

function gone(queryId: string): never {
  throw failureError(ownerGoneFailure(queryId), queryId);
}

function unanswered(queryId: string): never {
  const message = `The coordinator of query ${queryId} does not answer now.`;
  throw failureError(failure('COORDINATOR_GONE', message, true), queryId);
}

export function notFound(queryId: string): never {
  const message = `Query "${queryId}" is not known: it never was, or it ended too long ago.`;
  throw failureError(failure('QUERY_NOT_FOUND', message), queryId);
}
