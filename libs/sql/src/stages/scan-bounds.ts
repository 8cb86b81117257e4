// Which conditions of a scan are comparisons of a column with a constant: by these splits are left out.
import type { PlanExpression } from '../plan/plan.js';
import type { ScanBound } from './stage.js';

type Comparison = ScanBound['comparison'];

const MIRRORED: Readonly<Record<Comparison, Comparison>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Stand for the operands, to see what an expression does with them. */
const [FIRST, SECOND, THIRD] = ['\u0001', '\u0002', '\u0003'];
/** Characters from here on have meanings. */
const OPERANDS_MAX = 8;

/** The bounds that hold when all of `filters` do. What is not understood bounds nothing. */
export const boundsOf = (filters: readonly PlanExpression[]): readonly ScanBound[] => filters.flatMap(boundsOfOne);

function boundsOfOne(filter: PlanExpression): readonly ScanBound[] {
  if (filter.kind !== 'compound') return [];
  const { operands } = filter;
  const [first, second, third] = operands;
  if (first === undefined || second === undefined || operands.length > OPERANDS_MAX) return [];
  const marks = operands.map((_, index) => String.fromCharCode(index + 1));
  const shape = withoutBlanks(filter.render(marks));
  if (shape === marks.join('AND')) return boundsOf(operands);
  if (operands.length === 2) {
    const comparison = comparisonOf(shape);
    return comparison === undefined ? [] : (bound(first, comparison, second) ?? []);
  }
  if (operands.length === 3 && third !== undefined && isBetween(shape)) {
    return [bound(first, '>=', second) ?? [], bound(first, '<=', third) ?? []].flat();
  }
  return [];
}

const withoutBlanks = (text: string): string => text.replaceAll(/[\s()]/g, '').toUpperCase();

function comparisonOf(shape: string): Comparison | undefined {
  const comparisons: readonly Comparison[] = ['=', '<', '<=', '>', '>='];
  return comparisons.find((comparison) => shape === `${FIRST}${comparison}${SECOND}`);
}

const isBetween = (shape: string): boolean =>
  shape === `${FIRST}BETWEEN${SECOND}AND${THIRD}` || shape === `${FIRST}>=${SECOND}AND${FIRST}<=${THIRD}`;

function bound(left: PlanExpression, comparison: Comparison, right: PlanExpression): ScanBound[] | undefined {
  if (left.kind === 'constant' && right.kind === 'column') return bound(right, MIRRORED[comparison], left);
  if (left.kind !== 'column' || right.kind !== 'constant' || right.text === undefined) return undefined;
  if (left.type.sql !== right.type.sql) return undefined;
  return [{ column: left.index, comparison, value: right.text }];
}
