import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonLines } from './json-lines.js';
import { CONNECTION_SETTINGS, openInstance } from './open-instance.js';
import { LINE_OPTIONS, selectLines } from './result-lines.js';
import { literal } from './sql-text.js';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
let directory: string;

beforeAll(async () => {
  instance = await openInstance();
  connection = await instance.connect();
  await connection.run(CONNECTION_SETTINGS);
  directory = mkdtempSync(join(tmpdir(), 'tutti-lines-'));
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(directory, { recursive: true });
});

/** The lines of a query, made in both ways. */
async function bothWays(sql: string): Promise<{ ours: string; engines: string | undefined }> {
  const result = await connection.run(sql);
  const types = result.columnTypes();
  const lines = new JsonLines(types);
  const batches: Uint8Array[] = [];
  for (const chunk of await result.fetchAllChunks()) for (const batch of lines.add(chunk)) batches.push(batch.lines);
  const last = lines.end();
  if (last !== undefined) batches.push(last.lines);
  const select = selectLines(sql, types);
  if (select === undefined) return { ours: Buffer.concat(batches).toString(), engines: undefined };
  const file = join(directory, 'lines');
  await connection.run(`COPY (${select}) TO ${literal(file)} (${LINE_OPTIONS})`);
  return { ours: Buffer.concat(batches).toString(), engines: readFileSync(file, 'utf8') };
}

const numbers = (type: string, values: (string | number)[]): string =>
  `SELECT unnest([${values.map((value) => `'${value}'::${type}`).join(', ')}, NULL]) AS v`;

const FLOATS = [
  '0',
  '-0.0',
  '1',
  '100',
  '0.1',
  '-1.5',
  '123456.7',
  '1e15',
  '1e16',
  '-1.5e16',
  '123456789e12',
  '1e20',
  '1e21',
];
const SMALL = [
  '1e-4',
  '0.0001234',
  '1e-5',
  '-1.5e-5',
  '1e-6',
  '1.25e-6',
  '9.99e-7',
  '1e-7',
  '-1.5e-7',
  '1e-9',
  '1e-10',
  '1.5e-12',
];
const SPECIAL = ['nan', 'inf', '-inf'];
const DAYS = [
  '2020-02-29',
  '0001-01-01',
  '0044-03-15 (BC)',
  '9999-12-31',
  '12345-01-01',
  'infinity',
  '-infinity',
  '1969-12-31',
];
const TIMES = [
  '2020-02-29 12:34:56',
  '2020-01-01 00:00:00.5',
  '1969-12-31 23:59:59.999999',
  '0044-03-15 (BC) 01:02:03',
  '1677-09-22',
  '2262-04-11 23:47:16.854775',
  '2020-01-01 00:00:00.000100',
];
const FAR = ['infinity', '-infinity'];

