import { type DuckDBConnection, type DuckDBDataChunk, type DuckDBInstance, VARCHAR } from '@duckdb/node-api';
import { JsonLines } from './json-lines.js';
import { CONNECTION_SETTINGS, openInstance } from './open-instance.js';

// The engine makes values of hundreds of megabytes here.
jest.setTimeout(60_000);

let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  instance = await openInstance({ threads: '1' });
  connection = await instance.connect();
  await connection.run(CONNECTION_SETTINGS);
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

async function linesOf(sql: string): Promise<string> {
  const result = await connection.stream(sql);
  const lines = new JsonLines(result.columnTypes());
  let text = '';
  const add = (batch: { lines: Uint8Array } | undefined) => (text += new TextDecoder().decode(batch?.lines));
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    [...lines.add(chunk)].forEach(add);
  }
  add(lines.end());
  return text;
}

test.each([
  ['true', 'true'],
  ['(-128)::TINYINT', '-128'],
  ['4294967295::UINTEGER', '4294967295'],
  ['9223372036854775807::BIGINT', '"9223372036854775807"'],
  ['18446744073709551615::UBIGINT', '"18446744073709551615"'],
  ['170141183460469231731687303715884105727::HUGEINT', '"170141183460469231731687303715884105727"'],
  ['340282366920938463463374607431768211455::UHUGEINT', '"340282366920938463463374607431768211455"'],
  ["'123456789012345678901234567890123456789012'::BIGNUM", '"123456789012345678901234567890123456789012"'],
  ['1.10::DECIMAL(4,2)', '"1.10"'],
  ['(-0.05)::DECIMAL(38,10)', '"-0.0500000000"'],
  ['99999999999999999999999999999999999999::DECIMAL(38,0)', '"99999999999999999999999999999999999999"'],
  ['0.1::DOUBLE', '0.1'],
  ['1e300::DOUBLE', '1e+300'],
  ['5e-324::DOUBLE', '5e-324'],
  ["'-0.0'::DOUBLE", '-0.0'],
  ["'nan'::DOUBLE", '"NaN"'],
  ["'inf'::DOUBLE", '"Infinity"'],
  ["'-inf'::FLOAT", '"-Infinity"'],
  ['0.1::FLOAT', '0.1'],
  ['16777217::FLOAT', '16777216'],
  ['3.4028235e38::FLOAT', '3.4028235e+38'],
  ["'a\"b\\' || chr(10) || 'ü😀'", '"a\\"b\\\\\\nü😀"'],
  ["'\\xAA\\x00abc'::BLOB", '"\\\\xAA\\\\x00abc"'],
  ["'0044-03-15 (BC)'::DATE", '"0044-03-15 (BC)"'],
  ["'infinity'::DATE", '"infinity"'],
  ["'-infinity'::DATE", '"-infinity"'],
  ["TIMESTAMP '2020-01-02 03:04:05.123456'", '"2020-01-02 03:04:05.123456"'],
  ["'infinity'::TIMESTAMP", '"infinity"'],
  ["'2020-01-02 03:04:05.123456789'::TIMESTAMP_NS", '"2020-01-02 03:04:05.123456789"'],
  ["TIMESTAMPTZ '2020-01-02 03:04:05+02'", '"2020-01-02 01:04:05+00"'],
  ["'24:00:00'::TIME", '"24:00:00"'],
  ["'03:04:05+05:30'::TIMETZ", '"03:04:05+05:30"'],
  ["INTERVAL '1 year 2 month -3 day 04:05:06.789'", '"1 year 2 months -3 days 04:05:06.789"'],
  ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID", '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'],
  ["'x'::ENUM('x', 'y')", '"x"'],
  ["'10101'::BIT", '"10101"'],
  ['\'{"a": 1}\'::JSON', '"{\\"a\\": 1}"'],
  ['NULL', 'null'],
  ['[1, NULL, 3]', '[1,null,3]'],
  ['[]', '[]'],
  ['[9007199254740993::BIGINT]', '["9007199254740993"]'],
  ["['nan'::DOUBLE, 1]", '["NaN",1]'],
  ['array_value(1.5::FLOAT, 0.1::FLOAT)', '[1.5,0.1]'],
  ["{'a': 1, 'b': [{'c': DATE '2020-01-01'}], 'd': NULL}", '{"a":1,"b":[{"c":"2020-01-01"}],"d":null}'],
  ["{'a': INTERVAL '1 day', 't': 12345678901234.5678::DECIMAL(18,4)}", '{"a":"1 day","t":"12345678901234.5678"}'],
  ["map {'k': 1, 'l\"': NULL}", '{"k":1,"l\\"":null}'],
  ["map {1: 'a', 2: 'b'}", '{"1":"a","2":"b"}'],
  ["map {DATE '2020-01-01': 1::BIGINT}", '{"2020-01-01":"1"}'],
  ["map {[1]: 'a'}", '[{"key":[1],"value":"a"}]'],
  ['union_value(num := 2::BIGINT)', '{"num":"2"}'],
])('%s is sent as %s', async (expression, json) => {
  expect(await linesOf(`SELECT ${expression} AS v`)).toBe(`[${json}]\n`);
});

