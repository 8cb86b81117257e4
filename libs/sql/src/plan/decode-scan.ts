import { JsonNumber, type LosslessJson, type LosslessObject } from './lossless-json.js';
import type { PlanExpression, PlanNode, PlanType } from './plan.js';
import { constantFromPlan } from './decode-constant.js';
import { COMPARISONS, compound, expressionFromPlan } from './decode-expression.js';
import type { DecodeContext } from './decode-plan.js';
import type { ExplainNode } from './plan-estimates.js';
import { arrayOf, checkKeys, indexesOf, keys, NotUnderstood, numberOf, objectOf, textOf } from './plan-fields.js';
import { simpleType, typeFromPlan } from './plan-type.js';

const KEYS = keys(
  ...['type', 'children', 'table_index', 'returned_types', 'names', 'projection_ids', 'table_filters', 'name'],
  ...[
    'arguments',
    'original_arguments',
    'catalog_name',
    'schema_name',
    'has_serialize',
    'function_data',
    'column_indexes',
  ],
  ...['projected_input', 'extra_info', 'ordinality_idx', 'estimated_cardinality', 'has_estimated_cardinality'],
);

/** Scans of the tables' stub files; every other table function runs whole on one worker. */
export function scanFromPlan(node: LosslessObject, context: DecodeContext, place: ExplainNode): PlanNode {
  const name = textOf(node['name'], 'the name of a table function');
  if (name !== 'read_parquet' && name !== 'parquet_scan') throw new NotUnderstood(`the table function ${name}()`);
  checkKeys(node, KEYS, 'a scan');
  const [file, ...more] = arrayOf(objectOf(node['function_data'], 'a scan')['files'], 'the files of a scan');
  const table = typeof file === 'string' && more.length === 0 ? context.tableOf(file) : undefined;
  if (table === undefined) throw new NotUnderstood('a scan of something else than a table');
  const types = arrayOf(node['returned_types'], 'the types of a scan').map(typeFromPlan);
  const read = arrayOf(node['column_indexes'], 'the columns of a scan').map(columnIndex);
  // Columns that a filter names and nobody reads come last.
  const filtered = filtersOf(node['table_filters']).map(({ column }) => column);
  const all = [...new Set([...read.filter((index) => index !== NO_COLUMN), ...filtered])];
  const columns = all.map((index) => {
    const type = types[index];
    const column = table.columns[index];
    if (type === undefined || column === undefined) throw new NotUnderstood(`a virtual column of ${table.table}`);
    return { name: column.name, type };
  });
  const position = (index: number): PlanExpression => {
    const at = all.indexOf(index);
    return { kind: 'column', index: at, type: columns[at]?.type as PlanType };
  };
  const filters = filtersOf(node['table_filters']).flatMap(({ column, filter }) =>
    filterFromPlan(filter, position(column)),
  );
  const ids = indexesOf(node['projection_ids'] ?? [], 'projection ids');
  const wanted = ids.length > 0 ? ids.map((id) => read[id]) : read;
  if (wanted.includes(undefined)) throw new NotUnderstood('a scan that returns what it does not read');
  const output = wanted.filter((index) => index !== NO_COLUMN).map((index) => all.indexOf(index as number));
  const outputTypes = output.map((index) => columns[index]?.type as PlanType);
  const estimatedRows = context.estimates.rowsOf(place, [table.rows]);
  const scan = { op: 'scan', table: table.table, columns, filters, output, types: outputTypes, estimatedRows } as const;
  return output.length === wanted.length ? scan : withNothing(scan, wanted);
}

/** Where a scan's rows are only counted the engine gives it a column that is in no file and never read: NULLs here. */
function withNothing(scan: PlanNode & { readonly op: 'scan' }, wanted: readonly (number | undefined)[]): PlanNode {
  let next = 0;
  const expressions = wanted.map((column): PlanExpression => {
    if (column === NO_COLUMN)
      return { kind: 'constant', sql: 'CAST(NULL AS BOOLEAN)', text: undefined, type: simpleType('BOOLEAN') };
    const index = next++;
    return { kind: 'column', index, type: scan.types[index] as PlanType };
  });
  const types = expressions.map(({ type }) => type);
  return { op: 'project', child: scan, expressions, types, estimatedRows: scan.estimatedRows };
}

