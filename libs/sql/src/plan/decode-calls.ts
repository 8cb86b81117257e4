// Sort keys, aggregates and window calls of the engine's plan.
import type { LosslessJson, LosslessObject } from './lossless-json.js';
import type { AggregateCall, PlanExpression, PlanType, SortKey, WindowCall } from './plan.js';
import { constantFromPlan } from './decode-constant.js';
import { expressionFromPlan } from './decode-expression.js';
import { arrayOf, checkKeys, flagOf, keys, NotUnderstood, objectOf, textOf } from './plan-fields.js';
import { typeFromPlan } from './plan-type.js';

const ORDER_KEYS = keys('type', 'null_order', 'expression');

export function sortKeyFromPlan(json: LosslessJson): SortKey {
  const order = objectOf(json, 'a sort key');
  checkKeys(order, ORDER_KEYS, 'a sort key');
  const { type, null_order: nulls } = order;
  if (type !== 'ASCENDING' && type !== 'DESCENDING') throw new NotUnderstood(`the order ${String(type)}`);
  if (nulls !== 'NULLS FIRST' && nulls !== 'NULLS LAST') throw new NotUnderstood(`the order of NULLs ${String(nulls)}`);
  return {
    expression: expressionFromPlan(order['expression']),
    descending: type === 'DESCENDING',
    nullsFirst: nulls === 'NULLS FIRST',
  };
}

export const sortKeysFromPlan = (json: LosslessJson | undefined): SortKey[] =>
  arrayOf(json, 'sort keys').map(sortKeyFromPlan);

const AGGREGATE_KEYS = keys(
  ...['expression_class', 'type', 'alias', 'query_location', 'return_type', 'children', 'name', 'arguments'],
  ...['original_arguments', 'catalog_name', 'schema_name', 'has_serialize', 'aggregate_type', 'filter', 'order_bys'],
  ...['function_data'],
);

/** Aggregates whose bind data says nothing that arguments and types do not say. */
const BOUND_ALIKE = new Set([
  'sum',
  'avg',
  'sum_no_overflow',
  'list',
  'array_agg',
  'min',
  'max',
  'first',
  'last',
  'any_value',
]);
/** These are made anew from other aggregates by the optimiser. */
const INTERNAL: Readonly<Record<string, string>> = { sum_no_overflow: 'sum' };

export function aggregateFromPlan(json: LosslessJson): AggregateCall {
  const object = objectOf(json, 'an aggregate');
  if (object['expression_class'] !== 'BOUND_AGGREGATE') throw new NotUnderstood('an aggregate of another class');
  checkKeys(object, AGGREGATE_KEYS, 'an aggregate');
  const name = textOf(object['name'], 'the name of an aggregate').toLowerCase();
  const operands = arrayOf(object['children'], 'arguments').map((child) => expressionFromPlan(child));
  const bound = boundArgument(name, object);
  if (bound === undefined) checkAggregate(name, object, operands);
  const orders =
    object['order_bys'] === undefined || object['order_bys'] === null
      ? undefined
      : objectOf(object['order_bys'], 'ORDER BY');
  const filter = object['filter'];
  return {
    name: INTERNAL[name] ?? name,
    operands: bound === undefined ? operands : [...operands, bound],
    isDistinct: object['aggregate_type'] === 'DISTINCT',
    filter: filter === undefined || filter === null ? undefined : expressionFromPlan(filter),
    orders: orders === undefined ? [] : sortKeysFromPlan(orders['orders']),
    type: typeFromPlan(object['return_type']),
  };
}

const VARCHAR: PlanType = { id: 'VARCHAR', sql: 'VARCHAR', children: [] };
const TEXTS = new Set(['string_agg', 'group_concat', 'listagg']);
const QUANTILES = new Set(['quantile', 'quantile_cont', 'quantile_disc']);