test.each([
  ['BOOLEAN', ['true', 'false']],
  ...[
    'TINYINT',
    'SMALLINT',
    'INTEGER',
    'BIGINT',
    'HUGEINT',
    'DECIMAL(4,1)',
    'DECIMAL(18,3)',
    'DECIMAL(38,10)',
    'DECIMAL(9,0)',
  ].map((type) => [type, ['0', '-1', '100', '-100']] as [string, string[]]),
  ...['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT'].map(
    (type) => [type, ['0', '255']] as [string, string[]],
  ),
  ['BIGINT', ['9223372036854775807', '-9223372036854775808']],
  ['HUGEINT', ['170141183460469231731687303715884105727', '-170141183460469231731687303715884105728']],
  ['UHUGEINT', ['340282366920938463463374607431768211455']],
  ['UBIGINT', ['18446744073709551615']],
  ['BIGNUM', ['123456789012345678901234567890123456789012345678901234567890', '-5', '0']],
  [
    'DOUBLE',
    [
      ...FLOATS,
      ...SMALL,
      ...SPECIAL,
      '1.7976931348623157e308',
      '5e-324',
      '9007199254740993',
      '0.30000000000000004',
      '999999999999999900000',
    ],
  ],
  ['DATE', DAYS],
  ['TIME', ['00:00:00', '23:59:59.999999', '12:00:00.1', '24:00:00']],
  ['TIMESTAMP', [...TIMES, ...FAR, '294247-01-10 04:00:54.775806']],
  ['TIMESTAMPTZ', [...TIMES, ...FAR, '2020-01-01 00:00:00+05:30']],
  ['TIMETZ', ['00:00:00+00', '23:59:59.999999-15:59', '12:00:00.5+05:30', '01:02:03+01:02:03']],
  ['UUID', ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']],
  ['BIT', ['0', '10101', '111111111']],
  [
    'INTERVAL',
    [
      '1 year 2 months 3 days 04:05:06.789',
      '-1 day',
      '0 days',
      '1000000 hours',
      '-00:00:00.000001',
      '-5 months',
      '1 month -1 day',
      '14 months',
    ],
  ],
  ['VARCHAR', ['', 'plain', 'a"b\\c/d', 'Grüße, 東京, 😀', '\u2028\u007f', '[1,2]', '\\u000B', ' x ']],
  ['JSON', ['{"a": [1, null]}', '"text"', '1']],
] as [string, string[]][])('L1: %s: the engine writes it as we do', async (type, values) => {
  const { ours, engines } = await bothWays(numbers(type, values));
  expect(engines).toBe(ours);
  expect(ours.split('\n')).toHaveLength(values.length + 2);
});

test('L1: every control character is escaped as we escape it, also beside what looks like an escape', async () => {
  const sql = `SELECT chr(i::INTEGER) || '\\u000B' || chr(i::INTEGER) || chr(13) || chr(10) || 'é"' AS v, i::INTEGER AS w FROM range(1, 200) t(i)`;
  const { ours, engines } = await bothWays(`${sql} UNION ALL SELECT chr(0) || 'x', 0`);
  expect(engines).toBe(ours);
});

test('L1: enums and untyped NULLs are written as we do', async () => {
  const { ours, engines } = await bothWays(`SELECT unnest(['a"b', 'c', NULL, 'c'])::ENUM('a"b', 'c') AS e, NULL AS n`);
  expect(engines).toBe(ours);
});

test('L1: many random numbers are written as we do', async () => {
  const sql = `SELECT setseed(0.4), * FROM (SELECT (random() - 0.5) * pow(10, (random() * 60 - 30)::INTEGER) AS d,
    i / 8 AS e, (random() * 1e9)::INTEGER * 1e6 AS g FROM range(20000) t(i))`;
  await connection.run(`CREATE OR REPLACE TABLE numbers AS SELECT d, e, g FROM (${sql})`);
  const { ours, engines } = await bothWays('SELECT * FROM numbers');
  const theirs = engines?.split('\n') ?? [];
  expect(ours.split('\n').filter((line, i) => line !== theirs[i])).toEqual([]);
});

test('L1: floats are written as we do beside other floats, fractions and whole ones in one row too', async () => {
  const floats = `SELECT unnest([${[...FLOATS, ...SMALL, ...SPECIAL].map((v) => `'${v}'::DOUBLE`).join(', ')}, NULL])`;
  const { ours, engines } = await bothWays(
    `SELECT a.v, chr(11) || b.v AS t, b.v AS w FROM (${floats} AS v) a, (${floats} AS v) b`,
  );
  expect(engines).toBe(ours);
  const plain = await bothWays(`SELECT a.v, b.v AS w, 1 AS i FROM (${floats} AS v) a, (${floats} AS v) b`);
  expect(plain.engines).toBe(plain.ours);
});

test('types that the engine spells in another way are left to us', async () => {
  const nested = ['[1]', "{'a': 1}", "MAP {'a': 1}", '[1]::INTEGER[1]'];
  const times = ['S', 'MS', 'NS'].map((unit) => `TIMESTAMP_${unit} '2020-01-01'`);
  for (const value of [...nested, ...times, '0.1::FLOAT', "'a'::BLOB", '0.5::DECIMAL(2,2)'])
    expect((await bothWays(`SELECT 1 AS a, ${value} AS v`)).engines).toBeUndefined();
});

test('a statement may end with a comment', async () => {
  const { ours, engines } = await bothWays('SELECT 1 AS a, 2 AS a -- twice');
  expect(engines).toBe(ours);
});
