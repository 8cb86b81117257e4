import type { PlanNode } from '../plan/plan.js';

/**
 * How many rows of a table a plan reads that only wants some of its first ones, whichever they are: a reader stops there, and
 * has nothing to leave out on the way. Undefined for any other plan.
 */
export function firstRowsOf(plan: PlanNode): number | undefined {
  const node = belowProjects(plan);
  if (node.op !== 'limit' || node.limit === undefined) return undefined;
  const from = belowProjects(node.child);
  return from.op === 'scan' && from.filters.length === 0 ? node.limit + node.offset : undefined;
}

function belowProjects(plan: PlanNode): PlanNode {
  let node = plan;
  while (node.op === 'project') node = node.child;
  return node;
}
