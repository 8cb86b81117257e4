// Decides from its syntax tree what a query may touch. Pure: the tree is the engine's own, as JSON.
//   A1. A query reads catalog tables, its own CTEs and the allowed table functions; nothing else that can follow FROM passes.
//   A2. What the gate does not know it refuses, so that an engine with a new kind of node becomes stricter, not weaker.
//   A3. Names of system views are refused even for CTEs, since their scope is not followed.
import type { StatementErrorReason } from './statement-error.js';

/** A table that a query names. It may turn out to be a CTE of the query. */
export interface TableReference {
  /** Catalog and schema if written, then the name. */
  readonly parts: readonly string[];
  /** Byte offset in the text; undefined when the engine does not say. */
  readonly at: number | undefined;
}

/** What a query names, or why it may not run. */
export type AstInspection =
  | { readonly ok: { readonly tables: readonly TableReference[]; readonly cteNames: ReadonlySet<string> } }
  | { readonly reason: StatementErrorReason; readonly message: string; readonly at: number | undefined };

/** Functions that may follow FROM: they make rows from their arguments and touch nothing else. */
export const ALLOWED_TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'range',
  'generate_series',
  'unnest',
  'json_each',
  'json_tree',
  'repeat',
  'repeat_row',
  'test_all_types',
  'icu_calendar_names',
  'pg_timezone_names',
]);

/** Functions that show or change the engine's state, or hide SQL in a string. */
const DENIED_FUNCTIONS = new Set([
  'current_setting',
  'getenv',
  'getvariable',
  'write_log',
  'nextval',
  'currval',
  'json_serialize_plan',
  'json_execute_serialized_sql',
]);

const QUERY_NODES = ['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE', 'CTE_NODE'];
const MODIFIERS = ['ORDER_MODIFIER', 'LIMIT_MODIFIER', 'LIMIT_PERCENT_MODIFIER', 'DISTINCT_MODIFIER'];
const ORDERS = ['ORDER_DEFAULT', 'ASCENDING', 'DESCENDING', 'ORDER_ASC', 'ORDER_DESC'];
const HARMLESS_TABLE_REFS = ['EMPTY', 'EMPTY_FROM', 'SUBQUERY', 'JOIN', 'EXPRESSION_LIST', 'PIVOT'];
const KNOWN_NODES = new Set([...QUERY_NODES, ...MODIFIERS, ...ORDERS, ...HARMLESS_TABLE_REFS]);

const SYSTEM_SCHEMAS = new Set(['information_schema', 'pg_catalog']);
const SYSTEM_CATALOGS = new Set(['system', 'temp', 'memory']);
const SYSTEM_VIEW = /^(duckdb_|sqlite_|pragma_|pg_)/;
const FILE_NAME = /[/\\]|\.(parquet|csv|tsv|json|jsonl|ndjson|txt|gz|zst|db|duckdb|arrow|avro|xlsx)$/i;

const USE_SHOW = 'Ask SHOW CATALOGS, SHOW SCHEMAS, SHOW TABLES or SHOW COLUMNS FROM table instead.';
const USE_TABLES = 'Queries read tables of the catalogs; SHOW TABLES lists them.';

type Json = string | number | boolean | null | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [key: string]: Json;
}

/** Inspects the tree of one query. */
export function inspectAst(tree: unknown): AstInspection {
  const tables: TableReference[] = [];
  const cteNames = new Set<string>();
  const stack: Json[] = [tree as Json];
  while (stack.length > 0) {
    const node = stack.pop();
    if (node === null || typeof node !== 'object') continue;
    if (isArray(node)) {
      for (const item of node) stack.push(item);
      continue;
    }
    const refusal = refuse(node);
    if (refusal !== undefined) return { ...refusal, at: offsetOf(node) };
    if (node['type'] === 'BASE_TABLE') tables.push({ parts: tableParts(node), at: offsetOf(node) });
    for (const [key, value] of Object.entries(node)) {
      if (key === 'cte_map') for (const name of cteNamesOf(value)) cteNames.add(name.toLowerCase());
      if (key === 'cte_name' && typeof value === 'string') cteNames.add(value.toLowerCase());
      stack.push(value);
    }
  }
  const hidden = [...cteNames].find((name) => SYSTEM_VIEW.test(name));
  if (hidden !== undefined)
    return denied(`The name "${hidden}" is reserved for system tables. Give the CTE another name.`, undefined);
  return { ok: { tables, cteNames } };
}

