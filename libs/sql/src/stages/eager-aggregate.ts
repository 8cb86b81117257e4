// Aggregates over a join whose rows have to move: the rows of the side that is counted or summed up are first put together by
// what they are joined by, where they lie, and far fewer move. After Yan and Larson, "Eager Aggregation and Lazy Aggregation"
// (VLDB 1995).
//   E1. Only of joins by nothing but equality, all keys of the other side being groups: rows of one key are in one group then.
//   E2. Only of plain columns of that side, by aggregates that pass over NULL: a row without a match adds nothing, as before.
//       A row that matches several others adds what it has once for each of them, also when it stands for many.
import { invariant } from '@tutti/base';
import { decompose } from '../plan/aggregate-parts.js';
import type { AggregateCall, PlanExpression } from '../plan/plan.js';
import { type Parts, partsOf, statesOf, summedUp } from './aggregate-steps.js';
import type { Sides } from './cut-join.js';
import { type Fragment, isDivided, mapDistribution, put } from './fragment.js';
import { isTogetherByPairs } from './join-fragments.js';
import { otherSide, replicableSides, type Side } from './join-kind.js';
import { type Join as JoinShape, keyPairs } from './join-sql.js';
import type { NodeOf } from './plan-nodes.js';
import type { CutSettings } from './stage.js';
import { column, selectFrom } from './stage-sql.js';

type Join = NodeOf<'join'>;
type Aggregate = NodeOf<'aggregate'>;

/** An aggregate of which parts can be made below its join. */
export interface EagerAggregate {
  readonly join: Join;
  /** The side that is summed up. */
  readonly side: Side;
  /** What it is joined by: expressions over its columns. */
  readonly keys: readonly PlanExpression[];
  /** The aggregates, over its columns. */
  readonly calls: readonly AggregateCall[];
}

/** These pass over NULL, and their states over NULL as well. */
const NULL_PASSING = new Set(['count', 'sum', 'min', 'max', 'avg', 'mean', 'bool_and', 'bool_or', 'bit_and', 'bit_or']);

/** More rows per key and worker than half of one are worth it: estimates of filtered rows are low, and a row that moves costs more
 *  than one that is put together. */
const ROWS_PER_KEY_MIN = 0.5;

/** E1, E2. */
export function eagerAggregate({ child, groups, sets, aggregates, groupings }: Aggregate): EagerAggregate | undefined {
  if (child.op !== 'join' || child.delim !== undefined || child.residual !== undefined) return undefined;
  if (sets.length !== 1 || groupings.length > 0 || aggregates.length === 0) return undefined;
  const sides = sidesOf(child);
  const pairs = keyPairs(child);
  if (pairs.length === 0 || pairs.length < child.conditions.length) return undefined;
  if (child.conditions.some(({ comparison }) => comparison !== '=')) return undefined;
  for (const side of ['left', 'right'] as const) {
    const isGroup = (key: PlanExpression): boolean =>
      key.kind === 'column' &&
      groups.some((group) => group.kind === 'column' && sides.columnOf(group.index, otherSide(side)) === key.index);
    if (!pairs.every((pair) => isGroup(pair[otherSide(side)]))) continue;
    if (!groups.every((group) => isColumnOf(group, otherSide(side), sides))) continue;
    const calls = aggregates.flatMap((call) => callBelow(call, side, sides) ?? []);
    if (calls.length === aggregates.length) return { join: child, side, keys: pairs.map((pair) => pair[side]), calls };
  }
  return undefined;
}

interface JoinColumns {
  /** Index into the columns of that side; undefined when the column of the join is of the other one. */
  readonly columnOf: (index: number, side: Side) => number | undefined;
}

/** Of kinds that give columns of both sides. */
function sidesOf({ kind, leftOutput, rightOutput }: Join): JoinColumns {
  const isBoth = kind === 'inner' || kind === 'left' || kind === 'right';
  return {
    columnOf: (index, side) =>
      isBoth ? (side === 'left' ? leftOutput[index] : rightOutput[index - leftOutput.length]) : undefined,
  };
}

