import type { LeaseFigure } from '@tutti/resource-groups';
import type { Metrics } from '@tutti/service';
import type { QuerySnapshot } from './core/query.js';
import { queryStates } from './core/query.js';

const WAIT_BUCKETS_S = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800];

/** What runs and waits here, in a group and below it. */
export interface GroupFigures {
  readonly group: string;
  readonly running: number;
  readonly queued: number;
  readonly memoryBytes: number;
}

/** What the live figures are read from, when somebody reads the metrics. */
export interface MetricSources {
  readonly queries: () => Iterable<{ readonly state: (typeof queryStates)[number] }>;
  readonly groups: () => Iterable<GroupFigures>;
  readonly leases: () => Iterable<LeaseFigure>;
  readonly tasksUnconfirmed: () => number;
  readonly usageAgeMs: () => number | undefined;
  readonly historyBytes: () => number;
}

export type CoordinatorMetrics = ReturnType<typeof createCoordinatorMetrics>;

/** The metrics of a coordinator. Names are Tutti's; docs/metrics.md lists them. */
export function createCoordinatorMetrics(metrics: Metrics) {
  const ended = metrics.counter('tutti_queries_ended', 'Queries that ended, by outcome', ['outcome', 'reason']);
  const duration = metrics.histogram('tutti_query_duration_seconds', 'From acceptance to end', WAIT_BUCKETS_S, [
    'outcome',
  ]);
  const rows = metrics.counter('tutti_result_rows', 'Rows of queries that ended');
  const admissionStarts = metrics.counter('tutti_admission_starts', 'Starts of queries in their groups', ['waited']);
  for (const waited of ['no', 'yes']) admissionStarts.inc({ waited }, 0);
  return {
    started: metrics.counter('tutti_queries_started', 'Statements that were accepted'),
    admissionWait: metrics.histogram('tutti_admission_wait_seconds', 'Waits for resource groups', WAIT_BUCKETS_S),
    admissionStarts,
    admissionRpcs: metrics.counter('tutti_admission_rpcs', 'Messages to resource managers that admission needed', [
      'kind',
    ]),
    resultBytes: metrics.counter('tutti_result_bytes', 'Bytes of results that were sent, as JSON text'),

    ended(query: QuerySnapshot): void {
      ended.inc({ outcome: query.state, reason: query.failure?.reason ?? '' });
      duration.observe({ outcome: query.state }, query.elapsedMs / 1_000);
      rows.inc(query.use.rows);
    },

    watch(sources: MetricSources): void {
      metrics.gauge('tutti_queries', 'Queries that have not ended, by state', ['state'], (gauge) => {
        for (const state of queryStates.slice(0, -3)) gauge.set({ state }, 0);
        for (const { state } of sources.queries()) gauge.inc({ state });
      });
      const groupGauge = (name: string, help: string, figure: Exclude<keyof GroupFigures, 'group'>): void => {
        metrics.gauge(name, `${help}, in the group and below it`, ['resource_group'], (gauge) => {
          gauge.reset();
          for (const group of sources.groups()) gauge.set({ resource_group: group.group }, group[figure]);
        });
      };
      groupGauge('tutti_group_running', 'Queries running here', 'running');
      groupGauge('tutti_group_queued', 'Queries queued here', 'queued');
      groupGauge('tutti_group_memory_bytes', 'Memory on workers that queries of this coordinator hold', 'memoryBytes');
      const leaseGauge = (name: string, help: string, figure: (lease: LeaseFigure) => number | undefined): void => {
        metrics.gauge(name, help, ['resource_group'], (gauge) => {
          gauge.reset();
          for (const lease of sources.leases()) {
            const value = figure(lease);
            if (value !== undefined) gauge.set({ resource_group: lease.group }, value);
          }
        });
      };
      leaseGauge('tutti_group_held', 'Slots that this coordinator holds in the group', ({ held }) => held);
      leaseGauge('tutti_lease_age_seconds', 'Age of the lease by which queries of the group start', ({ leaseAgeMs }) =>
        leaseAgeMs === undefined ? undefined : leaseAgeMs / 1_000,
      );
      metrics.gauge(
        'tutti_tasks_unconfirmed',
        'Tasks that were stopped and are not known to have ended; their queries keep their slots',
        [],
        (gauge) => gauge.set(sources.tasksUnconfirmed()),
      );
      metrics.gauge(
        'tutti_usage_age_seconds',
        'Age of what is known of other coordinators; NaN before the first answer',
        [],
        (gauge) => gauge.set((sources.usageAgeMs() ?? Number.NaN) / 1_000),
      );
      metrics.gauge('tutti_query_history_bytes', 'Memory held by queries that ended', [], (gauge) =>
        gauge.set(sources.historyBytes()),
      );
    },
  };
}
