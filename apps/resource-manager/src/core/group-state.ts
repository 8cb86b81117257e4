import type { GroupSpec } from '@tutti/resource-groups';

/** Whether a query of the group could start now (CAN_RUN), else wait (CAN_QUEUE), else neither. */
export type GroupState = 'CAN_RUN' | 'CAN_QUEUE' | 'FULL';

/** What a group and all below it run, hold and have used in the whole cluster, and how it is limited. */
export interface GroupStanding {
  readonly running: number;
  readonly queued: number;
  readonly memoryBytes: number;
  readonly cpuUsedMs: number;
  readonly activeWorkers: number;
  readonly hardConcurrencyLimit: number;
  readonly maxQueued: number;
  readonly softMemoryLimitBytes: number | undefined;
  /** Undefined when only its concurrency limit and maxQueued are known. */
  readonly spec: Pick<GroupSpec, 'softCpuLimitMs' | 'hardCpuLimitMs' | 'workersPerQueryLimit'> | undefined;
}

/** The state of a group as far as its own limits go, whatever those above it say. The rules are Presto's. */
export function groupStateOf(group: GroupStanding): GroupState {
  const { running, queued, memoryBytes, softMemoryLimitBytes = Infinity, activeWorkers, maxQueued, spec } = group;
  const workersNeeded = running * (spec?.workersPerQueryLimit ?? 0);
  const canRun = running < limitByCpu(group) && memoryBytes <= softMemoryLimitBytes && workersNeeded <= activeWorkers;
  if (canRun) return 'CAN_RUN';
  return queued < maxQueued ? 'CAN_QUEUE' : 'FULL';
}

/** The concurrency limit: lower the more CPU is used above the soft limit, and 0 from the hard one on. */
function limitByCpu({ hardConcurrencyLimit: limit, cpuUsedMs, spec }: GroupStanding): number {
  const { softCpuLimitMs: soft = Infinity, hardCpuLimitMs: hard = Infinity } = spec ?? {};
  if (cpuUsedMs >= hard) return 0;
  if (cpuUsedMs < soft) return limit;
  const penalty = (cpuUsedMs - soft) / (hard - soft);
  return Math.min(limit, Math.max(1, Math.min(limit - 1, Math.floor(limit * (1 - penalty)))));
}
