// Aggregates. Rows of one group have to come together: as they are, or first summed up where they lie.
//   A1. What is summed up where the rows lie is put together by states (aggregate-parts.ts), never by results.
//   A2. Groups may be in different tasks only by keys that all grouping sets have: the others mix rows of all groups.
//   A3. Without any group there is one row, from one task.
import { invariant } from '@tutti/base';
import { sameExpression } from '../plan/expression-sql.js';
import type { AggregateCall, PlanExpression, PlanNode } from '../plan/plan.js';
import { callSql } from './aggregate-sql.js';
import {
  finalCalls,
  finalGroups,
  type Grouping,
  type Parts,
  partsOf,
  statesOf,
  summedUp,
  wholeGroups,
} from './aggregate-steps.js';
import { joinFragments } from './cut-join.js';
import { isTogetherBy } from './cut-window.js';
import type { Cutter } from './cutter.js';
import { aggregateBelow, type EagerAggregate, eagerAggregate, isWorthIt } from './eager-aggregate.js';
import { type Fragment, isDivided, put } from './fragment.js';
import type { NodeOf } from './plan-nodes.js';
import { NotCuttable, render, selectFrom } from './stage-sql.js';

/** How rows that are to be grouped are brought together: by stages named after the node. */
interface Place {
  readonly node: PlanNode;
  readonly cutter: Cutter;
  /** Indexes of the groups by which rows may be divided (A2). */
  readonly keys: readonly number[];
}

export function openAggregate(node: NodeOf<'aggregate'>, cutter: Cutter): Fragment | undefined {
  const eager = eagerAggregate(node);
  if (eager !== undefined) return openEager(node, eager, cutter);
  const child = cutter.open(node.child);
  return child && openAggregateOver(node, child, node, cutter);
}

/** Sums up below the join where that is worth it. */
function openEager(node: NodeOf<'aggregate'>, eager: EagerAggregate, cutter: Cutter): Fragment | undefined {
  const { join } = eager;
  const [left, right] = [cutter.open(join.left), cutter.open(join.right)];
  if (left === undefined || right === undefined) return undefined;
  if (!isWorthIt(eager, { left, right }, cutter.settings)) {
    const child = joinFragments(join, { left, right }, { node: join, cutter });
    return child && openAggregateOver(node, child, node, cutter);
  }
  const below = aggregateBelow(node, eager, { left, right }, cutter.settings);
  const joined = joinFragments(below.join, below.sides, { node: join, cutter });
  if (joined === undefined) return undefined;
  const rows = below.groupsFirst(joined);
  const keys = node.groups.map((_, index) => index);
  const isTogether =
    !isDivided(rows) ||
    isTogetherBy(
      rows,
      keys.map((index) => columnOf(rows, index)),
    );
  const gathered = isTogether ? rows : togetherByGroups(rows, 'partial', { node, cutter, keys });
  return gathered && finalGroups(node, gathered, finalCalls(keys.length, below.parts), 'final aggregate');
}

/** Groups the rows of a fragment. */
export function openAggregateOver(grouping: Grouping, child: Fragment, node: PlanNode, cutter: Cutter) {
  if (grouping.types.length === 0) throw new NotCuttable('an aggregate without columns');
  const keys = commonGroups(grouping);
  const isTogether = keys.length > 0 && isTogetherBy(child, keysOf(grouping, keys));
  if (!isDivided(child) || isTogether) return wholeGroups(grouping, child);
  const place: Place = { node, cutter, keys };
  const parts = partsOf(grouping.aggregates, (operand) => cutter.isFull(child, operand));
  if (parts !== undefined) return inParts(grouping, child, parts, place);
  if (isDistinctOfOneThing(grouping.aggregates)) return distinctFirst(grouping, child, place);
  return rowsFirst(grouping, child, place);
}

/** Indexes of the groups that every grouping set has. */
function commonGroups({ groups, sets }: Grouping): readonly number[] {
  const indexes = groups.map((_, index) => index);
  return indexes.filter((index) => sets.every((set) => set.includes(index)) && groups[index]?.kind !== 'constant');
}

const keysOf = ({ groups }: Grouping, keys: readonly number[]): readonly PlanExpression[] =>
  groups.filter((_, index) => keys.includes(index));

/** A1: a part of each group where the rows lie, then all parts of a group in one task. */
function inParts(grouping: Grouping, child: Fragment, parts: readonly Parts[], place: Place): Fragment | undefined {
  const { groups, aggregates } = grouping;
  const partial = summedUp(grouping, child, statesOf(aggregates, parts), 'partial aggregate');
  const gathered = togetherByGroups(partial, 'partial', place);
  if (gathered === undefined) return undefined;
  return finalGroups(grouping, gathered, finalCalls(groups.length, parts), 'final aggregate');
}

/** count(DISTINCT x): each value of a group once where the rows lie, then once of all. */
function distinctFirst(grouping: Grouping, child: Fragment, place: Place): Fragment | undefined {
  const { groups, aggregates } = grouping;
  const operands = aggregates[0]?.operands ?? [];
  const values = operands.map((operand) => ({ sql: render(operand), type: operand.type }));
  const inner = selectFrom([...groups.map((group) => render(group)), ...values.map(({ sql }) => sql)], child.sql);
  const types = [...groups.map(({ type }) => type), ...values.map(({ type }) => type)];
  const distinct = put(child, {
    sql: `SELECT DISTINCT * FROM (${inner}) AS t`,
    types,
    operator: 'partial distinct',
    distribution: { kind: 'divided', hash: undefined },
  });
  const gathered = togetherByGroups(distinct, 'distinct', place);
  if (gathered === undefined) return undefined;
  const moved = operands.map(({ type }, index) => ({ kind: 'column', index: groups.length + index, type }) as const);
  const calls = aggregates.map((call) => callSql({ ...call, operands: moved }));
  return finalGroups(grouping, gathered, calls, 'distinct aggregate');
}

/** The rows as they are. */
function rowsFirst(grouping: Grouping, child: Fragment, { node, cutter, keys }: Place): Fragment | undefined {
  const expressions = keysOf(grouping, keys);
  const output =
    keys.length === 0 ? ({ kind: 'files' } as const) : ({ kind: 'partitioned', keys: expressions } as const);
  const closed = cutter.close(child, node, 'rows', output);
  if (closed === undefined) return undefined;
  const together = keys.length === 0 ? cutter.read(closed, 'all') : cutter.readPartitions(closed);
  return wholeGroups(grouping, together);
}

/** Brings rows that begin with the groups together by these. */
function togetherByGroups(rows: Fragment, role: string, { node, cutter, keys }: Place): Fragment | undefined {
  if (keys.length === 0) return cutter.gather(rows, node, role);
  const columns = keys.map((index) => columnOf(rows, index));
  const closed = cutter.close(rows, node, role, { kind: 'partitioned', keys: columns });
  return closed && cutter.readPartitions(closed);
}

function columnOf({ types }: Fragment, index: number) {
  const type = types[index];
  invariant(type !== undefined, 'a group without a type');
  return { kind: 'column', index, type } as const;
}

function isDistinctOfOneThing(calls: readonly AggregateCall[]): boolean {
  const [first] = calls;
  const isSame = ({ isDistinct, filter, orders, operands }: AggregateCall): boolean =>
    isDistinct &&
    filter === undefined &&
    orders.length === 0 &&
    operands.length === first?.operands.length &&
    operands.every((operand, index) => {
      const other = first.operands[index];
      return other !== undefined && sameExpression(operand, other);
    });
  return calls.length > 0 && calls.every(isSame);
}
