// E2 of query-execution.ts: past its CPU limit a query ends.
import { failure, type QueryUse } from './core/query.js';
import { cpuExceeded } from './core/query-limits.js';
import type { LiveQuery } from './live-query.js';

/** Tells what the tasks of a query used. CPU time that was counted is never taken back. */
export function chargeCpu(query: LiveQuery, change: Partial<QueryUse> & { readonly cpuMs: number }): void {
  query.using({ ...change, cpuMs: Math.max(query.use.cpuMs, change.cpuMs) });
  const { cpuMs } = query.use;
  const { cpu } = query.limits;
  if (cpu === undefined || cpuMs <= cpu.most) return;
  query.apply({ kind: 'failed', failure: failure('EXCEEDED_CPU_LIMIT', cpuExceeded(cpuMs, cpu)) });
}