/** A constant argument that the engine keeps in the bind data: the separator of string_agg, the points of quantiles. */
function boundArgument(name: string, object: LosslessObject): PlanExpression | undefined {
  if (TEXTS.has(name)) {
    const text = textOf(objectOf(object['function_data'], 'a separator')['separator'], 'a separator');
    return { kind: 'constant', sql: `'${text.replaceAll("'", "''")}'`, text, type: VARCHAR };
  }
  if (!QUANTILES.has(name)) return undefined;
  const points = quantilesOf(object);
  const [first] = points;
  if (first === undefined) throw new NotUnderstood(`the aggregate ${name}() of nothing`);
  if (typeFromPlan(object['return_type']).id !== 'LIST' && points.length === 1) return first;
  const sql = `[${points.map((point) => point.sql).join(', ')}]`;
  const type: PlanType = { id: 'LIST', sql: `${first.type.sql}[]`, children: [first.type] };
  return { kind: 'constant', sql, text: undefined, type };
}

function quantilesOf(object: LosslessObject): ReturnType<typeof constantFromPlan>[] {
  const data = objectOf(object['function_data'], 'quantiles');
  if (flagOf(data['desc'])) throw new NotUnderstood('a quantile in descending order');
  return arrayOf(data['quantiles'], 'quantiles').map(constantFromPlan);
}

function checkAggregate(name: string, object: LosslessObject, operands: readonly PlanExpression[]): void {
  const original = arrayOf(object['original_arguments'], 'original argument types').length;
  if (original > operands.length) throw new NotUnderstood(`the aggregate ${name}() with a bound argument`);
  if (name === 'median' && quantilesOf(object).length === 1) return;
  if (flagOf(object['has_serialize']) && !BOUND_ALIKE.has(name))
    throw new NotUnderstood(`the aggregate ${name}() with bind data`);
}

const WINDOW_KEYS = keys(
  ...['expression_class', 'type', 'alias', 'query_location', 'return_type', 'children', 'partitions', 'orders'],
  ...['ignore_nulls', 'start', 'end', 'start_expr', 'end_expr', 'offset_expr', 'default_expr', 'exclude_clause'],
  ...['distinct', 'name', 'arguments', 'original_arguments', 'catalog_name', 'schema_name', 'has_serialize'],
);

const WINDOW_FUNCTIONS: Readonly<Record<string, string>> = {
  WINDOW_ROW_NUMBER: 'row_number',
  WINDOW_RANK: 'rank',
  WINDOW_RANK_DENSE: 'dense_rank',
  WINDOW_PERCENT_RANK: 'percent_rank',
  WINDOW_CUME_DIST: 'cume_dist',
  WINDOW_NTILE: 'ntile',
  WINDOW_LAG: 'lag',
  WINDOW_LEAD: 'lead',
  WINDOW_FIRST_VALUE: 'first_value',
  WINDOW_LAST_VALUE: 'last_value',
  WINDOW_NTH_VALUE: 'nth_value',
};

/** Aggregates that a window may compute. */
const WINDOW_AGGREGATES = new Set([
  ...['sum', 'count', 'count_star', 'avg', 'min', 'max', 'bool_and', 'bool_or', 'bit_and', 'bit_or', 'bit_xor', 'list'],
  ...['stddev', 'stddev_samp', 'stddev_pop', 'variance', 'var_samp', 'var_pop', 'corr', 'covar_pop', 'covar_samp'],
  ...['any_value', 'arg_min', 'arg_max', 'min_by', 'max_by', 'count_if', 'countif', 'product', 'array_agg'],
]);

/** Bounds of frames; RANGE and GROUPS with offsets depend on more than the text. */
const BOUNDS: Readonly<Record<string, readonly [text: string, mode: 'ROWS' | 'RANGE' | 'any']>> = {
  UNBOUNDED_PRECEDING: ['UNBOUNDED PRECEDING', 'any'],
  UNBOUNDED_FOLLOWING: ['UNBOUNDED FOLLOWING', 'any'],
  CURRENT_ROW_RANGE: ['CURRENT ROW', 'RANGE'],
  CURRENT_ROW_ROWS: ['CURRENT ROW', 'ROWS'],
  EXPR_PRECEDING_ROWS: ['PRECEDING', 'ROWS'],
  EXPR_FOLLOWING_ROWS: ['FOLLOWING', 'ROWS'],
};

