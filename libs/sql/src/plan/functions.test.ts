// Every function and aggregate of the engine, called with values of the types that it takes: what is understood of the call
// gives the same rows, of the same types, when it is written back. For an engine of another version this tells what changed.
import { TestEngine } from '../testing/engine.js';
import { TABLES } from './testing/statements.js';
import { wholeSql } from './testing/whole-sql.js';

/** An operand for each type. */
const OPERANDS: Readonly<Record<string, string>> = {
  ANY: 'a',
  T: 'id',
  K: 'id',
  BOOLEAN: 'ok',
  TINYINT: 'b::TINYINT',
  SMALLINT: 'b',
  INTEGER: 'id',
  BIGINT: 'a',
  HUGEINT: 'a::HUGEINT',
  UTINYINT: 'b::UTINYINT',
  USMALLINT: 'b::USMALLINT',
  UINTEGER: 'id::UINTEGER',
  UBIGINT: 'id::UBIGINT',
  UHUGEINT: 'id::UHUGEINT',
  FLOAT: 'g',
  DOUBLE: 'f',
  DECIMAL: 'p',
  VARCHAR: 's',
  BLOB: 's::BLOB',
  JSON: "json_object('a', a)",
  UUID: 'md5(s)::UUID',
  DATE: 'd',
  TIME: 'ts::TIME',
  TIME_NS: 'ts::TIME_NS',
  'TIME WITH TIME ZONE': 'ts::TIME::TIMETZ',
  TIMESTAMP: 'ts',
  TIMESTAMP_S: 'ts::TIMESTAMP_S',
  TIMESTAMP_MS: 'ts::TIMESTAMP_MS',
  TIMESTAMP_NS: 'ts::TIMESTAMP_NS',
  'TIMESTAMP WITH TIME ZONE': 'ts::TIMESTAMPTZ',
  INTERVAL: 'to_days(id)',
  'ANY[]': 'l',
  'T[]': 'l',
  'BIGINT[]': '[a]',
  'DOUBLE[]': '[f]',
  'FLOAT[]': '[g]',
  'VARCHAR[]': '[s]',
  'FLOAT[3]': '[g, 1, 2]::FLOAT[3]',
  'DOUBLE[3]': '[f, 1, 2]::DOUBLE[3]',
  'MAP(K, V)': 'MAP {id: s}',
  STRUCT: "{'x': a}",
};

/** What these give depends on the moment, or is an error or a pause. */
const MOMENTARY = new Set([
  ...['now', 'get_current_time', 'get_current_timestamp', 'current_localtime', 'current_localtimestamp', 'sleep_ms'],
  ...['transaction_timestamp', 'txid_current', 'error', 'setseed', 'nextval', 'currval', 'write_log'],
]);

let engine: TestEngine;

beforeAll(async () => {
  engine = await TestEngine.create();
  for (const [name, sql] of Object.entries(TABLES)) await engine.table(name, sql);
});

afterAll(() => engine.close());

/** Statements that call the functions whose names start so. */
async function calls(start: string): Promise<string[]> {
  const functions = await engine.rows(
    `SELECT function_name, parameter_types::VARCHAR[], varargs, function_type FROM duckdb_functions()
     WHERE function_type IN ('scalar', 'aggregate') AND function_name NOT LIKE 'icu_collate%'
       AND regexp_matches(lower(function_name), '^${start}')`,
  );
  const statements = functions.map(([name, types, more, kind]) => {
    const taken = [...(types as string[]), ...(typeof more === 'string' ? [more] : [])].map((type) => OPERANDS[type]);
    if (MOMENTARY.has(String(name)) || taken.includes(undefined)) return [];
    const call = `"${String(name)}"(${taken.join(', ')})`;
    return kind === 'scalar'
      ? [`SELECT id, ${call} FROM t WHERE a IS NOT NULL AND f IS NOT NULL`]
      : [`SELECT b, ${call} FROM (SELECT * FROM t ORDER BY id) GROUP BY b`];
  });
  return [...new Set(statements.flat())];
}

const texts = (rows: readonly (readonly unknown[])[]): string[] =>
  rows
    .map((row) =>
      JSON.stringify(row, (_key, value: unknown) =>
        typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(12)) : value,
      ),
    )
    .sort();

/** Undefined for a statement that is none: not every value fits every function. */
async function rowsOf(sql: string): Promise<string[] | undefined> {
  return engine.rows(sql).then(texts, () => undefined);
}

let understood = 0;

test.each(['[^a-z]', ...'abcdefghijklmnopqrstuvwxyz'])('functions that start with %s', async (start) => {
  for (const sql of await calls(start)) {
    const expected = await rowsOf(sql);
    const decoded = expected === undefined ? undefined : await engine.plan(sql);
    if (decoded === undefined || 'unsupported' in decoded) continue;
    understood += 1;
    const written = wholeSql(decoded.ok);
    const found = { rows: texts(await engine.rows(written)), types: await engine.types(written) };
    expect({ sql, ...found }).toEqual({ sql, rows: expected, types: await engine.types(sql) });
  }
});

test('most functions are understood', () => {
  expect(understood).toBeGreaterThan(1_000);
});
