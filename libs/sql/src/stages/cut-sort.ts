// Order and limits. Sorted rows are rows of one task, and keep their order up to the end of its stage.
import type { Cutter } from './cutter.js';
import { type Fragment, isDivided, put, SINGLE } from './fragment.js';
import type { NodeOf } from './plan-nodes.js';
import { allColumns, column, orderBy, selectFrom } from './stage-sql.js';

export function openOrder(node: NodeOf<'order'>, cutter: Cutter): Fragment | undefined {
  const child = cutter.open(node.child);
  const all = child && cutter.gather(child, node);
  if (all === undefined) return undefined;
  const items = node.output.map((index) => column(index));
  return put(all, {
    sql: selectFrom(items, all.sql, orderBy(node.keys)),
    types: node.types,
    operator: 'sort',
    distribution: SINGLE,
  });
}

export function openTopN(node: NodeOf<'topN'>, cutter: Cutter): Fragment | undefined {
  const { limit, offset } = node;
  return limited(node, cutter, limit, offset, orderBy(node.keys), 'top-N');
}

export function openLimit(node: NodeOf<'limit'>, cutter: Cutter): Fragment | undefined {
  return limited(node, cutter, node.limit, node.offset, '', 'limit');
}

/** Each task gives no more than the rows that could be wanted, and one task chooses among them. */
function limited(
  node: NodeOf<'topN'> | NodeOf<'limit'>,
  cutter: Cutter,
  limit: number | undefined,
  offset: number,
  order: string,
  operator: string,
): Fragment | undefined {
  const child = cutter.open(node.child);
  if (child === undefined) return undefined;
  const cut = (from: Fragment, most: number | undefined, skipped: number, name: string): Fragment => {
    const rest = `${order}${most === undefined ? '' : ` LIMIT ${most}`}${skipped === 0 ? '' : ` OFFSET ${skipped}`}`;
    return put(from, {
      sql: selectFrom(allColumns(from.types.length), from.sql, rest),
      types: from.types,
      operator: name,
      estimatedRows: Math.min(from.estimatedRows, most ?? Infinity),
    });
  };
  const isPartial = isDivided(child) && limit !== undefined;
  const all = cutter.gather(isPartial ? cut(child, limit + offset, 0, `partial ${operator}`) : child, node);
  return all && { ...cut(all, limit, offset, operator), distribution: SINGLE };
}
