// DISTINCT is a grouping by all columns. DISTINCT ON takes the first row of each group: of the first ones of the tasks.
import { openAggregateOver } from './cut-aggregate.js';
import { isTogetherBy } from './cut-window.js';
import type { Cutter } from './cutter.js';
import type { PlanExpression, PlanNode } from '../plan/plan.js';
import { type Fragment, isDivided, put, SINGLE } from './fragment.js';
import type { NodeOf } from './plan-nodes.js';
import { withGroups } from './aggregate-sql.js';
import { allColumns, orderBy, selectList } from './stage-sql.js';

export function openDistinct(node: NodeOf<'distinct'>, cutter: Cutter): Fragment | undefined {
  const child = cutter.open(node.child);
  if (child === undefined) return undefined;
  return node.on === undefined ? distinctRows(child, node, cutter) : distinctOn(node, node.on, child, cutter);
}

/** Each row once. `node` names the stage that it may need. */
export function distinctRows(child: Fragment, node: PlanNode, cutter: Cutter): Fragment | undefined {
  const groups = child.types.map((type, index) => ({ kind: 'column', index, type }) as const);
  const grouping = {
    groups,
    sets: [groups.map((_, index) => index)],
    aggregates: [],
    groupings: [],
    types: child.types,
    estimatedRows: child.estimatedRows,
  };
  return openAggregateOver(grouping, child, node, cutter);
}

function distinctOn(
  node: NodeOf<'distinct'>,
  on: readonly PlanExpression[],
  child: Fragment,
  cutter: Cutter,
): Fragment | undefined {
  const keys = on.filter(({ kind }) => kind !== 'constant');
  const first = (from: Fragment): Fragment => put(from, firstOfEach(node, on, from));
  if (!isDivided(child)) return { ...first(child), distribution: SINGLE }; // F1: rows may tie.
  if (keys.length > 0 && isTogetherBy(child, keys)) return first(child);
  const partial = first(child);
  if (keys.length === 0) {
    const all = cutter.gather(partial, node);
    return all && { ...first(all), distribution: SINGLE };
  }
  const closed = cutter.close(partial, node, 'distinct', { kind: 'partitioned', keys });
  const together = closed && cutter.readPartitions(closed);
  if (together === undefined) return undefined;
  return isDivided(together) ? first(together) : { ...first(together), distribution: SINGLE };
}

function firstOfEach({ types, orders }: NodeOf<'distinct'>, on: readonly PlanExpression[], { sql }: Fragment) {
  const keys = on.map((_, index) => `t.g${index}`).join(', ');
  const items = selectList(allColumns(types.length));
  return {
    sql: `SELECT DISTINCT ON (${keys}) ${items} FROM (${withGroups(on, sql)}) AS t${orderBy(orders)}`,
    types,
    operator: 'distinct on',
  };
}