test('every type that the engine has is sent as JSON, its extremes and nulls too', async () => {
  const lines = (await linesOf('SELECT * FROM test_all_types()')).trimEnd().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as unknown[]);
  expect(rows).toHaveLength(3);
  expect(new Set(rows[2])).toEqual(new Set([null]));
});

test('texts of scalar values are what SQL prints', async () => {
  const types = [
    'date',
    'time',
    'timestamp',
    'timestamp_s',
    'timestamp_ms',
    'timestamp_ns',
    'time_tz',
    'uuid',
    'interval',
    'bigint',
    'hugeint',
    'uhugeint',
    'dec_4_1',
    'dec38_10',
    'bit',
    'small_enum',
    'varchar',
    'blob',
  ];
  const names = types.map((name) => `"${name}"`);
  const ours = await linesOf(`SELECT ${names.join(', ')} FROM test_all_types()`);
  const printed = await linesOf(`SELECT ${names.map((name) => `${name}::VARCHAR`).join(', ')} FROM test_all_types()`);
  expect(ours).toBe(printed);
});

test('a line is a row, also when values contain line breaks', async () => {
  expect(await linesOf('SELECT chr(10) || chr(13) || chr(8232) AS v FROM range(3)')).toBe(
    '["\\n\\r\u2028"]\n'.repeat(3),
  );
});

test('batches end at whole rows, at about 256 KiB', async () => {
  const result = await connection.stream("SELECT repeat('x', 1000) AS v FROM range(2000)");
  const lines = new JsonLines(result.columnTypes());
  const sizes: number[] = [];
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    sizes.push(...[...lines.add(chunk)].map((batch) => batch.lines.byteLength));
  }
  expect(sizes.length).toBeGreaterThan(5);
  for (const size of sizes) expect([size % 1005, size > 262_143, size < 264_000]).toEqual([0, true, true]);
});

test('a row that does not fit into a message is refused by name of its size', async () => {
  await expect(linesOf("SELECT repeat('x', 4000000) AS v")).rejects.toThrow(
    'A row takes 3.81MB as JSON text; at most 3.00MB',
  );
});

test('a value that is longer than any string of V8 is refused like every row that is too large', async () => {
  await expect(linesOf("SELECT repeat('x', 600000000) AS v")).rejects.toThrow(
    'A row takes 572.20MB as JSON text; at most 3.00MB',
  );
});

test('a nested value that makes a longer string than V8 can is refused in the same words', () => {
  const tooLong = { rowCount: 1, getColumnVector: () => ({ getItem: () => 'x'.repeat(2 ** 30) }) };
  expect(() => [...new JsonLines([VARCHAR]).add(tooLong as unknown as DuckDBDataChunk)]).toThrow(
    'A row takes more than 512.00MB as JSON text; at most 3.00MB',
  );
});

test('nulls beside large values have no length', async () => {
  const sql = "SELECT CASE WHEN i % 2 = 0 THEN repeat('x', 50) END AS v FROM range(1000) t(i)";
  expect(await linesOf(sql)).toBe(`[${JSON.stringify('x'.repeat(50))}]\n[null]\n`.repeat(500));
});
