// Random expressions that bind: each is made for a kind of value.
import type { Choice } from './choice.js';
import type { Column, Item, Kind } from './query-tree.js';

/** Kinds that may be computed with. */
export const KINDS = ['int', 'float', 'decimal', 'text', 'bool', 'date'] as const;

const NUMBERS = ['int', 'float', 'decimal'] as const;

const LITERALS: Readonly<Record<Kind, readonly string[]>> = {
  int: ['0', '1', '2', '7', '100', '-3'],
  float: ['0::DOUBLE', '1.5::DOUBLE', '-2.25::DOUBLE', "'nan'::DOUBLE", "'inf'::DOUBLE"],
  decimal: ['0.5', '12.25', '-100.00'],
  text: ["'a'", "''", "'q'", "'hot'", "'äö'"],
  bool: ['true', 'false'],
  date: ["DATE '2020-06-01'", "DATE '1995-01-01'", "DATE '9999-12-31'"],
  loose: ['0'],
};

export class Expressions {
  /** Those of the columns: conditions on literals alone are decided before anything runs. */
  readonly kinds: readonly Kind[];

  constructor(
    private readonly choice: Choice,
    private readonly columns: readonly Column[],
  ) {
    const present = KINDS.filter((kind) => columns.some((column) => column.kind === kind));
    this.kinds = present.length === 0 ? KINDS : present;
  }

  get hasColumns(): boolean {
    return this.columns.length > 0;
  }

  /** A kind of which there are numbers. */
  private number(): 'int' | 'float' | 'decimal' {
    const numbers = NUMBERS.filter((kind) => this.kinds.includes(kind));
    return this.choice.of(numbers.length === 0 ? NUMBERS : numbers);
  }

  literal(kind: Kind): string {
    return this.choice.of(LITERALS[kind]);
  }

  /** A column of a kind, or a literal when there is none. */
  column(kind: Kind): string {
    const fitting = this.columns.filter((column) => column.kind === kind);
    return fitting.length === 0 ? this.literal(kind) : this.choice.of(fitting).ref;
  }

  value(kind: Kind, depth = 2): string {
    const { choice } = this;
    if (depth === 0 || choice.percent(55)) return this.column(kind);
    const same = (): string => this.value(kind, depth - 1);
    if (choice.percent(15)) return `coalesce(${same()}, ${same()})`;
    if (choice.percent(15)) return `CASE WHEN ${this.condition(depth - 1)} THEN ${same()} ELSE ${same()} END`;
    switch (kind) {
      case 'int':
        return choice.of([
          () => `(${same()} + ${this.literal('int')})`,
          () => `(${this.column('int')} * 3)`,
          () => `abs(${same()})`,
          () => `(${same()} % 5)`,
          () => `(${same()} // 4)`,
          () => `length(${this.value('text', depth - 1)})`,
          () => `year(${this.column('date')})`,
        ])();
      case 'float':
        return choice.of([
          () => `(${same()} + 0.5)`,
          () => `(-${same()})`,
          () => `abs(${same()})`,
          () => `(${same()} * 2)`,
        ])();
      case 'decimal':
        return choice.of([
          () => `(${this.column('decimal')} + 1.5)`,
          () => `(-${this.column('decimal')})`,
          () => this.column('decimal'),
        ])();
      case 'text':
        return choice.of([
          () => `upper(${same()})`,
          () => `left(${same()}, 2)`,
          () => `concat(${this.column('text')}, 'z')`,
        ])();
      case 'bool':
        return this.condition(depth - 1);
      case 'date':
        return choice.of([() => `(${this.column('date')} - 3)`, () => this.column('date')])();
      case 'loose':
        return this.column('loose');
    }
  }

