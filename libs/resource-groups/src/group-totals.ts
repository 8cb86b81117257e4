import { lineageOf } from './group-path.js';
import type { GroupCounts } from './group-events.js';

/** One group, summed over the cluster, everything below it included unless said otherwise. */
export interface GroupTotal extends ReportedLimits {
  readonly group: string;
  /** The path as the file spells it; the path itself when no report says. */
  readonly template: string;
  readonly running: number;
  readonly queued: number;
  readonly memoryBytes: number;
  /** Running in the group itself, without the groups below it. */
  readonly ownRunning: number;
  /** Waiting in the group itself, without the groups below it. */
  readonly ownQueued: number;
  /** Those that run or wait for anything. Age is undefined for a silent coordinator, known by what workers run for it. */
  readonly coordinators: readonly CoordinatorTotal[];
}

/** How a group is limited, as the newest report says. */
export interface ReportedLimits {
  /** False for a group that no report names: known by what workers run for a silent coordinator. All else is then 0. */
  readonly isReported: boolean;
  readonly hardConcurrencyLimit: number;
  readonly maxQueued: number;
  readonly cpuQuotaMsPerSecond: number;
}

/** The part of one coordinator. */
export interface CoordinatorTotal extends Use {
  readonly coordinatorId: string;
  readonly ageMs: number | undefined;
}

/** What queries hold and wait for. */
export interface Use {
  readonly running: number;
  readonly queued: number;
  readonly memoryBytes: number;
}

const NOTHING: Use = { running: 0, queued: 0, memoryBytes: 0 };
const UNKNOWN: ReportedLimits = { isReported: false, hardConcurrencyLimit: 0, maxQueued: 0, cpuQuotaMsPerSecond: 0 };

interface Row {
  template: string;
  limits: ReportedLimits;
  own: Use;
  readonly shares: Map<string, CoordinatorTotal>;
}

/** Adds up what coordinators run and wait for, group by group. */
export class GroupTotals {
  private readonly rows = new Map<string, Row>();

  /** Notes how a coordinator is configured; the last one counts. */
  describe({ group, template, hardConcurrencyLimit, maxQueued, cpuQuotaMsPerSecond }: GroupCounts): void {
    const row = this.row(group);
    row.template = template === '' ? group : template;
    row.limits = { isReported: true, hardConcurrencyLimit, maxQueued, cpuQuotaMsPerSecond };
  }

  /** Adds to the group and all its ancestors. */
  add(group: string, coordinatorId: string, use: Use, ageMs: number | undefined): void {
    const own = this.row(group);
    own.own = sum(own.own, use);
    for (const path of lineageOf(group)) {
      const { shares } = this.row(path);
      const share = shares.get(coordinatorId) ?? { coordinatorId, ageMs, ...NOTHING };
      shares.set(coordinatorId, { ...share, ...sum(share, use) });
    }
  }

  /** All groups that were named, and their ancestors, by path. */
  list(): GroupTotal[] {
    return [...this.rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([group, { template, limits, own, shares }]) => ({
        group,
        template,
        ...[...shares.values()].reduce<Use>(sum, NOTHING),
        ownRunning: own.running,
        ownQueued: own.queued,
        ...limits,
        coordinators: [...shares.values()].filter((share) => share.running + share.queued + share.memoryBytes > 0),
      }));
  }

  private row(group: string): Row {
    let row = this.rows.get(group);
    if (row === undefined) {
      row = { template: group, limits: UNKNOWN, own: NOTHING, shares: new Map() };
      this.rows.set(group, row);
    }
    return row;
  }
}

const sum = (a: Use, b: Use): Use => ({
  running: a.running + b.running,
  queued: a.queued + b.queued,
  memoryBytes: a.memoryBytes + b.memoryBytes,
});
