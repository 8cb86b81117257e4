// The steps of which aggregates are made: states of parts of the rows, what all states together give, and whole groups.
import { invariant } from '@tutti/base';
import { decompose } from '../plan/aggregate-parts.js';
import type { AggregateCall, PlanExpression, PlanType } from '../plan/plan.js';
import { callSql, groupedSelect, groupingOf, withGroups } from './aggregate-sql.js';
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
import { render } from './stage-sql.js';

/** What is grouped how: an aggregate node without its child. */
export type Grouping = Pick<
  NodeOf<'aggregate'>,
  'groups' | 'sets' | 'aggregates' | 'groupings' | 'types' | 'estimatedRows'
>;
export type Parts = NonNullable<ReturnType<typeof decompose>>;

export interface State {
  readonly sql: string;
  readonly type: PlanType;
}

/** The states of all calls, in order. */
export const statesOf = (aggregates: readonly AggregateCall[], parts: readonly Parts[]): readonly State[] =>
  parts.flatMap(({ partials }, index) =>
    partials.map((partial) => {
      const call = aggregates[index];
      invariant(call !== undefined, 'parts without their call');
      return {
        sql: partial.sql([...call.operands, ...(call.filter ? [call.filter] : [])].map((one) => render(one))),
        type: partial.type,
      };
    }),
  );

/** The calls, over rows that begin with `groups` groups and have the states then. */
export function finalCalls(groups: number, parts: readonly Parts[]): readonly string[] {
  let next = groups;
  return parts.map(({ partials, final }) => final(partials.map(() => `t.c${next++}`)));
}

/** All rows of each group are in one task: nothing but the aggregate itself. */
export function wholeGroups(grouping: Grouping, child: Fragment): Fragment {
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
    isOneRow: groupingOf(groups.length, sets) === 'none',
  });
}

/** Groups and states, by the finest grouping. */
export function summedUp(grouping: Grouping, child: Fragment, states: readonly State[], operator: string): Fragment {
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

/** Over rows that begin with the groups: `calls` are the SQL of the aggregates. */
export function finalGroups(grouping: Grouping, rows: Fragment, calls: readonly string[], operator: string): Fragment {
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
    isOneRow: groupingOf(groups.length, sets) === 'none',
  });
}

const EXACT = new Set(['count', 'count_star', 'min', 'max', 'bool_and', 'bool_or', 'bit_and', 'bit_or', 'bit_xor']);
/** Averages of these are quotients of exact sums. */
const EXACT_AVERAGES = /^(TINY|SMALL|BIG)INT$|^INTEGER$|^DECIMAL$/;

/** F1: the last digits of a floating sum, or the choice of `first`, may differ from task to task; not of one row. */
function distributionOf(child: Fragment, mapped: Distribution, calls: readonly AggregateCall[]): Distribution {
  if (isDivided(child)) return mapped;
  if (child.distribution.kind !== 'replicated') return SINGLE;
  return child.isOneRow || calls.every(isExact) ? REPLICATED : SINGLE;
}

function isExact({ name, operands, type }: AggregateCall): boolean {
  if (EXACT.has(name)) return operands.length < 2;
  if (name === 'sum') return type.id !== 'DOUBLE';
  return (name === 'avg' || name === 'mean') && EXACT_AVERAGES.test(operands[0]?.type.id ?? '');
}

/** How the calls are taken apart; `isFull` tells which operands are never NULL. */
export function partsOf(
  calls: readonly AggregateCall[],
  isFull: (operand: PlanExpression) => boolean = () => false,
): readonly Parts[] | undefined {
  const parts = calls.flatMap((call) => decompose(call, call.operands.every(isFull)) ?? []);
  return parts.length === calls.length ? parts : undefined;
}
