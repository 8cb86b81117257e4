// What a query may use: the least of what its request, its group and its coordinator allow. Pure.
import { formatDuration } from '@tutti/base';
import type { GroupSpec } from '@tutti/resource-groups';

/** A limit, with the place where it is written: who runs into it wants to know. */
export interface QueryLimit {
  readonly most: number;
  /** For example "cpu_time_limit of the request". */
  readonly origin: string;
}

/** In milliseconds and bytes. */
export interface QueryLimits {
  /** Time from the admission to the end. */
  readonly execution: QueryLimit;
  /** CPU time of all tasks; undefined without a limit. */
  readonly cpu: QueryLimit | undefined;
  /** Memory on workers; undefined means what a worker gives a task. */
  readonly memory: QueryLimit | undefined;
}

/** What a group makes of what a query asks for. */
export interface GroupBounds {
  readonly priority: number;
  readonly limits: QueryLimits;
}

/** What a request asks for; undefined is no limit. */
export interface AskedLimits {
  readonly executionMs: number | undefined;
  readonly cpuMs: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** The limits of a query before its group is known. */
export const limitsOf = (asked: AskedLimits, executionMsMax: number): QueryLimits => ({
  execution: least(
    { most: executionMsMax, origin: 'query.maxExecutionTime of the coordinator' },
    { most: asked.executionMs, origin: 'time_limit of the request' },
  ),
  cpu: least(undefined, { most: asked.cpuMs, origin: 'cpu_time_limit of the request' }),
  memory: least(undefined, { most: asked.memoryBytes, origin: 'memory_limit_bytes of the request' }),
});

/** A query in the leaf group `path`: its priority within the group's bounds, its limits with those of the group. */
export function boundsIn(
  path: string,
  { queryPriority, perQueryLimits: perQuery }: GroupSpec,
  { priority, limits }: GroupBounds,
): GroupBounds {
  const limit = (name: string, most: number | undefined) => ({
    most,
    origin: `perQueryLimits.${name} of group "${path}"`,
  });
  return {
    priority: Math.max(queryPriority.min, Math.min(queryPriority.max, priority)),
    limits: {
      execution: least(limits.execution, limit('executionTimeLimit', perQuery.executionTimeLimitMs)),
      cpu: least(limits.cpu, limit('cpuTimeLimit', perQuery.cpuTimeLimitMs)),
      memory: least(limits.memory, limit('totalMemoryLimit', perQuery.totalMemoryLimitBytes)),
    },
  };
}

/** Of equal limits the first one counts. */
function least<L extends QueryLimit | undefined>(
  limit: L,
  { most, origin }: { readonly most: number | undefined; readonly origin: string },
): L | QueryLimit {
  return most !== undefined && (limit === undefined || most < limit.most) ? { most, origin } : limit;
}

/** What a query is told that ran for too long. */
export const timeExceeded = ({ most, origin }: QueryLimit): string =>
  `The query exceeded its time limit of ${formatDuration(most)}, counted from its admission (${origin}). ` +
  'Narrow it, or raise the limit.';

/** What a query is told that used too much CPU. */
export const cpuExceeded = (usedMs: number, { most, origin }: QueryLimit): string =>
  `The query used ${formatDuration(usedMs)} of CPU, its limit is ${formatDuration(most)} (${origin}). ` +
  'Narrow it, or raise the limit.';

/** What a query is told besides what the engine said when it ran out of memory: where its limit is written. */
export function memoryLimitOrigin(
  limit: QueryLimit | undefined,
  worker: { nodeId: string; taskBytes: number },
): string {
  if (limit === undefined || (worker.taskBytes > 0 && worker.taskBytes <= limit.most))
    return `The limit is task.memoryLimit of the worker ${worker.nodeId}.`;
  return `The limit is ${limit.origin}.`;
}
