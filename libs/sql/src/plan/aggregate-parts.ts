// Aggregates in two steps: states of parts of the rows, and what all states together give. A state is one or more columns.
// Variance by Chan, Golub, LeVeque (1979): counts, means and sums of squared differences of parts merge exactly enough.
import type { AggregateCall, PlanType } from './plan.js';

export interface AggregateParts {
  /** Columns of the state. `sql` takes the operands, then the filter when there is one. */
  readonly partials: readonly { readonly sql: (operands: readonly string[]) => string; readonly type: PlanType }[];
  /** The aggregate, from the state columns of the rows of a group. Of the type of the call. */
  readonly final: (states: readonly string[]) => string;
}

const type = (id: string): PlanType => ({ id, sql: id, children: [] });
const BIGINT = type('BIGINT');
const DOUBLE = type('DOUBLE');
const HUGEINT = type('HUGEINT');

const SAME = new Set(['min', 'max', 'bool_and', 'bool_or', 'bit_and', 'bit_or', 'bit_xor', 'any_value', 'product']);
const WHOLE = /^U?(TINY|SMALL|BIG|HUGE)INT$|^U?INTEGER$/;

/**
 * Takes an aggregate apart; undefined when all rows of a group have to come together. Orders inside of the call are none of it.
 * `isFull`: its operand is known to be never NULL, so that rows are counted, which is less work and done once for all calls.
 */
export function decompose(call: AggregateCall, isFull = false): AggregateParts | undefined {
  if (call.isDistinct || call.orders.length > 0) return undefined;
  const { operands } = call;
  const [first] = operands;
  const cast = (sql: string): string => `CAST(${sql} AS ${call.type.sql})`;
  // `state` takes the SQL of an expression in which `over` writes each aggregate with the filter.
  const state: State = (write, of) => ({
    sql: (given) => {
      const filter = call.filter === undefined ? '' : ` FILTER (WHERE ${given[operands.length]})`;
      return write((aggregate) => `${aggregate}${filter}`, given.slice(0, operands.length));
    },
    type: of,
  });
  const count = state((over, [x]) => over(isFull ? 'count(*)' : `count(${x})`), BIGINT);
  if (call.name === 'count_star' || (call.name === 'count' && operands.length === 0))
    return { partials: [state((over) => over('count(*)'), BIGINT)], final: ([n]) => cast(`coalesce(sum(${n}), 0)`) };
  if (first === undefined) return undefined;
  if (operands.length === 2) return argumentOfExtreme(call, state);
  if (operands.length !== 1) return undefined;
  if (SAME.has(call.name))
    return {
      partials: [state((over, [x]) => over(`${call.name}(${x})`), call.type)],
      final: ([x]) => cast(`${call.name}(${x})`),
    };
  switch (call.name) {
    case 'count':
      return {
        partials: [count],
        final: ([n]) => cast(`coalesce(sum(${n}), 0)`),
      };
    // Unlike count it gives NULL where there are no rows.
    case 'count_if':
    case 'countif':
      return {
        partials: [state((over, [x]) => `CAST(${over(`count_if(${x})`)} AS HUGEINT)`, HUGEINT)],
        final: ([n]) => cast(`sum(${n})`),
      };
    case 'sum':
      return {
        partials: [state((over, [x]) => `CAST(${over(`sum(${x})`)} AS ${call.type.sql})`, call.type)],
        final: ([x]) => cast(`sum(${x})`),
      };
    case 'first':
    case 'last':
    case 'arbitrary': {
      // A part without rows has a NULL that is none of the values.
      const value = state((over, [x]) => over(`"${call.name}"(${x})`), call.type);
      const rows = state((over) => over('count(*)'), BIGINT);
      return { partials: [value, rows], final: ([x, n]) => cast(`"${call.name}"(${x}) FILTER (WHERE ${n} > 0)`) };
    }
    case 'avg':
    case 'mean':
      return average(call, first.type, state, count);
    case 'stddev':
    case 'stddev_samp':
    case 'stddev_pop':
    case 'var_samp':
    case 'variance':
    case 'var_pop':
      return first.type.id === 'DOUBLE' ? variance(call.name, state, cast) : undefined;
    default:
      return undefined;
  }
}

type State = (
  write: (over: (aggregate: string) => string, operands: readonly string[]) => string,
  of: PlanType,
) => AggregateParts['partials'][number];

const EXTREMES: Readonly<Record<string, 'min' | 'max'>> = {
  arg_min: 'min',
  argmin: 'min',
  min_by: 'min',
  arg_max: 'max',
  argmax: 'max',
  max_by: 'max',
};

