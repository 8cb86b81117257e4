import type { PlanOutcome } from '@tutti/engine';
import { decodePlan } from '@tutti/sql';
import type { QueryWork } from './core/query-work.js';

/** What an admitted query runs, from its plan. */
export function workOf({ fragment, columns, plan }: Extract<PlanOutcome, { kind: 'query' }>): QueryWork {
  if (plan.kind === 'whole') return { fragment, plan };
  const tableOf = (stubPath: string) => plan.tables.find((table) => table.stubPath === stubPath);
  const decoded = decodePlan(plan.planJson, plan.explainJson, tableOf);
  if ('unsupported' in decoded) return { fragment, plan: { kind: 'whole', reason: decoded.unsupported } };
  const columnNames = columns.map(({ name }) => name);
  return { fragment, plan: { kind: 'distributed', node: decoded.ok, tables: plan.tables, columnNames } };
}

/** EXPLAIN: the stages are cut when the workers are known; here is the engine's plan, and whether it can be cut. */
export function explainLines(outcome: Extract<PlanOutcome, { kind: 'explain' }>): string[][] {
  const { plan } = workOf({ ...outcome, kind: 'query' });
  const how =
    plan.kind === 'whole' ? `The query runs whole on one worker: ${plan.reason}.` : 'The query runs in stages.';
  return [...outcome.enginePlan, '', how].map((line) => [line]);
}
