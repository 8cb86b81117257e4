// Window functions: all rows of a partition have to be in one task.
import { sameExpression } from '../plan/expression-sql.js';
import type { PlanExpression, WindowCall } from '../plan/plan.js';
import type { Cutter } from './cutter.js';
import { type Fragment, hashOf, isDivided, put, SINGLE } from './fragment.js';
import type { NodeOf } from './plan-nodes.js';
import { allColumns, render, safeText, selectFrom } from './stage-sql.js';

export function openWindow(node: NodeOf<'window'>, cutter: Cutter): Fragment | undefined {
  const child = cutter.open(node.child);
  if (child === undefined) return undefined;
  const placed = together(child, commonPartitions(node.calls), node, cutter);
  if (placed === undefined) return undefined;
  const calls = node.calls.map((call) => safeText(call.render(call.operands.map((operand) => render(operand)))));
  return put(placed, {
    sql: selectFrom([...allColumns(placed.types.length), ...calls], placed.sql),
    types: node.types,
    operator: 'window',
    distribution: isDivided(placed) ? placed.distribution : SINGLE, // F1: rows that tie may come in any order.
  });
}

function together(child: Fragment, keys: readonly PlanExpression[], node: NodeOf<'window'>, cutter: Cutter) {
  if (!isDivided(child) || isTogetherBy(child, keys)) return child;
  if (keys.length === 0) return cutter.gather(child, node);
  const closed = cutter.close(child, node, 'window', { kind: 'partitioned', keys });
  return closed && cutter.readPartitions(closed);
}

/** Whether rows that agree in all of `keys` are in one task. */
export function isTogetherBy(fragment: Fragment, keys: readonly PlanExpression[]): boolean {
  const columns = new Set(keys.flatMap((key) => (key.kind === 'column' ? [key.index] : [])));
  const hash = hashOf(fragment);
  return hash !== undefined && hash.every((entry) => [...entry].some((index) => columns.has(index)));
}

function commonPartitions(calls: readonly WindowCall[]): readonly PlanExpression[] {
  const [first, ...others] = calls;
  const common = (first?.partitions ?? []).filter((key) =>
    others.every(({ partitions }) => partitions.some((other) => sameExpression(key, other))),
  );
  return common.filter((key) => key.kind !== 'constant');
}
