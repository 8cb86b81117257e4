// Correlated subqueries. The distinct values of the outer side (delim scan) are joined with the inner side, and the answer
// with the outer side again: so the outer side is made once, and read twice.
//   D1. Both readings of a divided outer side are by the same hash where that is by eliminated columns: then each task has
//       the distinct values of its own rows.
import { sameExpression } from '../plan/expression-sql.js';
import type { PlanExpression } from '../plan/plan.js';
import { joinFragments } from './cut-join.js';
import type { Cutter } from './cutter.js';
import { invariant } from '@tutti/base';
import {
  type ClosedStage,
  type Fragment,
  type HashColumns,
  hashOf,
  inCommon,
  isDivided,
  mapDistribution,
  put,
  rangesOf,
} from './fragment.js';
import type { NodeOf } from './plan-nodes.js';
import { isSoonRead } from './read-whole.js';
import { render, selectFrom } from './stage-sql.js';

type Delim = NonNullable<NodeOf<'join'>['delim']>;

/** The outer side, and its distinct values. */
interface Outer {
  readonly rows: Fragment;
  readonly values: () => Fragment;
}

export function openDelimJoin(node: NodeOf<'join'>, delim: Delim, cutter: Cutter): Fragment | undefined {
  const [outerNode, innerNode] = delim.isFlipped ? [node.right, node.left] : [node.left, node.right];
  const outer = openOuter(node, delim, cutter.open(outerNode), cutter);
  cutter.delims.set(delim.delimId, () => outer?.values());
  const inner = cutter.open(innerNode); // Also when the outer side has to wait: parts of it may not depend on that.
  if (outer === undefined || inner === undefined) return undefined;
  const sides = delim.isFlipped ? { left: inner, right: outer.rows } : { left: outer.rows, right: inner };
  return joinFragments(node, sides, { node, cutter });
}

export function openDelimScan({ delimId }: NodeOf<'delimScan'>, cutter: Cutter): Fragment | undefined {
  const values = cutter.delims.get(delimId);
  invariant(values !== undefined, `delim scan ${delimId} is outside of its join`);
  return values();
}

function openOuter(node: NodeOf<'join'>, delim: Delim, rows: Fragment | undefined, cutter: Cutter): Outer | undefined {
  if (rows === undefined) return undefined;
  const isMadeByAll = rows.distribution.kind === 'replicated' && (rows.stored !== undefined || isSoonRead(rows));
  if (isMadeByAll || isDividedByValues(rows, delim)) {
    const once = inCommon(rows, `d${cutter.numberOf(node)}`);
    return { rows: once, values: () => distinctValues(once, delim) };
  }
  const stage = rows.stored ?? closeOuter(node, delim, rows, cutter);
  if (stage === undefined) return undefined;
  const all = (): Fragment => cutter.read(stage, 'all');
  if (!isDivided(rows) || cutter.isSmall(stage.rows))
    return { rows: all(), values: () => distinctValues(all(), delim) };
  const divided = stage.hash === undefined ? cutter.read(stage, 'own') : cutter.read(stage, 'partition');
  const isApart = !isHashedByValues(stage, delim); // D1
  return { rows: divided, values: () => distinctValues(isApart ? all() : cutter.read(stage, 'partition'), delim) };
}

/** D1 without a stage: tasks have ranges of a column that is eliminated. */
function isDividedByValues(rows: Fragment, delim: Delim): boolean {
  return rangesOf(rows) !== undefined && isByColumnsOf(hashOf(rows), delim);
}

function closeOuter(node: NodeOf<'join'>, delim: Delim, rows: Fragment, cutter: Cutter): ClosedStage | undefined {
  const keys = isDivided(rows) ? correlatedColumns(node, delim) : [];
  return cutter.close(rows, node, 'outer', keys.length === 0 ? { kind: 'files' } : { kind: 'partitioned', keys });
}

/** Columns of the outer side that are eliminated, and that the join compares for equality. */
function correlatedColumns(
  { conditions }: NodeOf<'join'>,
  { eliminated, isFlipped }: Delim,
): readonly PlanExpression[] {
  const compared = conditions
    .filter(({ comparison, left, right }) => {
      const isEquality = comparison === '=' || comparison === 'IS NOT DISTINCT FROM';
      return isEquality && left.type.sql === right.type.sql;
    })
    .map(({ left, right }) => (isFlipped ? right : left));
  return eliminated.filter(
    (expression) => expression.kind === 'column' && compared.some((other) => sameExpression(expression, other)),
  );
}

const isHashedByValues = ({ hash }: ClosedStage, delim: Delim): boolean => isByColumnsOf(hash, delim);

function isByColumnsOf(hash: HashColumns | undefined, { eliminated }: Delim): boolean {
  const columns = new Set(eliminated.flatMap((item) => (item.kind === 'column' ? [item.index] : [])));
  return hash !== undefined && hash.length > 0 && hash.every((entry) => [...entry].some((index) => columns.has(index)));
}

/** SELECT DISTINCT of the eliminated expressions. Of divided rows only where equal ones are in one task. */
function distinctValues(rows: Fragment, { eliminated }: Delim): Fragment {
  const items = eliminated.map((expression) => render(expression));
  const map = eliminated.map((expression) => (expression.kind === 'column' ? expression.index : undefined));
  const { distribution } = rows;
  return put(rows, {
    sql: `SELECT DISTINCT * FROM (${selectFrom(items, rows.sql)}) AS t`,
    types: eliminated.map(({ type }) => type),
    operator: 'distinct values',
    distribution: mapDistribution(distribution, map),
  });
}