/** Why a table that is in no catalog may not be read, when that is not simply because it does not exist. */
export function refuseTable({ parts, at }: TableReference): AstInspection | undefined {
  const name = (parts.at(-1) ?? '').toLowerCase();
  if (parts.length > 1 && SYSTEM_SCHEMAS.has((parts.at(-2) ?? '').toLowerCase()))
    return denied(`System tables such as "${parts.join('.')}" cannot be read. ${USE_SHOW}`, at);
  if (parts.length > 1 && SYSTEM_CATALOGS.has((parts[0] ?? '').toLowerCase()))
    return denied(`System tables such as "${parts.join('.')}" cannot be read. ${USE_SHOW}`, at);
  if (SYSTEM_VIEW.test(name)) return denied(`System tables such as "${name}" cannot be read. ${USE_SHOW}`, at);
  if (FILE_NAME.test(parts.join('.')))
    return denied(`Files such as "${parts.join('.')}" cannot be read by name. ${USE_TABLES}`, at);
  return undefined;
}

function refuse(node: JsonObject): { reason: StatementErrorReason; message: string } | undefined {
  const { type } = node;
  if ('class' in node) return node['class'] === 'FUNCTION' ? refuseFunction(node) : undefined;
  // Types of casts and constants are nodes too; they only name types.
  if (typeof type !== 'string' || KNOWN_NODES.has(type) || type.endsWith('_TYPE_INFO')) return undefined;
  if (type === 'BASE_TABLE')
    return 'at_clause' in node ? notSupported('AT (...): tables have no versions here.') : undefined;
  if (type === 'TABLE_FUNCTION') return refuseTableFunction(node['function'] as JsonObject | undefined);
  if (type === 'SHOW_REF')
    return isObject(node['query'])
      ? undefined
      : notSupported('SHOW inside a query. Send it as a statement of its own.');
  return notSupported(`this part of the query (${type}).`);
}

function refuseTableFunction(call: JsonObject | undefined) {
  const name = String(call?.['function_name'] ?? '').toLowerCase();
  if (call?.['class'] === 'FUNCTION' && ALLOWED_TABLE_FUNCTIONS.has(name)) return undefined;
  const allowed = [...ALLOWED_TABLE_FUNCTIONS].slice(0, 6).join(', ');
  const message = `The table function ${name}() may not be used: queries cannot read files, other SQL or the system. ${USE_TABLES} Allowed are ${allowed}.`;
  return { reason: 'PERMISSION_DENIED' as const, message };
}

function refuseFunction(node: JsonObject) {
  const name = String(node['function_name'] ?? '').toLowerCase();
  if (!DENIED_FUNCTIONS.has(name) && !name.startsWith('pg_get_')) return undefined;
  return {
    reason: 'PERMISSION_DENIED' as const,
    message: `The function ${name}() may not be used: it reaches into the engine's state.`,
  };
}

const notSupported = (what: string) => ({ reason: 'NOT_SUPPORTED' as const, message: `Not supported: ${what}` });

const denied = (message: string, at: number | undefined): AstInspection => ({
  reason: 'PERMISSION_DENIED',
  message,
  at,
});

function tableParts(node: JsonObject): string[] {
  return [node['catalog_name'], node['schema_name'], node['table_name']].filter(
    (part): part is string => typeof part === 'string' && part !== '',
  );
}

function cteNamesOf(map: Json): string[] {
  const entries = isObject(map) ? map['map'] : undefined;
  if (!isArray(entries)) return [];
  return entries.flatMap((entry) => (isObject(entry) && typeof entry['key'] === 'string' ? [entry['key']] : []));
}

/** The engine writes 2^64 - 1 for "unknown". */
function offsetOf(node: JsonObject): number | undefined {
  const at = node['query_location'];
  return typeof at === 'number' && at < 2 ** 32 ? at : undefined;
}

const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