  condition(depth = 2): string {
    const { choice } = this;
    const kind = choice.of(this.kinds);
    if (depth > 0 && choice.percent(25)) {
      const [left, right] = [this.condition(depth - 1), this.condition(depth - 1)];
      return choice.of([`(${left} AND ${right})`, `(${left} OR ${right})`, `(NOT ${left})`]);
    }
    const left = choice.percent(60) ? this.column(kind) : this.value(kind, Math.min(depth, 1));
    const sign = choice.of(['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM']);
    return choice.of([
      () => `(${left} ${sign} ${this.literal(kind)})`,
      () => `(${left} ${sign} ${this.column(kind)})`,
      () => `(${left} IS ${choice.of(['', 'NOT '])}NULL)`,
      () =>
        `(${left} ${choice.of(['', 'NOT '])}IN (${this.literal(kind)}, ${this.literal(kind)}${choice.percent(20) ? ', NULL' : ''}))`,
      () => `(${left} BETWEEN ${this.literal(kind)} AND ${this.literal(kind)})`,
      () =>
        `(${kind === 'text' ? left : this.column(kind)}::VARCHAR LIKE ${choice.of(["'%a%'", "'h_t'", "'d%'", "'%1%'"])})`,
    ])();
  }

  aggregate(): Item {
    const { choice } = this;
    const filter = choice.percent(20) ? ` FILTER (WHERE ${this.condition(1)})` : '';
    const distinct = choice.percent(15) ? 'DISTINCT ' : '';
    const kind = choice.of(this.kinds);
    const number = this.number();
    const text = this.column('text');
    const of = (call: string, result: Kind): (() => Item) => {
      return () => ({ sql: `${call}${filter}`, kind: result });
    };
    return choice.of([
      of('count(*)', 'int'),
      of(`count(${distinct}${this.value(kind, 1)})`, 'int'),
      of(`sum(${distinct}${this.value(number, 1)})`, number),
      of(`min(${this.value(kind, 1)})`, kind),
      of(`max(${this.value(kind, 1)})`, kind),
      of(`avg(${distinct}${this.value(number, 1)})`, 'loose'),
      of(`bool_${choice.of(['and', 'or'])}(${this.value('bool', 1)})`, 'bool'),
      of(`bit_${choice.of(['and', 'or', 'xor'])}(${this.column('int')})`, 'int'),
      of(`${choice.of(['stddev', 'var_pop', 'var_samp'])}(${this.column(choice.of(['int', 'decimal']))})`, 'loose'),
      of(`string_agg(${text}, ',' ORDER BY ${text})`, 'loose'),
    ])();
  }

  /** A window function whose answer does not depend on the order of peers. */
  window(): Item {
    const { choice, columns } = this;
    const partitions = choice.some(columns, 0, 2).map(({ ref }) => ref);
    const partition = partitions.length === 0 ? '' : `PARTITION BY ${partitions.join(', ')}`;
    const order = `ORDER BY ${choice
      .some(columns, 1, 2)
      .map(({ ref }) => `${ref} ${choice.of(['ASC', 'DESC'])} NULLS LAST`)
      .join(', ')}`;
    const total = `ORDER BY ${columns.map(({ ref }) => ref).join(', ')}`;
    const number = choice.of(['int', 'decimal'] as const);
    const kind = choice.of(this.kinds);
    const over = (call: string, rest: string, result: Kind) => () => ({
      sql: `${call} OVER (${partition} ${rest})`,
      kind: result,
    });
    return choice.of([
      over(`sum(${this.column(number)})`, choice.of(['', order]), number),
      over(`${choice.of(['min', 'max'])}(${this.column(kind)})`, choice.of(['', order]), kind),
      over('count(*)', choice.of(['', order]), 'int'),
      over(choice.of(['rank()', 'dense_rank()']), order, 'int'),
      over('row_number()', total, 'int'),
      over(`${choice.of(['lag', 'lead', 'first_value', 'last_value'])}(${this.column(kind)})`, total, kind),
      over(`sum(${this.column('int')})`, `${total} ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING`, 'int'),
    ])();
  }
}
