// The limits that a query meets on its way up from its group, as far as they are known. Pure.
import { formatDuration, formatSize } from '@tutti/base';
import type { GroupSpec, PerQueryLimits } from '@tutti/resource-groups';
import type { GroupView } from './group-codec.js';

/** The limits of one group. What is left out is not limited, or not known. */
export interface GroupLimits {
  readonly group: string;
  /** Why nothing is known of it now. */
  readonly notKnown?: string;
  /** Queries that run and wait now; known of a cluster only. */
  readonly running?: number;
  readonly queued?: number;
  readonly hardConcurrencyLimit?: number;
  readonly softConcurrencyLimit?: number;
  readonly maxQueued?: number;
  readonly softMemoryLimitBytes?: number;
  readonly softMemoryLimitPercent?: number;
  readonly softCpuLimitMs?: number;
  readonly hardCpuLimitMs?: number;
  readonly schedulingPolicy?: string;
  /** These are known of a file only. */
  readonly workersPerQueryLimit?: number;
  readonly queueTimeoutMs?: number;
  readonly perQueryLimits?: PerQueryLimits;
}

/** The limits of a group of the cluster. */
export function limitsOfGroup(view: GroupView): GroupLimits {
  const { group, running, queued, hardConcurrencyLimit, softConcurrencyLimit, maxQueued, schedulingPolicy } = view;
  const { softMemoryLimitBytes, softCpuLimitMs, hardCpuLimitMs } = view;
  return {
    ...{ group, running, queued, hardConcurrencyLimit, softConcurrencyLimit, maxQueued, schedulingPolicy },
    ...(softMemoryLimitBytes !== null && { softMemoryLimitBytes }),
    ...(softCpuLimitMs !== null && { softCpuLimitMs }),
    ...(hardCpuLimitMs !== null && { hardCpuLimitMs }),
  };
}

/** The limits that a file gives to the group at `path`. */
export function limitsOfSpec(group: string, spec: GroupSpec): GroupLimits {
  const { hardConcurrencyLimit, softConcurrencyLimit, maxQueued, schedulingPolicy, softMemoryLimit } = spec;
  const { softCpuLimitMs, hardCpuLimitMs, queueTimeoutMs, workersPerQueryLimit, perQueryLimits } = spec;
  return {
    ...{ group, hardConcurrencyLimit, softConcurrencyLimit, maxQueued, schedulingPolicy },
    ...(softMemoryLimit?.kind === 'bytes' && { softMemoryLimitBytes: softMemoryLimit.bytes }),
    ...(softMemoryLimit?.kind === 'percent' && { softMemoryLimitPercent: softMemoryLimit.percent }),
    ...(softCpuLimitMs !== undefined && { softCpuLimitMs }),
    ...(hardCpuLimitMs !== undefined && { hardCpuLimitMs }),
    ...(workersPerQueryLimit > 0 && { workersPerQueryLimit }),
    ...(queueTimeoutMs !== undefined && { queueTimeoutMs }),
    ...(Object.keys(perQueryLimits).length > 0 && { perQueryLimits }),
  };
}

/** The limits in one line. */
export function limitsText(limits: GroupLimits): string {
  const { group, notKnown, running, queued, hardConcurrencyLimit: hard, maxQueued, perQueryLimits = {} } = limits;
  if (notKnown !== undefined) return `${group}: ${notKnown}`;
  const soft = limits.softConcurrencyLimit === hard ? undefined : limits.softConcurrencyLimit;
  const percent = limits.softMemoryLimitPercent;
  const parts = [
    running === undefined ? text('hardConcurrencyLimit', hard) : `${running} of ${hard} run`,
    queued === undefined ? text('maxQueued', maxQueued) : `${queued} of ${maxQueued} wait`,
    text('softConcurrencyLimit', soft),
    text('softMemoryLimit', percent === undefined ? undefined : `${percent}%`),
    text('softMemoryLimit', limits.softMemoryLimitBytes, formatSize),
    text('softCpuLimit', limits.softCpuLimitMs, formatDuration),
    text('hardCpuLimit', limits.hardCpuLimitMs, formatDuration),
    text('workersPerQueryLimit', limits.workersPerQueryLimit),
    text('queueTimeout', limits.queueTimeoutMs, formatDuration),
    text('per query executionTimeLimit', perQueryLimits.executionTimeLimitMs, formatDuration),
    text('per query totalMemoryLimit', perQueryLimits.totalMemoryLimitBytes, formatSize),
    text('per query cpuTimeLimit', perQueryLimits.cpuTimeLimitMs, formatDuration),
  ];
  return `${group}: ${parts.filter((part) => part !== '').join(', ')}`;
}

const text = <T>(name: string, value: T | undefined, format: (value: T) => string = String): string =>
  value === undefined ? '' : `${name} ${format(value)}`;
