import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import { lineageOf } from '@tutti/resource-groups';
import { type Log, readRpcError } from '@tutti/service';
import {
  byGroup,
  encodeCursors,
  entriesBehind,
  mergeQueued,
  type QueuedCursors,
  type QueuedEntry,
  type QueuedPlace,
  type QueuedSource,
} from './core/queued-page.js';
import type { Peers } from './peers.js';

export interface QueuedListOptions {
  readonly nodeId: string;
  /** The queries that wait here, in each group in the order in which they will start. */
  readonly entries: () => Iterable<QueuedEntry>;
  /** A query that waits here, with its reason; undefined when it does not wait any more. */
  readonly infoOf: (queryId: string) => QueryInfo | undefined;
  readonly peers: Peers;
  readonly log: Log;
}

export interface QueuedRequest {
  /** Only this group and those below it; empty means all. */
  readonly group: string;
  readonly size: number;
  readonly from: QueuedCursors;
  readonly localOnly: boolean;
}

export interface QueuedAnswer {
  readonly queries: QueryInfo[];
  readonly nextPageToken: string;
  readonly unreachableCoordinators: string[];
}

/** A coordinator that does not answer within this is named, and its queries are left out. */
const TIMEOUT_MS = 1_000;

/** Lists the queries of all coordinators that wait for their group, each with the reason that its own one gives. */
export class QueuedList {
  constructor(private readonly options: QueuedListOptions) {}

  async page(request: QueuedRequest, signal: AbortSignal): Promise<QueuedAnswer> {
    const others = request.localOnly ? [] : this.options.peers.directory.otherCoordinators();
    const answers = others.map((peer) => this.ask(peer, request, signal));
    const sources = [this.own(request)];
    const unreachableCoordinators: string[] = [];
    for (const [index, answer] of (await Promise.all(answers)).entries()) {
      if (answer === undefined) unreachableCoordinators.push(others[index]?.nodeId ?? '');
      else sources.push(answer);
    }
    const { items, next } = mergeQueued(sources, placeOf, request.size, request.from);
    return { queries: items, nextPageToken: next ? encodeCursors(next) : '', unreachableCoordinators };
  }

  private own({ group, size, from }: QueuedRequest): QueuedSource<QueryInfo> {
    const { nodeId, entries, infoOf } = this.options;
    const isWanted = (path: string) => group === '' || [...lineageOf(path)].includes(group);
    const left = entriesBehind(byGroup(entries(), isWanted), from.get(nodeId));
    const infos = left.slice(0, size).flatMap(({ queryId }) => infoOf(queryId) ?? []);
    return { nodeId, items: infos, hasMore: left.length > size };
  }

  private async ask(
    { nodeId, clusterAddress }: { readonly nodeId: string; readonly clusterAddress: string },
    { group, size, from }: QueuedRequest,
    signal: AbortSignal,
  ): Promise<QueuedSource<QueryInfo> | undefined> {
    const cursor = from.get(nodeId);
    const pageToken = cursor ? encodeCursors(new Map([[nodeId, cursor]])) : '';
    try {
      const owner = this.options.peers.coordinator(clusterAddress);
      const request = { pageSize: size, pageToken, group, localOnly: true };
      const { queries, nextPageToken } = await owner.explainQueued(request, { timeoutMs: TIMEOUT_MS, signal });
      return { nodeId, items: queries, hasMore: nextPageToken !== '' };
    } catch (error) {
      if (signal.aborted) throw error;
      this.options.log.warn('queued-incomplete', { coordinatorId: nodeId, message: readRpcError(error).message });
      return undefined;
    }
  }
}

const placeOf = ({ queryId, resourceGroup, priority, waitReason, createTime }: QueryInfo): QueuedPlace => ({
  queryId,
  group: resourceGroup,
  priority,
  position: waitReason?.position ?? 0,
  createdMs: createTime ? timestampMs(createTime) : 0,
});
