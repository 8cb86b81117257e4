// The SQL of aggregates. Groups are computed once below, as g0, g1, ..., since a constant in GROUP BY would be a position.
import { unreachable } from '@tutti/base';
import type { AggregateCall, PlanExpression } from '../plan/plan.js';
import { orderBy, render, safeText, selectList } from './stage-sql.js';

/** The SQL of a whole call over the columns of `t`. */
export function callSql({ name, operands, isDistinct, filter, orders, type }: AggregateCall): string {
  const list = operands.map((operand) => render(operand)).join(', ');
  const inside = name === 'count_star' ? '*' : `${isDistinct ? 'DISTINCT ' : ''}${list}${orderBy(orders)}`;
  const called = name === 'count_star' ? 'count' : `"${name.replaceAll('"', '""')}"`;
  const filtered = filter === undefined ? '' : ` FILTER (WHERE ${render(filter)})`;
  return safeText(`CAST(${called}(${inside})${filtered} AS ${type.sql})`);
}

/** The groups as columns g0, g1, ... beside the columns of the input. */
export function withGroups(groups: readonly PlanExpression[], from: string): string {
  const items = groups.map((group, index) => `, ${render(group)} AS g${index}`);
  return `SELECT t.*${items.join('')} FROM (${from}) AS t`;
}

export interface GroupedSelect {
  /** The input, in which the groups are columns called by `groupName`. */
  readonly from: string;
  readonly groupName: (index: number) => string;
  readonly groupCount: number;
  readonly sets: readonly (readonly number[])[];
  readonly calls: readonly string[];
  readonly groupings: readonly (readonly number[])[];
}

/** SELECT groups, calls, GROUPING() of the groupings. */
export function groupedSelect({ from, groupName, groupCount, sets, calls, groupings }: GroupedSelect): string {
  const groups = Array.from({ length: groupCount }, (_, index) => `t.${groupName(index)}`);
  const named = (indexes: readonly number[]): string => indexes.map((index) => groups[index]).join(', ');
  const items = [...groups, ...calls, ...groupings.map((indexes) => `CAST(GROUPING(${named(indexes)}) AS BIGINT)`)];
  return `SELECT ${selectList(items)} FROM (${from}) AS t${groupBy(groups, sets, named)}`;
}

type Grouping = 'none' | 'plain' | 'sets';

/** One row for all, one per group, or several grouping sets. */
export function groupingOf(groupCount: number, sets: readonly (readonly number[])[]): Grouping {
  if (groupCount === 0 && sets.length <= 1) return 'none';
  const [first] = sets;
  return sets.length === 1 && new Set(first).size === groupCount ? 'plain' : 'sets';
}

function groupBy(
  groups: readonly string[],
  sets: readonly (readonly number[])[],
  named: (set: readonly number[]) => string,
) {
  const grouping = groupingOf(groups.length, sets);
  switch (grouping) {
    case 'none':
      return '';
    case 'plain':
      return ` GROUP BY ${groups.join(', ')}`;
    case 'sets':
      return ` GROUP BY GROUPING SETS (${sets.map((set) => `(${named(set)})`).join(', ')})`;
    default:
      return unreachable(grouping);
  }
}
