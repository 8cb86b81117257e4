import type { Counter, Metrics } from '@tutti/service';
import type { ClusterState } from './cluster-state.js';
import { isSynced } from './cluster-state.js';

/** The metrics that services count themselves. */
export interface ResourceManagerMetrics {
  readonly reports: Counter<string>;
  readonly usageQuestions: Counter<string>;
}

const MS_PER_SECOND = 1_000;

/** Declares the metrics of a resource manager; gauges are read from its state when they are scraped. */
export function resourceManagerMetrics(metrics: Metrics, state: ClusterState): ResourceManagerMetrics {
  const { nodes, reports, queries, clock } = state;
  metrics.gauge('tutti_nodes', 'Nodes by role and state', ['node_role', 'state'], (gauge) => {
    gauge.reset();
    for (const { role, state: nodeState } of nodes.nodes.nodes(clock.now()))
      gauge.inc({ node_role: role === 'resourceManager' ? 'resource-manager' : role, state: nodeState });
  });
  metrics.gauge('tutti_heartbeat_age_seconds', 'Time since the newest report of a node', ['reporter'], (gauge) => {
    gauge.reset();
    const now = clock.now();
    for (const { nodeId, arrivedAt } of reports.all())
      gauge.set({ reporter: nodeId }, (now - arrivedAt) / MS_PER_SECOND);
  });
  metrics.gauge('tutti_cluster_queries', 'Live queries of all coordinators by state', ['state'], (gauge) => {
    gauge.reset();
    for (const query of queries.liveQueries()) gauge.inc({ state: query.state });
  });
  metrics.gauge('tutti_cluster_queries_ended', 'Queries that ended and are still listed', [], (gauge) => {
    gauge.set(queries.endedCount);
  });
  metrics.gauge('tutti_resource_manager_synced', '1 when every known node has been heard', [], (gauge) => {
    gauge.set(isSynced(state) ? 1 : 0);
  });
  return {
    reports: metrics.counter('tutti_reports', 'Reports of nodes: the newest, or late ones', ['outcome']),
    usageQuestions: metrics.counter('tutti_usage_questions', 'GetUsage calls: answered, or starting', ['outcome']),
  };
}
