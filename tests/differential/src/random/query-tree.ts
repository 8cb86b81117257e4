// Random queries as trees, so that a failing one can be cut down.

/** What values of a column are like. Of `loose` ones the last digits depend on the order of the rows: they are only shown. */
export type Kind = 'int' | 'float' | 'decimal' | 'text' | 'bool' | 'date' | 'loose';

export interface Column {
  /** As it is named in expressions, such as t1.k. */
  readonly ref: string;
  readonly kind: Kind;
  /** How many different values it has, about; few make joins large. */
  readonly distinct: number;
}

export type Source =
  | { readonly kind: 'table'; readonly name: string; readonly alias: string }
  | { readonly kind: 'query'; readonly query: Query; readonly alias: string }
  | {
      readonly kind: 'join';
      readonly join: string;
      readonly left: Source;
      readonly right: Source;
      readonly on: readonly string[];
    };

export interface Item {
  readonly sql: string;
  readonly kind: Kind;
}

export interface Query {
  readonly ctes: readonly { readonly name: string; readonly query: Query }[];
  readonly isDistinct: boolean;
  readonly items: readonly Item[];
  readonly from: Source;
  readonly where: readonly string[];
  /** The text after GROUP BY. */
  readonly groups: string | undefined;
  readonly having: string | undefined;
  readonly set: { readonly operator: string; readonly query: Query } | undefined;
  /** Rows after ordering by all columns. */
  readonly limit: { readonly rows: number; readonly offset: number } | undefined;
}

/** The SQL of a query; its columns are named o0, o1, ... */
export function renderQuery(query: Query): string {
  const { ctes, items, where, groups, having, set, limit } = query;
  const parts = [
    ...(ctes.length > 0
      ? [`WITH ${ctes.map((cte) => `${cte.name} AS MATERIALIZED (${renderQuery(cte.query)})`).join(', ')}`]
      : []),
    `SELECT ${query.isDistinct ? 'DISTINCT ' : ''}${items.map(({ sql }, index) => `${sql} AS o${index}`).join(', ')}`,
    `FROM ${renderSource(query.from)}`,
    ...(where.length > 0 ? [`WHERE ${where.map((condition) => `(${condition})`).join(' AND ')}`] : []),
    ...(groups !== undefined ? [`GROUP BY ${groups}`] : []),
    ...(having !== undefined ? [`HAVING ${having}`] : []),
    ...(set !== undefined ? [`${set.operator} (${renderQuery(set.query)})`] : []),
  ];
  if (limit === undefined) return parts.join(' ');
  const order = items.map((_, index) => `${index + 1} ${index % 2 === 0 ? 'ASC NULLS LAST' : 'DESC NULLS FIRST'}`);
  return [...parts, `ORDER BY ${order.join(', ')} LIMIT ${limit.rows} OFFSET ${limit.offset}`].join(' ');
}

export function renderSource(source: Source): string {
  if (source.kind === 'table') return `${source.name} ${source.alias}`;
  if (source.kind === 'query') return `(${renderQuery(source.query)}) ${source.alias}`;
  const right = source.right.kind === 'join' ? `(${renderSource(source.right)})` : renderSource(source.right);
  const on = source.on.length > 0 ? ` ON ${source.on.join(' AND ')}` : '';
  return `${renderSource(source.left)} ${source.join} JOIN ${right}${on}`;
}
