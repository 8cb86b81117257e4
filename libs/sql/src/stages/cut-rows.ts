// Operators that look at one row at a time: they stay where the rows are.
import type { Cutter } from './cutter.js';
import { type ColumnMap, type Fragment, mapDistribution, mapOrigins, put } from './fragment.js';
import type { NodeOf } from './plan-nodes.js';
import { allColumns, column, render, selectFrom, where } from './stage-sql.js';

export function openFilter(node: NodeOf<'filter'>, cutter: Cutter): Fragment | undefined {
  const child = cutter.open(node.child);
  if (child === undefined) return undefined;
  const conditions = where(node.predicates.map((predicate) => render(predicate)));
  return put(child, {
    sql: selectFrom(
      node.output.map((index) => column(index)),
      child.sql,
      conditions,
    ),
    types: node.types,
    operator: 'filter',
    isRowwise: true,
    isOneRow: child.isOneRow,
    distribution: mapDistribution(child.distribution, node.output),
    estimatedRows: Math.min(node.estimatedRows, child.estimatedRows),
    origins: mapOrigins(child.origins, node.output),
  });
}

export function openProject(node: NodeOf<'project'>, cutter: Cutter): Fragment | undefined {
  const child = cutter.open(node.child);
  if (child === undefined) return undefined;
  const map: ColumnMap = node.expressions.map((item) => (item.kind === 'column' ? item.index : undefined));
  return put(child, {
    sql: selectFrom(
      node.expressions.map((item) => render(item)),
      child.sql,
    ),
    types: node.types,
    operator: 'project',
    isRowwise: true,
    isOneRow: child.isOneRow,
    distribution: mapDistribution(child.distribution, map),
    origins: mapOrigins(child.origins, map),
  });
}

export function openUnnest(node: NodeOf<'unnest'>, cutter: Cutter): Fragment | undefined {
  const child = cutter.open(node.child);
  if (child === undefined) return undefined;
  const unnested = node.expressions.map((item) => `unnest(${render(item)})`);
  return put(child, {
    sql: selectFrom([...allColumns(child.types.length), ...unnested], child.sql),
    types: node.types,
    operator: 'unnest',
    isRowwise: true,
    estimatedRows: Math.max(node.estimatedRows, child.estimatedRows),
  });
}
