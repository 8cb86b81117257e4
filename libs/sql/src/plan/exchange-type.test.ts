// What goes through exchange files comes back as it was: every type, its extreme values, and all of it nested.
import { TestEngine } from '../testing/engine.js';
import { carrierType } from '../stages/carrier-type.js';
import { fromCarrier, isLossless, toCarrier } from './exchange-type.js';
import type { PlanType } from './plan.js';

/** Values that are easily lost, by type. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  BOOLEAN: ['true', 'false'],
  TINYINT: ['-128', '127'],
  SMALLINT: ['-32768', '32767'],
  INTEGER: ['-2147483648', '2147483647'],
  BIGINT: ['-9223372036854775808', '9223372036854775807'],
  HUGEINT: ['-170141183460469231731687303715884105728', '170141183460469231731687303715884105727', '0'],
  UTINYINT: ['255'],
  USMALLINT: ['65535'],
  UINTEGER: ['4294967295'],
  UBIGINT: ['18446744073709551615', '0'],
  UHUGEINT: ['340282366920938463463374607431768211455', '0'],
  FLOAT: ['nan', '-0.0', 'infinity', '-infinity', '1e-45', '3.4028235e38', '0.1'],
  DOUBLE: ['nan', '-0.0', '0.0', 'infinity', '-infinity', '5e-324', '1.7976931348623157e308', '0.1'],
  'DECIMAL(4,1)': ['-999.9'],
  'DECIMAL(9,9)': ['0.999999999'],
  'DECIMAL(18,3)': ['-999999999999999.999'],
  'DECIMAL(38,0)': ['99999999999999999999999999999999999999'],
  'DECIMAL(38,38)': ['-0.99999999999999999999999999999999999999'],
  VARCHAR: ['', 'ü €𝄞', "it''s", ' x '],
  JSON: ['{"a": [1, null]}', 'null'],
  BLOB: ['\\x00\\xFF', '', 'abc'],
  BIT: ['0', '101', '000000000000000001'],
  UUID: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  DATE: ['infinity', '-infinity', '5877642-06-25 (BC)', '5881580-07-10', '0044-03-15 (BC)'],
  TIME: ['00:00:00', '24:00:00', '23:59:59.999999'],
  TIME_NS: ['00:00:00', '23:59:59.999999999'],
  'TIME WITH TIME ZONE': ['00:00:00+15:59:59', '24:00:00-15:59:59', '12:00:00.000001+05:30'],
  TIMESTAMP: [
    'infinity',
    '-infinity',
    '290309-12-22 (BC) 00:00:00',
    '294247-01-10 04:00:54.775806',
    '1969-12-31 23:59:59.999999',
  ],
  TIMESTAMP_S: ['infinity', '1969-12-31 23:59:59', '2020-02-29 00:00:01'],
  TIMESTAMP_MS: ['-infinity', '1969-12-31 23:59:59.001'],
  TIMESTAMP_NS: ['infinity', '1677-09-22 00:00:00', '2262-04-11 23:47:16.854775806'],
  'TIMESTAMP WITH TIME ZONE': ['infinity', '-infinity', '2020-01-01 00:00:00.000001+02', '0044-03-15 (BC) 00:00:00+00'],
  INTERVAL: ['1 month 1 day -1 microsecond', '24 hours', '1 day', '-13 months 40 days -90000.000001 seconds', '0 days'],
  "ENUM('a', 'it''s', '')": ['a', "it''s", ''],
};

/** Intervals whose parts are as large as they can be. */
const WIDE_INTERVALS = [
  'to_months(2147483647) + to_days(2147483647) + to_microseconds(9223372036854775807)',
  'to_months(-2147483648) + to_days(-2147483648) + to_microseconds(-9223372036854775807)',
];

let engine: TestEngine;
let files = 0;

beforeAll(async () => {
  engine = await TestEngine.create();
});

afterAll(() => engine.close());

