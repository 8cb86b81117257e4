import { type ClusterSize, softMemoryLimitBytes } from './effective-limit.js';
import type { GroupNode } from './group-node.js';
import type { QueriesAhead } from './queries-ahead.js';
import type { WaitKind } from './wait-explanation.js';

/** What a query waits for, at which group. */
export interface Blocked {
  readonly kind: WaitKind;
  readonly group: GroupNode;
  readonly ahead: QueriesAhead;
  /** The limit that is reached, and what counts against it, in its unit. */
  readonly limit: number;
  readonly used: number;
}

/** What a group that is at its limit lacks. */
export function limitKind({ limitedBy }: GroupNode): WaitKind {
  switch (limitedBy) {
    case 'concurrency':
      return 'concurrencyLimit';
    case 'memory':
      return 'memoryLimit';
    case 'cpu':
      return 'cpuLimit';
    case 'workers':
      return 'workersPerQueryLimit';
  }
}

/** The limit that is reached, and what counts against it, in its unit. */
export function limitAndUse(
  kind: WaitKind,
  group: GroupNode,
  cluster: Readonly<ClusterSize>,
): { readonly limit: number; readonly used: number } {
  const { hardCpuLimitMs = 0, softCpuLimitMs = 0 } = group.spec;
  switch (kind) {
    case 'memoryLimit':
      return { limit: Math.floor(softMemoryLimitBytes(group.spec, cluster)), used: group.memoryBytes };
    case 'cpuLimit':
      return { limit: group.cpuUsedMs >= hardCpuLimitMs ? hardCpuLimitMs : softCpuLimitMs, used: group.cpuUsedMs };
    default:
      return { limit: group.limit, used: group.running };
  }
}

export const milliseconds = (ms: number): string =>
  ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
