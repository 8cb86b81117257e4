// The groups of the cluster as people see them: what coordinators report, with the limits of this node's own file. Pure.
//   T1. Every group of the file that has no variables is shown, in use or not; of the others those that are in use, and
//       those above them.
//   T2. The file's limits count. A group that the file does not know (any more, or yet) has those that are reported.
//   T3. A group's state is what its own limits say of all that the cluster runs, holds and has used in it and below it.
import {
  type ClusterSize,
  effectiveLimit,
  type GroupConfig,
  type GroupSpec,
  type GroupTotal,
  softMemoryLimitBytes,
} from '@tutti/resource-groups';

/** All that the list is made of. */
export interface GroupSources {
  readonly config: GroupConfig;
  readonly totals: readonly GroupTotal[];
  /** What each group has used and not got back; nothing for those that have used none. */
  readonly cpuUsedMs: ReadonlyMap<string, number>;
  readonly cluster: ClusterSize;
}

/** Whether a query of the group could start now (CAN_RUN), else wait (CAN_QUEUE), else neither. */
export type GroupState = 'CAN_RUN' | 'CAN_QUEUE' | 'FULL';

/** One group of the list. */
export interface ListedGroup extends GroupTotal {
  /** How the file describes it; undefined when it does not. */
  readonly spec: GroupSpec | undefined;
  readonly softConcurrencyLimit: number;
  /** Undefined: no limit. */
  readonly softMemoryLimitBytes: number | undefined;
  /** Undefined when it has no CPU limit. */
  readonly cpuUsedMs: number | undefined;
  /** Undefined when its limits are unknown. */
  readonly state: GroupState | undefined;
}

/** The groups of the cluster, by path (T1). */
export function listGroups(sources: GroupSources): ListedGroup[] {
  const specs = specsByTemplate(sources.config);
  const rows = new Map(sources.totals.map((total) => [total.group, total]));
  for (const [template, spec] of specs)
    if (!spec.isDynamic && !rows.has(template)) rows.set(template, { ...IDLE, group: template, template });
  return [...rows.values()]
    .sort((a, b) => (a.group < b.group ? -1 : 1))
    .map((total) => listed(total, specs.get(total.template), sources));
}

/**
 * Queries that wait and could run if the cluster were larger: in each group those that wait in it, up to its soft
 * concurrency limit. For autoscalers.
 */
export function adjustedQueueSize({ config, totals }: Pick<GroupSources, 'config' | 'totals'>): number {
  const specs = specsByTemplate(config);
  return totals.reduce((sum, { template, hardConcurrencyLimit, ownRunning, ownQueued }) => {
    const limit = specs.get(template)?.softConcurrencyLimit ?? hardConcurrencyLimit;
    return sum + Math.max(0, Math.min(ownQueued, limit - ownRunning));
  }, 0);
}

const IDLE: Omit<GroupTotal, 'group' | 'template'> = {
  running: 0,
  queued: 0,
  memoryBytes: 0,
  ownRunning: 0,
  ownQueued: 0,
  isReported: false,
  hardConcurrencyLimit: 0,
  maxQueued: 0,
  cpuQuotaMsPerSecond: 0,
  coordinators: [],
};

function specsByTemplate({ rootGroups }: GroupConfig): Map<string, GroupSpec> {
  const specs = new Map<string, GroupSpec>();
  const note = (spec: GroupSpec): void => {
    specs.set(spec.template, spec);
    spec.subGroups.forEach(note);
  };
  rootGroups.forEach(note);
  return specs;
}

function listed(total: GroupTotal, spec: GroupSpec | undefined, { cpuUsedMs, cluster }: GroupSources): ListedGroup {
  const { hardConcurrencyLimit, maxQueued, cpuQuotaMsPerSecond } = spec ?? total; // T2
  const { running, queued, memoryBytes } = total;
  const usedMs = cpuUsedMs.get(total.group) ?? 0;
  const limit = spec ? effectiveLimit(spec, { memoryBytes, cpuUsedMs: usedMs }, cluster).limit : hardConcurrencyLimit;
  const orWaits = queued < maxQueued ? 'CAN_QUEUE' : 'FULL';
  return {
    ...{ ...total, spec, hardConcurrencyLimit, maxQueued },
    softConcurrencyLimit: spec?.softConcurrencyLimit ?? hardConcurrencyLimit,
    softMemoryLimitBytes: spec?.softMemoryLimit && softMemoryLimitBytes(spec, cluster),
    cpuUsedMs: cpuQuotaMsPerSecond > 0 ? usedMs : undefined,
    state: spec === undefined && !total.isReported ? undefined : running < limit ? 'CAN_RUN' : orWaits, // T3
  };
}
