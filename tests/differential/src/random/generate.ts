// Random queries from a seed: joins and subqueries up to a depth, aggregates, windows, set operations, common tables.
// Whatever is chosen by order or limit is chosen by a total order, so that there is one right answer.
import { Choice } from './choice.js';
import { Expressions, KINDS } from './expressions.js';
import type { Column, Item, Kind, Query, Source } from './query-tree.js';
import { RANDOM_TABLES } from './tables.js';

/** Rows that a join may have, about. */
const ROWS_MAX = 25_000;
const DEPTH_MAX = 4;

interface Relation {
  readonly source: Source;
  readonly columns: readonly Column[];
  readonly rows: number;
}

interface Common {
  readonly name: string;
  readonly items: readonly Item[];
  readonly rows: number;
}

/** The query of a seed. */
export const generateQuery = (seed: number): Query => new Generator(new Choice(seed)).query(DEPTH_MAX);

class Generator {
  private names = 0;

  constructor(private readonly choice: Choice) {}

  query(depth: number, kinds?: readonly Kind[], outer: readonly Common[] = []): Query {
    return this.sized(depth, kinds, outer).query;
  }

  private sized(
    depth: number,
    kinds: readonly Kind[] | undefined,
    outer: readonly Common[],
  ): { query: Query; rows: number } {
    const { choice } = this;
    const ctes: { name: string; query: Query }[] = [];
    const common = [...outer];
    if (depth === DEPTH_MAX && choice.percent(15)) {
      const { query, rows } = this.sized(1, undefined, outer);
      const name = `w${++this.names}`;
      ctes.push({ name, query });
      common.push({ name, items: query.items, rows });
    }
    const relation = this.relation(depth, common);
    const expressions = new Expressions(choice, relation.columns);
    const where = choice.percent(60) ? [expressions.condition()] : [];
    if (depth > 1 && choice.percent(25)) where.push(this.subqueryCondition(relation, expressions));
    const body = choice.percent(45) ? this.grouped(expressions, kinds, relation) : this.plain(expressions, kinds);
    const rows = body.groups === undefined && !body.isGlobal ? relation.rows : Math.min(relation.rows, 300);
    const loose = body.items.some(({ kind }) => kind === 'loose');
    const itemKinds = body.items.map(({ kind }) => kind);
    const set =
      depth > 1 && !loose && choice.percent(12)
        ? {
            operator: choice.of(['UNION ALL', 'UNION', 'EXCEPT', 'INTERSECT', 'EXCEPT ALL', 'INTERSECT ALL']),
            query: this.query(1, itemKinds, common),
          }
        : undefined;
    const limit =
      !loose && choice.percent(20)
        ? { rows: 1 + choice.below(40), offset: choice.percent(30) ? choice.below(9) : 0 }
        : undefined;
    const { items, groups, having, isDistinct } = body;
    return { query: { ctes, isDistinct, items, from: relation.source, where, groups, having, set, limit }, rows };
  }

  private plain(expressions: Expressions, kinds: readonly Kind[] | undefined) {
    const { choice } = this;
    const wanted = kinds ?? choice.some(choice.percent(85) ? expressions.kinds : KINDS, 1, 4);
    const items = wanted.map((kind): Item => ({ kind, sql: expressions.value(kind) }));
    if (kinds === undefined && expressions.hasColumns && choice.percent(25)) items.push(expressions.window());
    return { items, groups: undefined, having: undefined, isDistinct: choice.percent(15), isGlobal: false };
  }

  private grouped(expressions: Expressions, kinds: readonly Kind[] | undefined, { columns }: Relation) {
    const { choice } = this;
    const usable = columns.filter(({ kind }) => kind !== 'loose');
    const keys = usable.length === 0 ? [] : choice.some(usable, kinds === undefined ? 0 : 1, 2);
    const groups = keys.map(({ ref, kind }): Item => ({
      sql: choice.percent(80) ? ref : expressions.value(kind, 1),
      kind,
    }));
    const aggregates = kinds?.map((kind): Item => ({
      kind,
      sql: `${choice.of(['min', 'max'])}(${expressions.value(kind, 1)})`,
    }));
    const items = aggregates ?? [
      ...groups,
      ...Array.from({ length: 1 + choice.below(3) }, () => expressions.aggregate()),
    ];
    const texts = groups.map(({ sql }) => sql);
    const having = choice.percent(20) ? `count(*) > ${choice.below(4)}` : undefined;
    return {
      items,
      groups: texts.length === 0 ? undefined : this.groupText(texts),
      having,
      isDistinct: false,
      isGlobal: true,
    };
  }

  private groupText(texts: readonly string[]): string {
    const list = texts.join(', ');
    if (this.choice.percent(75)) return list;
    return this.choice.of([`ROLLUP (${list})`, `CUBE (${list})`, `GROUPING SETS ((${list}), (${texts[0]}), ())`]);
  }

  private relation(depth: number, common: readonly Common[]): Relation {
    if (depth <= 1 || this.choice.percent(35)) return this.leaf(depth, common);
    const left = this.relation(depth - 1, common);
    const right = this.relation(this.choice.percent(70) ? 1 : depth - 1, common);
    return this.joined(left, right);
  }

