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

const SAME = new Set(['min', 'max', 'bool_and', 'bool_or', 'bit_and', 'bit_or', 'bit_xor', 'any_value']);
const WHOLE = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT']);

/** Takes an aggregate apart; undefined when all rows of a group have to come together. Orders inside of the call are none of it. */
export function decompose(call: AggregateCall): AggregateParts | undefined {
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
  if (call.name === 'count_star' || (call.name === 'count' && operands.length === 0))
    return { partials: [state((over) => over('count(*)'), BIGINT)], final: ([n]) => cast(`coalesce(sum(${n}), 0)`) };
  if (first === undefined || (operands.length !== 1 && !/^arg_|^(min|max)_by$/.test(call.name))) return undefined;
  if (SAME.has(call.name))
    return {
      partials: [state((over, [x]) => over(`${call.name}(${x})`), call.type)],
      final: ([x]) => cast(`${call.name}(${x})`),
    };
  switch (call.name) {
    case 'count':
      return {
        partials: [state((over, [x]) => over(`count(${x})`), BIGINT)],
        final: ([n]) => cast(`coalesce(sum(${n}), 0)`),
      };
    case 'count_if':
    case 'countif':
      return {
        partials: [state((over, [x]) => over(`count_if(${x})`), HUGEINT)],
        final: ([n]) => cast(`coalesce(sum(${n}), 0)`),
      };
    case 'sum':
      return {
        partials: [state((over, [x]) => `CAST(${over(`sum(${x})`)} AS ${call.type.sql})`, call.type)],
        final: ([x]) => cast(`sum(${x})`),
      };
    case 'avg':
      return average(call, first.type, state);
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

/** The engine averages whole numbers and decimals by an exact sum, and floating point by a sum in double. */
function average(call: AggregateCall, operand: PlanType, state: State): AggregateParts | undefined {
  const count = state((over, [x]) => over(`count(${x})`), BIGINT);
  const divide = (total: string, n: string): string =>
    `CASE WHEN sum(${n}) > 0 THEN CAST(CAST(${total} AS DOUBLE) / CAST(sum(${n}) AS DOUBLE) AS ${call.type.sql}) END`;
  if (call.type.id !== 'DOUBLE') return undefined;
  if (WHOLE.has(operand.id))
    return {
      partials: [state((over, [x]) => `CAST(${over(`sum(${x})`)} AS HUGEINT)`, HUGEINT), count],
      final: ([total, n]) => divide(`sum(${total})`, n ?? ''),
    };
  if (operand.id === 'DOUBLE' || operand.id === 'FLOAT')
    return {
      partials: [state((over, [x]) => `CAST(${over(`sum(${x})`)} AS DOUBLE)`, DOUBLE), count],
      final: ([total, n]) => divide(`sum(${total})`, n ?? ''),
    };
  if (operand.id !== 'DECIMAL') return undefined;
  const scale = /,(\d+)\)$/.exec(operand.sql)?.[1] ?? '0';
  const sum: PlanType = { id: 'DECIMAL', sql: `DECIMAL(38,${scale})`, children: [] };
  return {
    partials: [state((over, [x]) => `CAST(${over(`sum(${x})`)} AS ${sum.sql})`, sum), count],
    final: ([total, n]) => divide(`sum(${total})`, n ?? ''),
  };
}

function variance(name: string, state: State, cast: (sql: string) => string): AggregateParts {
  const partials = [
    state((over, [x]) => over(`count(${x})`), BIGINT),
    state((over, [x]) => over(`avg(${x})`), DOUBLE),
    state((over, [x]) => `(${over(`var_pop(${x})`)} * ${over(`count(${x})`)})`, DOUBLE),
  ];
  const final = ([n, mean, squares]: readonly string[]): string => {
    const total = `sum(${n})`;
    // Squares around the mean of all: within the parts, and between their means.
    const grand = `(sum(${n} * ${mean}) / nullif(${total}, 0))`;
    const between = `(sum(${n} * ${mean} * ${mean}) - ${total} * ${grand} * ${grand})`;
    const all = `(sum(${squares}) + greatest(${between}, 0))`;
    const isPopulation = name.endsWith('_pop');
    const value = isPopulation ? `${all} / nullif(${total}, 0)` : `${all} / nullif(${total} - 1, 0)`;
    return cast(name.startsWith('stddev') ? `sqrt(${value})` : value);
  };
  return { partials, final };
}
