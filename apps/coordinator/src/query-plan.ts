import type { PlanOutcome } from '@tutti/engine';
import { decodePlan } from '@tutti/sql';
import type { QueryPlan, QueryWork } from './core/query-work.js';

/** What an admitted query runs, from its plan. */
export function workOf(outcome: Extract<PlanOutcome, { kind: 'query' | 'explain' }>): QueryWork {
  const isAnalyze = outcome.kind === 'explain' && outcome.isAnalyze;
  return { fragment: outcome.fragment, plan: planOf(outcome), isAnalyze };
}

/** How it can run on several workers, or why it runs whole on one. */
export function planOf({ columns, plan }: Extract<PlanOutcome, { kind: 'query' | 'explain' }>): QueryPlan {
  if (plan.kind === 'whole') return plan;
  const tableOf = (stubPath: string) => plan.tables.find((table) => table.stubPath === stubPath);
  const decoded = decodePlan(plan.planJson, plan.explainJson, tableOf);
  if ('unsupported' in decoded) return { kind: 'whole', reason: `it has ${decoded.unsupported}` };
  const columnNames = columns.map(({ name }) => name);
  return { kind: 'distributed', node: decoded.ok, tables: plan.tables, columnNames };
}
