import type { PlanExpression } from './plan.js';

/** Writes an expression as SQL; `column` writes references. What comes out is complete: it can be an operand of anything. */
export function expressionSql(expression: PlanExpression, column: (index: number) => string): string {
  switch (expression.kind) {
    case 'column':
      return column(expression.index);
    case 'constant':
      return expression.sql;
    case 'compound':
      return expression.render(expression.operands.map((operand) => expressionSql(operand, column)));
  }
}

/** The columns that an expression refers to. */
export function columnsOf(expression: PlanExpression): Set<number> {
  if (expression.kind === 'column') return new Set([expression.index]);
  if (expression.kind === 'constant') return new Set();
  return new Set(expression.operands.flatMap((operand) => [...columnsOf(operand)]));
}

const byIndex = (index: number): string => `#${index}`;

/** Whether two expressions over the same input are the same, as they are written. */
export const sameExpression = (a: PlanExpression, b: PlanExpression): boolean =>
  expressionSql(a, byIndex) === expressionSql(b, byIndex) && a.type.sql === b.type.sql;