  private leaf(depth: number, common: readonly Common[]): Relation {
    const alias = `t${++this.names}`;
    if (common.length > 0 && this.choice.percent(40)) {
      const { name, items, rows } = this.choice.of(common);
      return { source: { kind: 'table', name, alias }, columns: outputs(items, alias), rows };
    }
    if (depth > 1 && this.choice.percent(40)) {
      const { query, rows } = this.sized(depth - 1, undefined, common);
      return { source: { kind: 'query', query, alias }, columns: outputs(query.items, alias), rows };
    }
    const { name, rows, columns: named } = this.choice.of(RANDOM_TABLES);
    const columns = Object.entries(named).map(([column, [kind, distinct]]) => ({
      ref: `${alias}.${column}`,
      kind,
      distinct,
    }));
    return { source: { kind: 'table', name, alias }, columns, rows };
  }

  private joined(left: Relation, right: Relation): Relation {
    const { choice } = this;
    const pairs = left.columns.flatMap((a) =>
      right.columns.filter((b) => a.kind === b.kind && a.kind !== 'loose').map((b) => ({ a, b })),
    );
    const fits = pairs.filter(
      ({ a, b }) => (left.rows * right.rows) / Math.max(1, Math.min(a.distinct, b.distinct)) <= ROWS_MAX,
    );
    const expressions = new Expressions(choice, [...left.columns, ...right.columns]);
    const product = left.rows * right.rows;
    // What would be too large is asked for its partners only.
    if (fits.length === 0 && product > ROWS_MAX) {
      if (pairs.length === 0) return left;
      const { a, b } = choice.of(pairs);
      const source: Source = {
        kind: 'join',
        join: choice.of(['SEMI', 'ANTI']),
        left: left.source,
        right: right.source,
        on: [`${a.ref} = ${b.ref}`],
      };
      return { source, columns: left.columns, rows: left.rows };
    }
    const columns = [...left.columns, ...right.columns];
    if (fits.length === 0 || (product <= ROWS_MAX / 5 && choice.percent(25))) {
      const join = choice.of(['CROSS', 'INNER', 'LEFT', 'FULL']);
      const on = join === 'CROSS' ? [] : [expressions.condition(1)];
      return { source: { kind: 'join', join, left: left.source, right: right.source, on }, columns, rows: product };
    }
    const { a, b } = choice.of(fits);
    const join = choice.of(['INNER', 'INNER', 'INNER', 'LEFT', 'LEFT', 'RIGHT', 'FULL', 'SEMI', 'ANTI']);
    const on = [`${a.ref} ${choice.percent(10) ? 'IS NOT DISTINCT FROM' : '='} ${b.ref}`];
    if (choice.percent(15) && pairs.length > 0) {
      const more = choice.of(pairs);
      on.push(`${more.a.ref} ${choice.of(['=', '<', '<>'])} ${more.b.ref}`);
    }
    if (choice.percent(15)) on.push(expressions.condition(1));
    const isHalf = join === 'SEMI' || join === 'ANTI';
    const rows = Math.max(
      left.rows,
      right.rows,
      Math.ceil((left.rows * right.rows) / Math.max(1, Math.min(a.distinct, b.distinct))),
    );
    const source: Source = { kind: 'join', join, left: left.source, right: right.source, on };
    return { source, columns: isHalf ? left.columns : columns, rows: isHalf ? left.rows : rows };
  }

  /** A condition with a subquery, correlated or not. */
  private subqueryCondition({ columns, rows }: Relation, outer: Expressions): string {
    const { choice } = this;
    const inner = this.leaf(1, []);
    const own = new Expressions(choice, inner.columns);
    const from = this.from(inner.source);
    const usable = columns.filter(({ kind }) => kind !== 'loose');
    const pairs = usable.flatMap((a) => inner.columns.filter((b) => a.kind === b.kind).map((b) => ({ a, b })));
    if (pairs.length === 0 || rows > ROWS_MAX) return `EXISTS (SELECT 1 FROM ${from} WHERE ${own.condition(1)})`;
    const { a, b } = choice.of(pairs);
    const more = choice.percent(50) ? ` AND ${own.condition(1)}` : '';
    const target = choice.of(pairs);
    return choice.of([
      `${choice.of(['', 'NOT '])}EXISTS (SELECT 1 FROM ${from} WHERE ${b.ref} = ${a.ref}${more})`,
      `${a.ref} ${choice.of(['', 'NOT '])}IN (SELECT ${b.ref} FROM ${from} WHERE ${own.condition(1)})`,
      `(${a.ref} ${choice.of(['', 'NOT '])}IN (SELECT ${b.ref} FROM ${from} WHERE ${own.condition(1)})) OR ${outer.condition(1)}`,
      `${target.a.ref} ${choice.of(['=', '<', '>='])} (SELECT ${choice.of(['min', 'max'])}(${target.b.ref}) FROM ${from} WHERE ${b.ref} = ${a.ref}${more})`,
      `${choice.below(5)} < (SELECT count(*) FROM ${from} WHERE ${b.ref} = ${a.ref}${more})`,
      `${target.a.ref} > (SELECT max(${target.b.ref}) FROM ${from} WHERE ${own.condition(1)})`,
    ]);
  }

  private from(source: Source): string {
    if (source.kind !== 'table') throw new Error('a subquery of a condition reads one table');
    return `${source.name} ${source.alias}`;
  }
}

/** Columns of a subquery that may be computed with. */
function outputs(items: readonly Item[], alias: string): Column[] {
  const columns = items.map(({ kind }, index): Column => ({ ref: `${alias}.o${index}`, kind, distinct: 8 }));
  return columns.filter(({ kind }) => kind !== 'loose');
}