const NO_COLUMN = -1;
/** How the engine writes it: 2^64 - 2. */
const NO_COLUMN_TEXT = '18446744073709551614';

const COLUMN_KEYS = keys('index', 'index_type', 'type', 'has_index', 'field', 'child_indexes');

function columnIndex(json: LosslessJson): number {
  const column = objectOf(json, 'a column of a scan');
  checkKeys(column, COLUMN_KEYS, 'a column of a scan');
  // With `child_indexes` only these fields of a struct matter; the column keeps its type, and reading all does no harm.
  if (column['index_type'] !== 'FULL_READ') throw new NotUnderstood('a scan of single fields of a struct');
  if (column['index'] instanceof JsonNumber && column['index'].text === NO_COLUMN_TEXT) return NO_COLUMN;
  return numberOf(column['index'], 'a column of a scan');
}

function filtersOf(json: LosslessJson | undefined): { column: number; filter: LosslessObject }[] {
  const filters = arrayOf(objectOf(json ?? {}, 'filters of a scan')['filters'], 'filters of a scan');
  return filters.map((entry) => {
    const { key, value } = objectOf(entry, 'a filter of a scan');
    return { column: numberOf(key, 'the column of a filter'), filter: objectOf(value, 'a filter of a scan') };
  });
}

const BOOLEAN = simpleType('BOOLEAN');

/** A filter of a scan, as conditions that all hold. */
function filterFromPlan(filter: LosslessObject, column: PlanExpression): PlanExpression[] {
  const nested = (field: string) =>
    arrayOf(filter[field], 'filters').map((child) => filterFromPlan(objectOf(child, 'a filter'), column));
  switch (filter['filter_type']) {
    case 'CONSTANT_COMPARISON': {
      const sign = COMPARISONS[String(filter['comparison_type'])];
      if (sign === undefined) throw new NotUnderstood(`the filter ${String(filter['comparison_type'])}`);
      return [compound([column, constantFromPlan(filter['constant'])], ([l, r]) => `(${l} ${sign} ${r})`, BOOLEAN)];
    }
    case 'IS_NULL':
      return [compound([column], ([x]) => `(${x} IS NULL)`, BOOLEAN)];
    case 'IS_NOT_NULL':
      return [compound([column], ([x]) => `(${x} IS NOT NULL)`, BOOLEAN)];
    case 'IN_FILTER': {
      const values = arrayOf(filter['values'], 'values').map(constantFromPlan);
      return [compound([column, ...values], ([x, ...list]) => `(${x} IN (${list.join(', ')}))`, BOOLEAN)];
    }
    case 'CONJUNCTION_AND':
      return nested('child_filters').flat();
    case 'CONJUNCTION_OR': {
      const parts = nested('child_filters').map((all) => compound(all, (texts) => `(${texts.join(' AND ')})`, BOOLEAN));
      return [compound(parts, (texts) => `(${texts.join(' OR ')})`, BOOLEAN)];
    }
    case 'STRUCT_EXTRACT': {
      const name = textOf(filter['child_name'], 'the name of a field').replaceAll("'", "''");
      const index = numberOf(filter['child_idx'], 'a field');
      const type = column.type.children[index];
      if (type === undefined) throw new NotUnderstood('a filter of a field that is not there');
      const field = compound([column], ([x]) => `struct_extract(${x}, '${name}')`, type);
      return filterFromPlan(objectOf(filter['child_filter'], 'a filter'), field);
    }
    case 'EXPRESSION_FILTER':
      return [expressionFromPlan(filter['expr'], () => column)];
    // The same condition stands in a filter above; here it only helps the scan.
    case 'OPTIONAL_FILTER':
    case 'DYNAMIC_FILTER':
      return [];
    default:
      throw new NotUnderstood(`the filter ${String(filter['filter_type'])}`);
  }
}