async function typeOf(sql: string): Promise<PlanType> {
  const decoded = await engine.plan(`SELECT CAST(NULL AS ${sql})`);
  if ('unsupported' in decoded) throw new Error(decoded.unsupported);
  const [type] = decoded.ok.types;
  if (type === undefined) throw new Error('no type');
  return type;
}

/** Writes values to a file and reads them back, as the text of the value and its type. */
async function roundTrip(typeSql: string, values: readonly string[]): Promise<{ before: unknown; after: unknown }> {
  const type = await typeOf(typeSql);
  expect(isLossless(type)).toBe(true);
  const rows = [...values, 'NULL'].map((value, index) => `SELECT ${index} AS n, CAST(${value} AS ${typeSql}) AS v`);
  await engine.run(`CREATE OR REPLACE TABLE before AS ${rows.join(' UNION ALL ')}`);
  const file = engine.file(`${++files}.parquet`);
  await engine.run(`COPY (SELECT n, ${toCarrier('v', type)} AS v FROM before) TO '${file}' (FORMAT parquet)`);
  const show = 'CAST(v AS VARCHAR), v IS NULL, typeof(v)';
  expect(await engine.types(`SELECT v FROM '${file}'`)).toEqual(
    await engine.types(`SELECT CAST(NULL AS ${carrierType(type).sql}) AS v`),
  );
  return {
    before: await engine.rows(`SELECT n, ${show} FROM before ORDER BY n`),
    after: await engine.rows(
      `SELECT n, ${show} FROM (SELECT n, ${fromCarrier('v', type)} AS v FROM '${file}') ORDER BY n`,
    ),
  };
}

const literals = (type: string): string[] => [
  ...(VALUES[type] ?? []).map((value) => `CAST('${value}' AS ${type})`),
  ...(type === 'INTERVAL' ? WIDE_INTERVALS : []),
];

describe.each(Object.keys(VALUES))('%s', (type) => {
  const values = literals(type);
  const [first] = values;
  const last = values.at(-1);

  it('comes back', async () => {
    const { before, after } = await roundTrip(type, values);
    expect(after).toEqual(before);
  });

  const nested: Readonly<Record<string, readonly [type: string, values: readonly string[]]>> = {
    'in a list': [`${type}[]`, ['[]', `[${values.join(', ')}, NULL]`, '[NULL]']],
    'in lists of lists': [`${type}[][]`, ['[]', '[[], NULL]', `[[${first}, NULL], [${values.join(', ')}]]`]],
    'in an array': [`${type}[2]`, [`[${first}, NULL]`, `[${last}, ${first}]`]],
    'in a struct': [
      `STRUCT("a ""b" ${type}, "it's" STRUCT(c ${type}))`,
      [`row(${first}, row(${last}))`, 'row(NULL, NULL)', 'row(NULL, row(NULL))'],
    ],
    'in a list of structs of lists': [
      `STRUCT(l ${type}[], x INTEGER)[]`,
      [`[{'l': [${values.join(', ')}, NULL], 'x': 1}, NULL, {'l': [], 'x': NULL}, {'l': NULL, 'x': 2}]`],
    ],
    'in a map': [
      `MAP(VARCHAR, ${type})`,
      ['MAP {}', `MAP {${values.map((value, index) => `'${index}': ${value}`).join(', ')}, 'n': NULL}`],
    ],
    'as key of a map': [`MAP(${type}, ${type}[])`, [`MAP {${first}: [${last}, NULL]}`]],
    'in a union': [
      `UNION(a ${type}, "b ""c" INTEGER)`,
      [`union_value(a := ${first})`, 'union_value("b ""c" := 7)', `union_value(a := CAST(NULL AS ${type}))`],
    ],
  };
  it.each(Object.entries(nested))('comes back %s', async (_where, [typeSql, list]) => {
    const { before, after } = await roundTrip(typeSql, list);
    expect(after).toEqual(before);
  });
});

it('a NULL without a type comes back', async () => {
  const { before, after } = await roundTrip('"NULL"', []);
  expect(after).toEqual(before);
});
