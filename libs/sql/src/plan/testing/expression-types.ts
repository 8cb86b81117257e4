import { expressionSql } from '../expression-sql.js';
import type { PlanExpression, PlanNode } from '../plan.js';

/** An operator without others below it that stand for something around them, and all expressions over its input. */
export interface TypedExpressions {
  readonly input: PlanNode;
  readonly expressions: readonly PlanExpression[];
}

/** The compound expressions of projections, filters and aggregates of a plan, with all their operands. */
export function typedExpressions(node: PlanNode): TypedExpressions[] {
  switch (node.op) {
    case 'project':
      return [{ input: node.child, expressions: node.expressions.flatMap(parts) }, ...typedExpressions(node.child)];
    case 'filter':
      return [{ input: node.child, expressions: node.predicates.flatMap(parts) }, ...typedExpressions(node.child)];
    case 'aggregate': {
      const inside = node.aggregates.flatMap(({ operands }) => operands.filter(({ kind }) => kind !== 'constant'));
      return [
        { input: node.child, expressions: [...node.groups, ...inside].flatMap(parts) },
        ...typedExpressions(node.child),
      ];
    }
    case 'unnest':
    case 'distinct':
    case 'order':
    case 'topN':
    case 'limit':
    case 'window':
      return typedExpressions(node.child);
    case 'join':
    case 'cross':
      return [...typedExpressions(node.left), ...typedExpressions(node.right)];
    case 'setOperation':
      return node.inputs.flatMap(typedExpressions);
    case 'cte':
      return typedExpressions(node.definition);
    case 'scan':
    case 'values':
    case 'empty':
    case 'delimScan':
    case 'cteScan':
      return [];
  }
}

function parts(expression: PlanExpression): PlanExpression[] {
  // Columns are what their tables have: some types are not those that the planner's files of a table can have.
  if (expression.kind === 'column') return [];
  return expression.kind === 'compound' ? [expression, ...expression.operands.flatMap(parts)] : [expression];
}

/** Whether a plan can be written without what is around it. */
export function isClosed(node: PlanNode): boolean {
  switch (node.op) {
    case 'delimScan':
    case 'cteScan':
      return false;
    case 'scan':
    case 'values':
    case 'empty':
      return true;
    case 'join':
      return isClosed(node.left) && (node.delim !== undefined || isClosed(node.right));
    case 'cross':
      return isClosed(node.left) && isClosed(node.right);
    case 'setOperation':
      return node.inputs.every(isClosed);
    case 'cte':
      return isClosed(node.definition);
    default:
      return isClosed(node.child);
  }
}

export const selectOf = (list: readonly PlanExpression[], from: string): string =>
  `SELECT ${list.map((one, index) => `${expressionSql(one, (column) => `t.c${column}`)} AS e${index}`).join(', ')} FROM (${from}) AS t`;
