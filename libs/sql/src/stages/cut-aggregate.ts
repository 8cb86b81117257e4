// Aggregates. Rows of one group have to come together: as they are, or first summed up where they lie.
//   A1. What is summed up where the rows lie is put together by states (aggregate-parts.ts), never by results.
//   A2. Groups may be in different tasks only by keys that all grouping sets have: the others mix rows of all groups.
//   A3. Without any group there is one row, from one task.
import { invariant } from '@tutti/base';
import { decompose } from '../plan/aggregate-parts.js';
import { sameExpression } from '../plan/expression-sql.js';
import type { AggregateCall, PlanExpression, PlanNode, PlanType } from '../plan/plan.js';
import { callSql, groupedSelect, withGroups } from './aggregate-sql.js';
import { isTogetherBy } from './cut-window.js';
import type { Cutter } from './cutter.js';
import {
  type ColumnMap,
  type Distribution,
  type Fragment,
  isDivided,
  mapDistribution,
  mapOrigins,
  put,
  REPLICATED,
  SINGLE,
} from './fragment.js';
import type { NodeOf } from './plan-nodes.js';
import { NotCuttable, render, selectFrom } from './stage-sql.js';

/** What is grouped how: an aggregate node without its child. */
export type Grouping = Pick<
  NodeOf<'aggregate'>,
  'groups' | 'sets' | 'aggregates' | 'groupings' | 'types' | 'estimatedRows'
>;
type Parts = NonNullable<ReturnType<typeof decompose>>;

/** How rows that are to be grouped are brought together: by stages named after the node. */
interface Place {
  readonly node: PlanNode;
  readonly cutter: Cutter;
  /** Indexes of the groups by which rows may be divided (A2). */
  readonly keys: readonly number[];
}

export function openAggregate(node: NodeOf<'aggregate'>, cutter: Cutter): Fragment | undefined {
  const child = cutter.open(node.child);
  return child && openAggregateOver(node, child, node, cutter);
}