/** These pass over rows with a NULL in either operand. */
function argumentOfExtreme(call: AggregateCall, state: State): AggregateParts | undefined {
  const extreme = EXTREMES[call.name];
  const by = call.operands[1];
  if (extreme === undefined || by === undefined) return undefined;
  return {
    partials: [
      state((over, [x, y]) => over(`${call.name}(${x}, ${y})`), call.type),
      state((over, [x, y]) => over(`${extreme}(CASE WHEN ${x} IS NOT NULL THEN ${y} END)`), by.type),
    ],
    final: ([x, y]) => `CAST(${call.name}(${x}, ${y}) AS ${call.type.sql})`,
  };
}

/** The engine averages whole numbers and decimals by an exact sum, and floating point by a sum in double. */
function average(
  call: AggregateCall,
  operand: PlanType,
  state: State,
  count: ReturnType<State>,
): AggregateParts | undefined {
  if (call.type.id !== 'DOUBLE') return undefined;
  const total = (of: PlanType) => state((over, [x]) => `CAST(${over(`sum(${x})`)} AS ${of.sql})`, of);
  if (operand.id === 'DOUBLE' || operand.id === 'FLOAT')
    return {
      partials: [total(DOUBLE), count],
      final: ([x, n]) => `(sum(${x}) / nullif(CAST(sum(${n}) AS DOUBLE), 0))`,
    };
  if (WHOLE.test(operand.id))
    return { partials: [total(HUGEINT), count], final: ([x, n]) => quotient(`sum(${x})`, `sum(${n})`) };
  const scale = operand.id === 'DECIMAL' ? Number(/,(\d+)\)$/.exec(operand.sql)?.[1] ?? 0) : SCALE_MAX + 1;
  if (scale > SCALE_MAX) return undefined;
  // Of a decimal the engine adds up the digits, and divides once.
  const digits = ([x]: readonly string[]): string => `CAST(replace(CAST(sum(${x}) AS VARCHAR), '.', '') AS HUGEINT)`;
  return {
    partials: [total({ id: 'DECIMAL', sql: `DECIMAL(38,${scale})`, children: [] }), count],
    final: (states) => quotient(digits(states), `(sum(${states[1]}) * 1${'0'.repeat(scale)})`),
  };
}

/** With more digits the count of rows times ten to this power may not be a HUGEINT. */
const SCALE_MAX = 18;

/**
 * Two whole numbers, divided as exactly as a DOUBLE can be. Up to 2^53 one division is; beyond, the engine divides with more
 * bits than a DOUBLE has, and the whole part and the rest are divided apart.
 */
function quotient(total: string, count: string): string {
  const double = (sql: string): string => `CAST(${sql} AS DOUBLE)`;
  const divisor = `CAST(nullif(${count}, 0) AS HUGEINT)`;
  const apart = `${double(`(${total} // ${divisor})`)} + ${double(`(${total} % ${divisor})`)} / ${double(divisor)}`;
  return `CASE WHEN ${total} BETWEEN -9007199254740992 AND 9007199254740992 THEN ${double(total)} / ${double(divisor)} ELSE ${apart} END`;
}

/** The states of a group are merged one after another, as the engine merges those of its threads. */
function variance(name: string, state: State, cast: (sql: string) => string): AggregateParts {
  const partials = [
    state((over, [x]) => over(`count(${x})`), BIGINT),
    state((over, [x]) => over(`avg(${x})`), DOUBLE),
    state((over, [x]) => `(${over(`var_pop(${x})`)} * ${over(`count(${x})`)})`, DOUBLE),
  ];
  const final = ([n, mean, squares]: readonly string[]): string => {
    const part = `struct_pack(n := CAST(${n} AS DOUBLE), m := ${mean}, q := ${squares})`;
    const both = '(a.n + b.n)';
    const distance = '(b.m - a.m)';
    const merged = `struct_pack(n := ${both}, m := a.m + ${distance} * b.n / ${both}, q := a.q + b.q + ${distance} * ${distance} * a.n * b.n / ${both})`;
    const all = `list_reduce(list(${part}) FILTER (WHERE ${n} > 0), lambda a, b: ${merged})`;
    const field = (of: string): string => `struct_extract(${all}, '${of}')`;
    const value = `(${field('q')} / nullif(${field('n')}${name.endsWith('_pop') ? '' : ' - 1'}, 0))`;
    const result = name.startsWith('stddev') ? `sqrt(${value})` : value;
    const problem = `error('${name.toUpperCase()} is out of range!')`;
    return cast(
      `CASE WHEN isfinite(${result}) OR ${result} IS NULL THEN ${result} ELSE CAST(${problem} AS DOUBLE) END`,
    );
  };
  return { partials, final };
}
