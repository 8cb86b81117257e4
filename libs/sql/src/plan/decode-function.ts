// Function calls of the engine's plan. A function without bind data is determined by its name and the types of its arguments,
// which the plan has cast already. One with bind data may mean something else than its text says: only those listed are taken.
import { decimalOperands } from './decimal-operands.js';
import type { LosslessJson, LosslessObject } from './lossless-json.js';
import type { PlanExpression, PlanType } from './plan.js';
import { arrayOf, checkKeys, flagOf, keys, NotUnderstood, objectOf, textOf } from './plan-fields.js';
import { typeFromPlan } from './plan-type.js';

const KEYS = keys(
  ...['expression_class', 'type', 'alias', 'query_location', 'return_type', 'children', 'name', 'arguments'],
  ...['original_arguments', 'catalog_name', 'schema_name', 'has_serialize', 'is_operator', 'function_data'],
);

/** Another value for each row or each call: every task would make its own. */
const VOLATILE = new Set([
  ...['random', 'setseed', 'uuid', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'nextval', 'currval', 'txid_current'],
  ...[
    'now',
    'current_timestamp',
    'get_current_timestamp',
    'transaction_timestamp',
    'current_date',
    'today',
    'current_time',
  ],
  ...['get_current_time', 'current_localtimestamp', 'current_localtime', 'localtimestamp', 'localtime', 'sleep_ms'],
  ...[
    'current_setting',
    'current_database',
    'current_schema',
    'current_schemas',
    'current_query',
    'getvariable',
    'version',
  ],
  ...['current_connection_id', 'current_query_id', 'current_transaction_id', 'stats', 'vector_type', 'alias'],
  ...['in_search_path', 'write_log', 'getenv', 'current_user', 'session_user', 'user', 'pg_typeof'],
]);

export const isVolatile = (name: string): boolean => VOLATILE.has(name.toLowerCase());

/** Bind data of these says nothing that their arguments and types do not say. */
const BOUND_ALIKE = new Set([
  ...['list_aggr', 'list_aggregate', 'array_aggr', 'array_aggregate', 'aggregate', 'list_sort', 'array_sort'],
  ...['list_reverse_sort', 'array_reverse_sort', 'list_grade_up', 'array_grade_up', 'grade_up', 'list_distinct'],
  ...['array_distinct', 'list_unique', 'array_unique', 'list_select', 'array_select', 'list_where', 'array_where'],
  ...['+', '-', '*', '/', '//', '%', 'list_value', 'list_pack', 'struct_extract', 'array_extract', 'list_extract'],
  ...[
    'list_concat',
    'list_cat',
    'array_concat',
    'array_cat',
    'list_contains',
    'array_contains',
    'list_has',
    'array_has',
  ],
  ...['list_position', 'array_position', 'list_indexof', 'map', 'map_keys', 'map_values', 'map_extract', 'element_at'],
  ...['strftime', 'strptime', 'try_strptime', 'date_trunc', 'datetrunc', 'concat', 'concat_ws', '||', 'like_escape'],
  ...['regexp_matches', 'regexp_full_match', 'regexp_replace', 'regexp_extract', 'regexp_extract_all', 'hash', 'round'],
  ...[
    'least',
    'greatest',
    'floor',
    'ceil',
    'ceiling',
    'trunc',
    'abs',
    'sign',
    'list_slice',
    'array_slice',
    'list_resize',
  ],
  ...['json_extract', 'json_extract_path', 'json_extract_string', 'json_extract_path_text', '->>', 'json_array_length'],
  ...[
    'json_type',
    'json_valid',
    'json_keys',
    'json_exists',
    'json_contains',
    'bit_count',
    'equi_width_bins',
    'flatten',
  ],
]);

/** How the engine's plan writes calls that SQL writes with fields by name. */
function structPack(type: PlanType, operands: readonly string[]): string {
  const fields = operands.map(
    (operand, index) => `"${(type.names?.[index] ?? '').replaceAll('"', '""')}" := ${operand}`,
  );
  return `struct_pack(${fields.join(', ')})`;
}

export function callFromPlan(
  object: LosslessObject,
  decode: (json: LosslessJson | undefined) => PlanExpression,
): PlanExpression {
  checkKeys(object, KEYS, 'a function');
  const name = textOf(object['name'], 'the name of a function');
  const type = typeFromPlan(object['return_type']);
  const operands = arrayOf(object['children'], 'arguments').map(decode);
  checkFunction(name, object, operands);
  const isArithmetic = type.id === 'DECIMAL' && /^[-+*]$/.test(name);
  const given = isArithmetic ? decimalOperands(name, operands, type) : operands;
  return {
    kind: 'compound',
    operands: given,
    render: (parts) => write(name, flagOf(object['is_operator']), parts, type),
    type,
  };
}

function checkFunction(name: string, object: LosslessObject, operands: readonly PlanExpression[]): void {
  const lower = name.toLowerCase();
  if (isVolatile(name) || lower.startsWith('__internal') || lower.startsWith('pg_'))
    throw new NotUnderstood(`the function ${name}()`);
  const declared = arrayOf(object['arguments'], 'argument types').length;
  const original = arrayOf(object['original_arguments'], 'original argument types').length;
  if (original > 0 && original !== operands.length)
    throw new NotUnderstood(`the function ${name}() with a bound argument`);
  if (!flagOf(object['has_serialize'])) return;
  const isListed = BOUND_ALIKE.has(lower) || lower === 'struct_pack';
  if (!isListed || (declared > 0 && declared !== operands.length && lower !== 'concat'))
    throw new NotUnderstood(`the function ${name}() with bind data`);
  if (hasBoundAggregateArgument(object)) throw new NotUnderstood(`the function ${name}() with a bound argument`);
  if (lower === 'strftime' || lower === 'strptime') objectOf(object['function_data'], 'its format');
}

/** list_aggregate(l, 'string_agg', '|'): what follows the aggregate's name is in its bind data only. */
function hasBoundAggregateArgument(object: LosslessObject): boolean {
  const fields = (json: LosslessJson | undefined): LosslessObject =>
    json === undefined ? {} : objectOf(json, 'bind data');
  const call = fields(fields(fields(object['function_data'])['bind_data'])['aggr_expr']);
  const taken = arrayOf(call['arguments'], 'argument types').length;
  return arrayOf(call['original_arguments'], 'original argument types').length > taken;
}

const SYMBOL = /^[-+*/%<>=~!@&|^#?]+$/;

const isOpen = (bound: string | undefined): boolean => bound?.startsWith('CAST([] AS ') ?? false;

/** A bound that a slice does not have is an empty list in the plan, and nothing in SQL. */
function slice([list, start, end, step]: readonly string[]): string {
  const missing = step === undefined ? '' : '-';
  const from = isOpen(start) ? '' : start;
  const to = isOpen(end) ? missing : end;
  return `(${list})[${from}:${to}${step === undefined ? '' : `:${step}`}]`;
}

function write(name: string, isOperator: boolean, parts: readonly string[], type: PlanType): string {
  if (name === 'struct_pack') return structPack(type, parts);
  const [first, second] = parts;
  const call = (): string => {
    if (/^(array|list)_slice$/.test(name) && parts.slice(1).some(isOpen)) return slice(parts);
    if (isOperator && SYMBOL.test(name))
      return parts.length === 1 ? `(${name} ${first})` : `(${first} ${name} ${second})`;
    return `"${name.replaceAll('"', '""')}"(${parts.join(', ')})`;
  };
  return type.id === 'BOOLEAN' ? call() : `CAST(${call()} AS ${type.sql})`;
}
