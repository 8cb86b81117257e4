import type { EnginePlan, PlanOutcome } from '@tutti/engine';
import { decodePlan } from '@tutti/sql';
import type { QueryPlan, QueryWork } from './core/query-work.js';

/** What an admitted query runs, from its plan. */
export function workOf(outcome: Extract<PlanOutcome, { kind: 'query' | 'explain' }>): QueryWork {
  const isAnalyze = outcome.kind === 'explain' && outcome.isAnalyze;
  return { fragment: outcome.fragment, plan: planOf(outcome), isAnalyze };
}

/** Plans are used again as long as they hold (plan-cache.ts): each is decoded once. */
const decodedPlans = new WeakMap<EnginePlan, QueryPlan>();

/** How it can run on several workers, or why it runs whole on one. */
export function planOf(outcome: Extract<PlanOutcome, { kind: 'query' | 'explain' }>): QueryPlan {
  const known = decodedPlans.get(outcome.plan) ?? decoded(outcome);
  decodedPlans.set(outcome.plan, known);
  return known;
}

function decoded({ columns, plan }: Extract<PlanOutcome, { kind: 'query' | 'explain' }>): QueryPlan {
  if (plan.kind === 'whole') return plan;
  const tableOf = (stubPath: string) => plan.tables.find((table) => table.stubPath === stubPath);
  const node = decodePlan(plan.planJson, plan.explainJson, tableOf);
  if ('unsupported' in node) return { kind: 'whole', reason: `it has ${node.unsupported}` };
  const columnNames = columns.map(({ name }) => name);
  return { kind: 'distributed', node: node.ok, tables: plan.tables, columnNames };
}
