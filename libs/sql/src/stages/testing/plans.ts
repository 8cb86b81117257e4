// Plans by hand, and facts for their stages.
import type { AggregateCall, JoinCondition, JoinKind, PlanExpression, PlanNode, PlanType } from '../../plan/plan.js';
import type { Stage, StageFacts } from '../stage.js';

const type = (id: string): PlanType => ({ id, sql: id, children: [] });
export const INTEGER = type('INTEGER');
export const BIGINT = type('BIGINT');
export const VARCHAR = type('VARCHAR');

export const col = (index: number, of: PlanType = INTEGER): PlanExpression => ({ kind: 'column', index, type: of });
export const constant = (value: number): PlanExpression => ({
  kind: 'constant',
  sql: String(value),
  text: String(value),
  type: INTEGER,
});
export const compare = (left: PlanExpression, sign: string, right: PlanExpression): PlanExpression => ({
  kind: 'compound',
  operands: [left, right],
  render: ([a, b]) => `(${a} ${sign} ${b})`,
  type: type('BOOLEAN'),
});

/** A table with the columns a and b. */
export const scan = (table: string, estimatedRows: number, filters: readonly PlanExpression[] = []): PlanNode => ({
  op: 'scan',
  table,
  columns: [
    { name: 'a', type: INTEGER },
    { name: 'b', type: INTEGER },
  ],
  filters,
  output: [0, 1],
  types: [INTEGER, INTEGER],
  estimatedRows,
});

export const equal = (left: number, right: number): JoinCondition => ({
  left: col(left),
  right: col(right),
  comparison: '=',
});

export function join(
  kind: JoinKind,
  left: PlanNode,
  right: PlanNode,
  conditions: readonly JoinCondition[] = [equal(0, 0)],
): PlanNode {
  const leftOutput = left.types.map((_, index) => index);
  const rightOutput = right.types.map((_, index) => index);
  const isLeftOnly = kind === 'semi' || kind === 'anti';
  const types = isLeftOnly
    ? left.types
    : kind === 'mark'
      ? [...left.types, type('BOOLEAN')]
      : [...left.types, ...right.types];
  const estimatedRows = Math.max(left.estimatedRows, right.estimatedRows);
  return {
    op: 'join',
    kind,
    left,
    right,
    conditions,
    residual: undefined,
    leftOutput,
    rightOutput,
    delim: undefined,
    types,
    estimatedRows,
  };
}

export const countStar: AggregateCall = {
  name: 'count_star',
  operands: [],
  isDistinct: false,
  filter: undefined,
  orders: [],
  type: BIGINT,
};

export const group = (child: PlanNode, by: readonly number[], estimatedRows: number): PlanNode => ({
  op: 'aggregate',
  child,
  groups: by.map((index) => col(index)),
  sets: [by.map((_, index) => index)],
  aggregates: [countStar],
  groupings: [],
  types: [...by.map(() => INTEGER), BIGINT],
  estimatedRows,
});

export const topN = (child: PlanNode, limit: number): PlanNode => ({
  op: 'topN',
  child,
  keys: [{ expression: col(0), descending: true, nullsFirst: false }],
  limit,
  offset: 0,
  types: child.types,
  estimatedRows: limit,
});

/** Facts of a stage that gave `rows` rows. */
export const factsOf = (stage: Stage, rows: number): StageFacts => ({
  rows,
  bytes: rows * 8,
  partitionRows:
    stage.output.kind === 'partitioned' ? Array.from({ length: stage.output.partitions }, () => rows) : [rows],
  ranges: stage.types.map(() => ({ min: '3', max: '90' })),
});
