// The SQL of joins, of two inputs `l` and `r`.
import { unreachable } from '@tutti/base';
import { expressionSql } from '../plan/expression-sql.js';
import type { JoinCondition } from '../plan/plan.js';
import type { NodeOf } from './plan-nodes.js';
import { allColumns, column, NotCuttable, render, safeText, selectList } from './stage-sql.js';

export type Join = Pick<
  NodeOf<'join'>,
  'kind' | 'conditions' | 'residual' | 'leftOutput' | 'rightOutput' | 'types' | 'estimatedRows'
>;

interface Inputs {
  readonly left: string;
  readonly right: string;
  readonly leftColumns: number;
}

export function joinSql(join: Join, { left, right, leftColumns }: Inputs): string {
  const on = conditionsSql(join, leftColumns);
  const leftItems = join.leftOutput.map((index) => column(index, 'l'));
  const rightItems = join.rightOutput.map((index) => column(index, 'r'));
  const joined = (items: readonly string[], operator: string): string =>
    `SELECT ${selectList(items)} FROM (${left}) AS l ${operator} (${right}) AS r ON ${on}`;
  const mirrored = (operator: string): string =>
    `SELECT ${selectList(rightItems)} FROM (${right}) AS r ${operator} (${left}) AS l ON ${on}`;
  switch (join.kind) {
    case 'inner':
    case 'left':
    case 'right':
    case 'full':
      return joined([...leftItems, ...rightItems], `${join.kind.toUpperCase()} JOIN`);
    case 'semi':
    case 'anti':
      return joined(leftItems, `${join.kind.toUpperCase()} JOIN`);
    case 'right_semi':
      return mirrored('SEMI JOIN');
    case 'right_anti':
      return mirrored('ANTI JOIN');
    case 'mark':
      return `SELECT ${selectList([...leftItems, markSql(join, right, leftColumns)])} FROM (${left}) AS l`;
    case 'single':
      return singleSql(join, { left, right, leftColumns }, on);
    default:
      return unreachable(join.kind);
  }
}

/** Comparisons for which NULL is a value like any other. */
export const isNullSafe = ({ comparison }: JoinCondition): boolean => comparison.includes('DISTINCT');

const conditionSql = ({ left, right, comparison }: JoinCondition): string =>
  `(${render(left, 'l')}) ${comparison} (${render(right, 'r')})`;

function conditionsSql({ conditions, residual }: Join, leftColumns: number): string {
  const texts = conditions.map(conditionSql);
  if (residual !== undefined) {
    texts.push(safeText(expressionSql(residual, (index) => sideColumn(index, leftColumns))));
  }
  return texts.length === 0 ? 'true' : texts.map((text) => `(${text})`).join(' AND ');
}

const sideColumn = (index: number, leftColumns: number): string =>
  index < leftColumns ? column(index, 'l') : column(index - leftColumns, 'r');

/** IN, op ANY or EXISTS, whose answer may be NULL: only with all rows of the right side at hand. */
function markSql(join: Join, right: string, leftColumns: number): string {
  const [compared, ...more] = join.conditions.filter((condition) => !isNullSafe(condition));
  if (compared === undefined) {
    return `EXISTS (SELECT 1 FROM (${right}) AS r WHERE ${conditionsSql(join, leftColumns)})`;
  }
  if (more.length > 0 || join.residual !== undefined) {
    throw new NotCuttable('IN or ANY over several columns at once');
  }
  const safe = { ...join, conditions: join.conditions.filter(isNullSafe) };
  const values = `SELECT ${render(compared.right, 'r')} FROM (${right}) AS r WHERE ${conditionsSql(safe, leftColumns)}`;
  return `(${render(compared.left, 'l')}) ${compared.comparison} ANY (${values})`;
}

/** A scalar subquery: fails when there is more than one row. */
function singleSql(join: Join, { left, right, leftColumns }: Inputs, on: string): string {
  const fields = join.rightOutput.map((index) => `c${index} := ${column(index, 'r')}`);
  if (fields.length === 0) throw new NotCuttable('a scalar subquery without a column');
  const value = `(SELECT struct_pack(${[...new Set(fields)].join(', ')}) FROM (${right}) AS r WHERE ${on})`;
  const items = [
    ...join.leftOutput.map((index) => column(index)),
    ...join.rightOutput.map((index) => `struct_extract(t.v, 'c${index}')`),
  ];
  const inner = [...allColumns(leftColumns, 'l'), `${value} AS v`].join(', ');
  return `SELECT ${selectList(items)} FROM (SELECT ${inner} FROM (${left}) AS l) AS t`;
}

/** Equal rows of both sides are in one task when these are hashed: conditions of equality over one type. */
export interface KeyPair {
  readonly left: JoinCondition['left'];
  readonly right: JoinCondition['right'];
}

/**
 * What both sides can be hashed by. Values of different types hash differently although they are equal, so only conditions
 * over one type count. Of IN not what it compares: its answer may be NULL for a value that is nowhere in the right side. But rows
 * of other values of a correlated column (IS NOT DISTINCT FROM) are never looked at.
 */
export function keyPairs({ kind, conditions }: Join): readonly KeyPair[] {
  const comparisons = kind === 'mark' ? ['IS NOT DISTINCT FROM'] : ['=', 'IS NOT DISTINCT FROM'];
  return conditions
    .filter(({ comparison }) => comparisons.includes(comparison))
    .filter(({ left, right }) => left.type.sql === right.type.sql)
    .filter(({ left, right }) => left.kind !== 'constant' && right.kind !== 'constant')
    .map(({ left, right }) => ({ left, right }));
}