export function windowFromPlan(json: LosslessJson): WindowCall {
  const object = objectOf(json, 'a window');
  if (object['expression_class'] !== 'BOUND_WINDOW') throw new NotUnderstood('a window of another class');
  const name = windowName(object);
  checkKeys(object, WINDOW_KEYS, 'a window');
  if (object['exclude_clause'] !== 'NO_OTHER') throw new NotUnderstood('a window with EXCLUDE');
  if (flagOf(object['distinct'])) throw new NotUnderstood('a window with DISTINCT');
  const decoded = (value: LosslessJson | undefined) =>
    value === undefined || value === null ? [] : [expressionFromPlan(value)];
  const args = arrayOf(object['children'], 'arguments').map((child) => expressionFromPlan(child));
  const more = [...decoded(object['offset_expr']), ...decoded(object['default_expr'])];
  if (object['default_expr'] && !object['offset_expr'])
    throw new NotUnderstood('a window with a default and no offset');
  const partitions = arrayOf(object['partitions'], 'PARTITION BY').map((value) => expressionFromPlan(value));
  const orders = sortKeysFromPlan(object['orders']);
  const frame = frameOf(object);
  const type = typeFromPlan(object['return_type']);
  const operands = [...args, ...more, ...partitions, ...orders.map(({ expression }) => expression)];
  const ignore = flagOf(object['ignore_nulls']) ? ' IGNORE NULLS' : '';
  const render = (parts: readonly string[]): string => {
    const inputs = parts.slice(0, args.length + more.length);
    const by = parts.slice(inputs.length, inputs.length + partitions.length);
    const order = orders.map(
      ({ descending, nullsFirst }, index) =>
        `${parts[inputs.length + by.length + index]} ${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    );
    const over = [
      ...(by.length > 0 ? [`PARTITION BY ${by.join(', ')}`] : []),
      ...(order.length > 0 ? [`ORDER BY ${order.join(', ')}`] : []),
      frame,
    ];
    const call = name === 'count_star' ? 'count(*)' : `${name}(${inputs.join(', ')}${ignore})`;
    return `CAST(${call} OVER (${over.join(' ')}) AS ${type.sql})`;
  };
  return { partitions, operands, render, type };
}

function windowName(object: LosslessObject): string {
  if (object['type'] === 'WINDOW_AGGREGATE') {
    const name = textOf(object['name'], 'the name of a window aggregate').toLowerCase();
    if (WINDOW_AGGREGATES.has(name)) return name;
    throw new NotUnderstood(`${name}() over a window`);
  }
  const name = WINDOW_FUNCTIONS[String(object['type'])];
  if (name === undefined) throw new NotUnderstood(`the window function ${String(object['type'])}`);
  return name;
}

function frameOf(object: LosslessObject): string {
  const offset = (value: LosslessJson | undefined): string => {
    if (value === undefined || value === null) return '';
    const expression = expressionFromPlan(value);
    if (expression.kind !== 'constant') throw new NotUnderstood('a window frame whose offset is no constant');
    return `${expression.sql} `;
  };
  const [start, startMode] = BOUNDS[String(object['start'])] ?? [];
  const [end, endMode] = BOUNDS[String(object['end'])] ?? [];
  if (start === undefined || end === undefined)
    throw new NotUnderstood(`the window frame ${String(object['start'])} to ${String(object['end'])}`);
  const modes = new Set([startMode, endMode].filter((mode) => mode !== 'any'));
  if (modes.size > 1) throw new NotUnderstood('a window frame of two modes');
  const [mode = 'ROWS'] = modes;
  return `${mode} BETWEEN ${offset(object['start_expr'])}${start} AND ${offset(object['end_expr'])}${end}`;
}