/** Groups the rows of a fragment. */
export function openAggregateOver(grouping: Grouping, child: Fragment, node: PlanNode, cutter: Cutter) {
  if (grouping.types.length === 0) throw new NotCuttable('an aggregate without columns');
  const keys = commonGroups(grouping);
  const isTogether = keys.length > 0 && isTogetherBy(child, keysOf(grouping, keys));
  if (!isDivided(child) || isTogether) return wholeGroups(grouping, child);
  const place: Place = { node, cutter, keys };
  const parts = partsOf(grouping.aggregates);
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

/** All rows of each group are in one task: nothing but the aggregate itself. */
function wholeGroups(grouping: Grouping, child: Fragment): Fragment {
  const { groups, sets, groupings, aggregates } = grouping;
  const map = grouping.types.map((_, index): ColumnMap[number] => {
    const group = groups[index];
    return group?.kind === 'column' && sets.every((set) => set.includes(index)) ? group.index : undefined;
  });
  return put(child, {
    sql: groupedSelect({
      from: withGroups(groups, child.sql),
      groupName: (index) => `g${index}`,
      groupCount: groups.length,
      sets,
      calls: aggregates.map(callSql),
      groupings,
    }),
    types: grouping.types,
    operator: groups.length === 0 ? 'aggregate' : 'group',
    distribution: distributionOf(child, mapDistribution(child.distribution, map), aggregates),
    estimatedRows:
      groups.length === 0 ? 1 : Math.min(grouping.estimatedRows, child.estimatedRows * Math.max(1, sets.length)),
    origins: mapOrigins(child.origins, map),
  });
}

/** A1: a part of each group where the rows lie, then all parts of a group in one task. */
function inParts(grouping: Grouping, child: Fragment, parts: readonly Parts[], place: Place): Fragment | undefined {
  const { groups, aggregates } = grouping;
  const states = parts.flatMap(({ partials }, index) =>
    partials.map((partial) => {
      const call = aggregates[index];
      invariant(call !== undefined, 'parts without their call');
      return {
        sql: partial.sql([...call.operands, ...(call.filter ? [call.filter] : [])].map((one) => render(one))),
        type: partial.type,
      };
    }),
  );
  const partial = summedUp(grouping, child, states, 'partial aggregate');
  const gathered = togetherByGroups(partial, 'partial', place);
  if (gathered === undefined) return undefined;
  let next = groups.length;
  const calls = parts.map(({ partials, final }) => final(partials.map(() => `t.c${next++}`)));
  return finalGroups(grouping, gathered, calls, 'final aggregate');
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

/** Groups and states, by the finest grouping. */
function summedUp(grouping: Grouping, child: Fragment, states: readonly State[], operator: string): Fragment {
  const { groups } = grouping;
  const all = groups.map((_, index) => index);
  return put(child, {
    sql: groupedSelect({
      from: withGroups(groups, child.sql),
      groupName: (index) => `g${index}`,
      groupCount: groups.length,
      sets: [all],
      calls: states.map(({ sql }) => sql),
      groupings: [],
    }),
    types: [...groups.map(({ type }) => type), ...states.map(({ type }) => type)],
    operator,
    distribution: { kind: 'divided', hash: undefined },
    estimatedRows: groups.length === 0 ? 1 : Math.min(grouping.estimatedRows, child.estimatedRows),
  });
}

interface State {
  readonly sql: string;
  readonly type: PlanType;
}

/** Brings rows that begin with the groups together by these. */
function togetherByGroups(rows: Fragment, role: string, { node, cutter, keys }: Place): Fragment | undefined {
  if (keys.length === 0) return cutter.gather(rows, node, role);
  const columns = keys.map((index) => {
    const type = rows.types[index];
    invariant(type !== undefined, 'a group without a type');
    return { kind: 'column', index, type } as const;
  });
  const closed = cutter.close(rows, node, role, { kind: 'partitioned', keys: columns });
  return closed && cutter.readPartitions(closed);
}

/** Over rows that begin with the groups: `calls` are the SQL of the aggregates. */
function finalGroups(grouping: Grouping, rows: Fragment, calls: readonly string[], operator: string): Fragment {
  const { groups, sets, groupings } = grouping;
  const map = grouping.types.map((_, index) =>
    index < groups.length && sets.every((set) => set.includes(index)) ? index : undefined,
  );
  return put(rows, {
    sql: groupedSelect({
      from: rows.sql,
      groupName: (index) => `c${index}`,
      groupCount: groups.length,
      sets,
      calls,
      groupings,
    }),
    types: grouping.types,
    operator,
    distribution: distributionOf(rows, mapDistribution(rows.distribution, map), grouping.aggregates),
    estimatedRows:
      groups.length === 0 ? 1 : Math.min(grouping.estimatedRows, rows.estimatedRows * Math.max(1, sets.length)),
  });
}

const EXACT = new Set(['count', 'count_star', 'min', 'max', 'bool_and', 'bool_or', 'bit_and', 'bit_or', 'bit_xor']);

/** F1: the last digits of a floating sum, or the choice of `first`, may differ from task to task. */
function distributionOf(child: Fragment, mapped: Distribution, calls: readonly AggregateCall[]): Distribution {
  if (isDivided(child)) return mapped;
  const isExact = ({ name, operands, type }: AggregateCall): boolean =>
    (EXACT.has(name) && operands.length < 2) || (name === 'sum' && type.id !== 'DOUBLE');
  return child.distribution.kind === 'replicated' && calls.every(isExact) ? REPLICATED : SINGLE;
}

function partsOf(calls: readonly AggregateCall[]): readonly Parts[] | undefined {
  const parts = calls.flatMap((call) => decompose(call) ?? []);
  return parts.length === calls.length ? parts : undefined;
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
