import { inspectAst, refuseTable } from './ast-gate.js';

const table = (name: string, more: object = {}) => ({
  type: 'BASE_TABLE',
  table_name: name,
  query_location: 14,
  ...more,
});
const select = (from: object, more: object = {}) => ({
  node: { type: 'SELECT_NODE', select_list: [], from_table: from, ...more },
});
const call = (name: string) => ({ class: 'FUNCTION', type: 'FUNCTION', function_name: name, children: [] });
const tableFunction = (name: string) => ({ type: 'TABLE_FUNCTION', function: call(name), query_location: 14 });

test('tables are found wherever they stand', () => {
  const subquery = { class: 'SUBQUERY', type: 'SUBQUERY', subquery: select(table('inner')) };
  const join = { type: 'JOIN', left: table('left'), right: { type: 'SUBQUERY', subquery: select(table('right')) } };
  const inspection = inspectAst(select(join, { where_clause: subquery }));
  const names = 'ok' in inspection ? inspection.ok.tables.map(({ parts }) => parts.join('.')) : [];
  expect(names.sort()).toEqual(['inner', 'left', 'right']);
});

test('written catalogs and schemas belong to the name', () => {
  const inspection = inspectAst(select(table('t', { catalog_name: 'c', schema_name: 's' })));
  expect(inspection).toEqual({ ok: { tables: [{ parts: ['c', 's', 't'], at: 14 }], cteNames: new Set() } });
});

test('names of CTEs are collected, recursive ones too', () => {
  const map = { map: [{ key: 'A', value: { query: select(table('t')) } }] };
  const recursive = { node: { type: 'RECURSIVE_CTE_NODE', cte_name: 'r', left: {}, right: {} } };
  const inspection = inspectAst({ ...select(table('a'), { cte_map: map }), more: recursive });
  expect('ok' in inspection && [...inspection.ok.cteNames].sort()).toEqual(['a', 'r']);
});

test.each(['range', 'GENERATE_SERIES', 'unnest', 'json_each', 'json_tree', 'repeat'])(
  '%s() may follow FROM',
  (name) => {
    expect(inspectAst(select(tableFunction(name)))).toHaveProperty('ok');
  },
);

test.each([
  'read_csv',
  'read_csv_auto',
  'read_parquet',
  'parquet_scan',
  'read_json',
  'read_ndjson',
  'read_text',
  'read_blob',
  'read_duckdb',
  'glob',
  'sniff_csv',
  'parquet_metadata',
  'query',
  'query_table',
  'json_execute_serialized_sql',
  'enable_logging',
  'enable_profiling',
  'duckdb_settings',
  'duckdb_secrets',
  'pragma_version',
  'checkpoint',
  'histogram',
  'summary',
  'seq_scan',
  'some_future_function',
])('%s() may not', (name) => {
  expect(inspectAst(select(tableFunction(name)))).toMatchObject({ reason: 'PERMISSION_DENIED', at: 14 });
});

test.each(['current_setting', 'getenv', 'write_log', 'json_serialize_plan', 'pg_get_viewdef'])(
  '%s() may not be called',
  (name) => {
    expect(inspectAst(select({ type: 'EMPTY' }, { select_list: [call(name)] }))).toMatchObject({
      reason: 'PERMISSION_DENIED',
    });
  },
);

test('a kind of node that is not known is refused, not ignored', () => {
  expect(inspectAst(select({ type: 'TELEPORT_REF' }))).toMatchObject({ reason: 'NOT_SUPPORTED' });
});

test('a function that is written as something else is refused', () => {
  const disguised = { type: 'TABLE_FUNCTION', function: { class: 'OPERATOR', function_name: 'range' } };
  expect(inspectAst(select(disguised))).toMatchObject({ reason: 'PERMISSION_DENIED' });
});

test.each([
  [['information_schema', 'tables'], 'System tables'],
  [['demo', 'pg_catalog', 'pg_class'], 'System tables'],
  [['system', 'main', 'x'], 'System tables'],
  [['duckdb_tables'], 'System tables'],
  [['sqlite_master'], 'System tables'],
  [['/etc/passwd'], 'Files'],
  [['C:\\x'], 'Files'],
  [['data.csv'], 'Files'],
  [['x', 'parquet'], 'Files'],
])('%j is refused with a hint', (parts, message) => {
  expect(refuseTable({ parts, at: 0 })).toMatchObject({
    reason: 'PERMISSION_DENIED',
    message: expect.stringContaining(message),
  });
});

test('a plain name that is simply unknown is left to the catalogs', () => {
  expect(refuseTable({ parts: ['flihgts'], at: 0 })).toBeUndefined();
});
