import { Code, type ServiceImpl } from '@connectrpc/connect';
import { nodeId, queryId } from '@tutti/base';
import type { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { type WorkerStatus } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { type SeenNode, seenToWire, wireDuration } from '@tutti/discovery';
import { rpcError } from '@tutti/service';
import { type ClusterState, groupSources, isSynced } from './cluster-state.js';
import { isListPlace } from './core/cluster-view.js';
import { adjustedQueueSize } from './core/group-list.js';
import { loadOf, shownInfo, shownState } from './report-codec.js';

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1_000;

/** Shows the whole cluster. */
export function clusterService(state: ClusterState): ServiceImpl<typeof ClusterService> {
  return {
    getCluster: () => summarize(state),

    listNodes() {
      const now = state.clock.now();
      return { nodes: nodesOf(state).map((node) => describeNode(state, node, now)) };
    },

    listQueries(request) {
      const { pageSize, pageToken } = request;
      checkPage(pageSize);
      if (pageToken !== '' && !isListPlace(pageToken)) throw invalid('page_token must come from the last answer');
      const states = new Set(request.states.map((one) => QueryState[one]));
      const { page, next } = state.queries.list({
        matches: (viewed) =>
          (states.size === 0 || states.has(shownState(viewed))) &&
          (request.user === '' || viewed.query.user === request.user),
        after: pageToken === '' ? undefined : pageToken,
        limit: pageSizeOf(pageSize),
      });
      return { queries: page.map(shownInfo), nextPageToken: next ?? '' };
    },

    getQuery(request) {
      const viewed = state.queries.get(queryId(request.queryId));
      if (viewed !== undefined) return { query: shownInfo(viewed) };
      const message = `no query "${request.queryId}" is known here: it never was, or it ended too long ago`;
      throw rpcError(Code.NotFound, message, { reason: 'QUERY_NOT_FOUND' });
    },
  };
}

/** The page size to use; throws INVALID_ARGUMENT for a negative one. */
export function checkPage(pageSize: number): void {
  if (pageSize < 0) throw invalid('page_size must not be negative');
}

export const pageSizeOf = (pageSize: number): number =>
  pageSize === 0 ? PAGE_SIZE_DEFAULT : Math.min(pageSize, PAGE_SIZE_MAX);

export const invalid = (message: string) => rpcError(Code.InvalidArgument, message, { reason: 'INVALID_ARGUMENT' });

const nodesOf = ({ nodes, clock }: ClusterState) =>
  nodes.nodes.nodes(clock.now()).filter((node) => node.state !== 'GONE');

function summarize(state: ClusterState) {
  const active = nodesOf(state).filter((node) => node.state === 'ACTIVE');
  const count = (role: SeenNode['role']) => active.filter((node) => node.role === role).length;
  const workers = [...state.reports.all()].flatMap(({ report: { status } }) =>
    status.case === 'worker' ? [status.value] : [],
  );
  const queries = [...state.queries.liveQueries()];
  const queued = queries.filter((query) => query.state === 'QUEUED').length;
  return {
    activeCoordinators: count('coordinator'),
    activeResourceManagers: count('resourceManager'),
    activeWorkers: count('worker'),
    runningQueries: queries.length - queued,
    queuedQueries: queued,
    runningTasks: workers.reduce((sum, worker) => sum + loadOf(worker, 0).runningTasks, 0),
    memoryLimitBytes: total(workers, 'memoryLimitBytes'),
    memoryReservedBytes: total(workers, 'memoryReservedBytes'),
    memoryUsedBytes: total(workers, 'memoryUsedBytes'),
    resourceManagerId: state.nodeId,
    synced: isSynced(state),
    adjustedQueueSize: adjustedQueueSize(groupSources(state)),
  };
}

const total = (
  workers: readonly WorkerStatus[],
  field: 'memoryLimitBytes' | 'memoryReservedBytes' | 'memoryUsedBytes',
): bigint => workers.reduce((sum, worker) => sum + worker[field], 0n);

function describeNode(state: ClusterState, node: SeenNode, now: number) {
  const entry = state.reports.get(nodeId(node.nodeId));
  if (entry === undefined) return { node: seenToWire(node) };
  const { status, process } = entry.report;
  const worker = status.case === 'worker' ? status.value : undefined;
  return {
    node: seenToWire(node, worker && loadOf(worker, entry.sequence)),
    heartbeatAge: wireDuration(now - entry.arrivedAt),
    ...(process === undefined ? {} : { process }),
    ...(worker === undefined ? {} : { worker }),
  };
}
