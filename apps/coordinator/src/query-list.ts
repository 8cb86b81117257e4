import type { QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { durationMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { readRpcError, type Log } from '@tutti/service';
import type { ListedQuery } from './core/query-page.js';
import { type QueryPage, pageOf } from './core/query-page.js';
import type { Peers } from './peers.js';

export interface QueryFilter {
  readonly states: readonly QueryState[];
  readonly user: string;
}

export interface QueryListOptions {
  readonly nodeId: string;
  /** The queries of this coordinator: live ones, then those that ended, the newest first. */
  readonly own: (filter: QueryFilter) => Iterable<QueryInfo>;
  readonly peers: Peers;
  readonly log: Log;
}

/** So many queries of one source are looked at for one page: a list is for people, who filter before they read more. */
const SOURCE_MAX = 1_000;
/** Between coordinators, when no resource manager answers. */
const TIMEOUT_MS = 1_000;
const ENDED = [QueryState.FINISHED, QueryState.FAILED, QueryState.CANCELED];

/** Lists queries of the whole cluster: our own as they are now, the others as the resource managers heard of them. */
export class QueryList {
  constructor(private readonly options: QueryListOptions) {}

  async page(
    filter: QueryFilter,
    request: { readonly size: number; readonly token: string; readonly localOnly: boolean },
    signal: AbortSignal,
  ): Promise<QueryPage<QueryInfo>> {
    const sources = [this.own(filter)];
    if (!request.localOnly) sources.push(...(await this.others(filter, signal)));
    return pageOf(sources, listed, request.size, request.token);
  }

  private own(filter: QueryFilter): QueryInfo[] {
    const found: QueryInfo[] = [];
    for (const query of this.options.own(filter)) if (found.push(query) >= SOURCE_MAX) break;
    return found;
  }

  private async others(filter: QueryFilter, signal: AbortSignal): Promise<QueryInfo[][]> {
    const { nodeId, peers, log } = this.options;
    const request = { pageSize: SOURCE_MAX, states: [...filter.states], user: filter.user };
    try {
      const { queries } = await peers.askResourceManager(
        ClusterService,
        (client, call) => client.listQueries(request, call),
        signal,
      );
      return [queries.filter((query) => query.coordinatorId !== nodeId)];
    } catch (error) {
      if (readRpcError(error).reason !== 'RESOURCE_MANAGERS_UNREACHABLE') throw error;
    }
    const ask = async ({ nodeId: otherId, clusterAddress }: { nodeId: string; clusterAddress: string }) => {
      try {
        const call = { timeoutMs: TIMEOUT_MS, signal };
        return (await peers.coordinator(clusterAddress).listQueries({ ...request, localOnly: true }, call)).queries;
      } catch (error) {
        log.warn('list-incomplete', { coordinatorId: otherId, message: readRpcError(error).message });
        return [];
      }
    };
    return Promise.all(peers.directory.otherCoordinators().map(ask));
  }
}

function listed(query: QueryInfo): ListedQuery {
  const ended = ENDED.includes(query.state);
  const createdMs = query.createTime ? timestampMs(query.createTime) : 0;
  const elapsedMs = query.elapsed ? durationMs(query.elapsed) : 0;
  return { queryId: query.queryId, ended, atMs: Math.floor(ended ? createdMs + elapsedMs : createdMs) };
}

/** Whether a query passes a filter. */
export const passes = (query: { state: QueryState; user: string }, { states, user }: QueryFilter): boolean =>
  (states.length === 0 || states.includes(query.state)) && (user === '' || query.user === user);