const isColumnOf = (expression: PlanExpression, side: Side, { columnOf }: JoinColumns): boolean =>
  expression.kind === 'column' && columnOf(expression.index, side) !== undefined;

function callBelow(call: AggregateCall, side: Side, { columnOf }: JoinColumns): AggregateCall | undefined {
  const [operand] = call.operands;
  if (!NULL_PASSING.has(call.name) || call.operands.length !== 1 || operand?.kind !== 'column') return undefined;
  const index = columnOf(operand.index, side);
  if (index === undefined || call.filter !== undefined || decompose(call) === undefined) return undefined;
  return { ...call, operands: [{ ...operand, index }] };
}

/** Whether rows of that side would have to move, and much fewer do when they are summed up before. */
export function isWorthIt({ join, side }: EagerAggregate, sides: Sides, { workers, broadcastRowsMax }: CutSettings) {
  const [rows, others] = [sides[side], sides[otherSide(side)]];
  if (!isDivided(rows) || rows.estimatedRows <= broadcastRowsMax) return false;
  if (isTogetherByPairs(sides, keyPairs(join))) return false;
  const isOtherMoved =
    isDivided(others) &&
    others.estimatedRows > broadcastRowsMax &&
    replicableSides(join.kind).includes(otherSide(side));
  if (!isOtherMoved && replicableSides(join.kind).includes(otherSide(side))) return false;
  return rows.estimatedRows >= others.estimatedRows * workers * ROWS_PER_KEY_MIN;
}

/** What is joined instead. */
interface Below {
  readonly join: JoinShape;
  readonly sides: Sides;
  readonly parts: readonly Parts[];
  /** Brings what was joined into the order of the groups, then the states. */
  readonly groupsFirst: (joined: Fragment) => Fragment;
}

export function aggregateBelow(
  { groups }: Aggregate,
  eager: EagerAggregate,
  sides: Sides,
  { workers }: CutSettings,
): Below {
  const { join, side, keys, calls } = eager;
  const rows = sides[side];
  const parts = partsOf(calls);
  invariant(parts !== undefined, 'an aggregate without parts');
  const estimatedRows = Math.min(rows.estimatedRows, sides[otherSide(side)].estimatedRows * workers);
  const grouping = {
    groups: keys,
    sets: [keys.map((_, index) => index)],
    aggregates: calls,
    groupings: [],
    types: [],
    estimatedRows,
  };
  const summed = summedUp(grouping, rows, statesOf(calls, parts), 'partial aggregate');
  const states = summed.types.map((_, index) => index).slice(keys.length);
  const stateTypes = summed.types.slice(keys.length);
  const isLeft = side === 'left';
  const otherTypes = isLeft ? join.types.slice(join.leftOutput.length) : join.types.slice(0, join.leftOutput.length);
  const shape: JoinShape = {
    kind: join.kind,
    conditions: join.conditions.map((condition, index) => ({
      ...condition,
      [side]: { kind: 'column', index, type: condition[side].type },
    })),
    residual: undefined,
    leftOutput: isLeft ? states : join.leftOutput,
    rightOutput: isLeft ? join.rightOutput : states,
    types: isLeft ? [...stateTypes, ...otherTypes] : [...otherTypes, ...stateTypes],
    estimatedRows: join.estimatedRows,
  };
  const shift = isLeft ? states.length - join.leftOutput.length : 0;
  const groupIndexes = groups.flatMap((group) => (group.kind === 'column' ? [group.index + shift] : []));
  const order = [...groupIndexes, ...states.map((_, index) => index + (isLeft ? 0 : otherTypes.length))];
  return {
    join: shape,
    sides: { ...sides, [side]: summed },
    parts,
    groupsFirst: (joined) =>
      put(joined, {
        sql: selectFrom(
          order.map((index) => column(index)),
          joined.sql,
        ),
        types: order.flatMap((index) => joined.types[index] ?? []),
        operator: 'project',
        distribution: mapDistribution(joined.distribution, order),
      }),
  };
}
