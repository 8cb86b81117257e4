// How many queries of a group may run now, by everything that limits it.
//   E1. hardConcurrencyLimit.
//   E2. softMemoryLimit: none while the running ones hold more; holding just as much is allowed.
//   E3. hardCpuLimit: none while as much is used or more. From softCpuLimit on fewer, down to one, in proportion to the
//       part of the way to hardCpuLimit (Presto's formula).
//   E4. workersPerQueryLimit: one more than what the active workers are enough for.
import { type GroupSpec, type MemoryLimit } from './group-config.js';

/** What keeps a group at its limit. */
export type LimitedBy = 'concurrency' | 'memory' | 'cpu' | 'workers';

export interface EffectiveLimit {
  readonly limit: number;
  readonly limitedBy: LimitedBy;
}

/** The active workers. Both are 0 before anything is known of them. */
export interface ClusterSize {
  activeWorkers: number;
  memoryBytes: number;
}

/** What the queries of a group hold and used in the whole cluster. */
export interface ResourceUse {
  readonly memoryBytes: number;
  readonly cpuUsedMs: number;
}

/** Whether anything but its hardConcurrencyLimit limits a group. */
export const hasSoftLimits = (spec: GroupSpec): boolean =>
  spec.softMemoryLimit !== undefined ||
  spec.hardCpuLimitMs !== undefined ||
  spec.softCpuLimitMs !== undefined ||
  spec.workersPerQueryLimit > 0;

/** The least of all limits; of equal ones the first in the order E1, E2, E3, E4. */
export function effectiveLimit(spec: GroupSpec, use: ResourceUse, cluster: ClusterSize): EffectiveLimit {
  let limit = spec.hardConcurrencyLimit;
  let limitedBy: LimitedBy = 'concurrency';
  const lower = (to: number, by: LimitedBy): void => {
    if (to >= limit) return;
    limit = to;
    limitedBy = by;
  };
  if (use.memoryBytes > softMemoryLimitBytes(spec, cluster)) lower(0, 'memory');
  lower(limitByCpu(spec, use.cpuUsedMs), 'cpu');
  if (spec.workersPerQueryLimit > 0)
    lower(Math.floor(cluster.activeWorkers / spec.workersPerQueryLimit) + 1, 'workers');
  return { limit, limitedBy };
}

/** A group's softMemoryLimit in bytes; Infinity without one. */
export const softMemoryLimitBytes = ({ softMemoryLimit }: GroupSpec, cluster: ClusterSize): number =>
  softMemoryLimit === undefined ? Infinity : inBytes(softMemoryLimit, cluster);

const inBytes = (limit: MemoryLimit, cluster: ClusterSize): number =>
  limit.kind === 'bytes' ? limit.bytes : (limit.percent / 100) * cluster.memoryBytes;

/** E3 */
function limitByCpu(spec: GroupSpec, usedMs: number): number {
  const { softCpuLimitMs: softMs, hardCpuLimitMs: hardMs, hardConcurrencyLimit: limit } = spec;
  if (hardMs === undefined) return Infinity;
  if (usedMs >= hardMs) return 0;
  if (softMs === undefined || usedMs < softMs) return Infinity;
  const penalty = (usedMs - softMs) / (hardMs - softMs);
  return Math.max(1, Math.min(limit - 1, Math.floor(limit * (1 - penalty))));
}
