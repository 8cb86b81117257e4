import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { generate } from './generate.js';
import { TPCH_QUERIES, tpchQuery } from './queries.js';
import { parseScale } from './scale.js';
import { TABLE_NAMES, TABLES } from './schema.js';

const root = join(__dirname, '..', '..', '..');
const scratch = mkdtempSync(join(tmpdir(), 'tutti-tpch-'));
const scale = parseScale('0.01')!;
let duckdb: DuckDBInstance;
let connection: DuckDBConnection;

const rowsOf = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRowsJson();
const valueOf = async (sql: string): Promise<unknown> => (await rowsOf(sql))[0]?.[0];

beforeAll(async () => {
  const { signal } = new AbortController();
  await generate({ scale, directory: scratch, threads: 2, signal, onProgress: () => undefined });
  duckdb = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await duckdb.connect();
  for (const table of TABLE_NAMES) {
    await connection.run(`CREATE VIEW ${table} AS SELECT * FROM read_parquet('${scratch}/${table}/*.parquet')`);
  }
});

afterAll(() => {
  connection.closeSync();
  duckdb.closeSync();
  rmSync(scratch, { recursive: true });
});

test.each([
  ['region', 5],
  ['nation', 25],
  ['supplier', 100],
  ['part', 2_000],
  ['partsupp', 8_000],
  ['customer', 1_500],
  ['orders', 15_000],
] as const)('%s has %i rows at scale 0.01', async (table, rows) => {
  expect(Number(await valueOf(`SELECT count(*) FROM ${table}`))).toBe(rows);
});

test('an order has one to seven lines, four on average', async () => {
  expect(
    await rowsOf(
      `SELECT min(n), max(n), round(avg(n), 1) FROM (SELECT count(*) AS n FROM lineitem GROUP BY l_orderkey)`,
    ),
  ).toEqual([['1', '7', 4]]);
});

test.each(TABLE_NAMES)('%s has the columns of the schema, in order and with their types', async (table) => {
  const described = await rowsOf(`DESCRIBE ${table}`);
  expect(described.map(([name, type]) => ({ name, type }))).toEqual(TABLES[table]);
});

test.each(TPCH_QUERIES)('query %i finds rows with values', async (number) => {
  const rows = await rowsOf(tpchQuery(root, number, 0.01));
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row).not.toContain(null);
});

test.each([
  ['nation', 'n_regionkey', 'region', 'r_regionkey'],
  ['supplier', 's_nationkey', 'nation', 'n_nationkey'],
  ['customer', 'c_nationkey', 'nation', 'n_nationkey'],
  ['partsupp', 'ps_partkey', 'part', 'p_partkey'],
  ['partsupp', 'ps_suppkey', 'supplier', 's_suppkey'],
  ['orders', 'o_custkey', 'customer', 'c_custkey'],
  ['lineitem', 'l_orderkey', 'orders', 'o_orderkey'],
  ['lineitem', '(l_partkey, l_suppkey)', 'partsupp', '(ps_partkey, ps_suppkey)'],
])('%s.%s names rows of %s', async (from, key, to, toKey) => {
  expect(await valueOf(`SELECT count(*) FROM ${from} WHERE ${key} NOT IN (SELECT ${toKey} FROM ${to})`)).toBe('0');
});

test.each([
  ['region', 'r_regionkey'],
  ['nation', 'n_nationkey'],
  ['supplier', 's_suppkey'],
  ['part', 'p_partkey'],
  ['partsupp', '(ps_partkey, ps_suppkey)'],
  ['customer', 'c_custkey'],
  ['orders', 'o_orderkey'],
  ['lineitem', '(l_orderkey, l_linenumber)'],
])('%s has one row per %s', async (table, key) => {
  expect(await valueOf(`SELECT count(*) - count(DISTINCT ${key}) FROM ${table}`)).toBe('0');
});

test.each([
  ['an order key is one of the first 8 of 32', 'orders', 'o_orderkey % 32 < 8'],
  ['customers with a key divisible by 3 never order', 'orders', 'o_custkey % 3 <> 0'],
  ['a price follows from the part', 'part', 'p_retailprice BETWEEN 900 AND 2100'],
  ['a line ships after its order and arrives after that', 'lineitem', 'l_shipdate < l_receiptdate'],
  [
    'what arrived by mid 1995 may be returned',
    'lineitem',
    "(l_returnflag = 'N') = (l_receiptdate > DATE '1995-06-17')",
  ],
  ['what shipped by mid 1995 is finished', 'lineitem', "(l_linestatus = 'O') = (l_shipdate > DATE '1995-06-17')"],
  ['a phone number starts with the nation', 'customer', "c_phone LIKE (c_nationkey + 10) || '-___-___-____'"],
  ['a part has five different colours', 'part', "len(list_distinct(string_split(p_name, ' '))) = 5"],
  ['comments keep their length', 'orders', 'length(o_comment) BETWEEN 19 AND 78'],
])('%s', async (_, table, rule) => {
  expect(await valueOf(`SELECT count(*) FROM ${table} WHERE NOT (${rule})`)).toBe('0');
});

test('totals and states of orders agree with their lines', async () => {
  const wrong = `
    SELECT count(*) FROM orders JOIN (
      SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS total,
        string_agg(DISTINCT l_linestatus) AS states
      FROM lineitem GROUP BY l_orderkey
    ) ON l_orderkey = o_orderkey
    WHERE abs(total - o_totalprice) > 0.005 OR o_orderstatus <> CASE WHEN length(states) > 1 THEN 'P' ELSE states END`;
  expect(await valueOf(wrong)).toBe('0');
});

test('prices of lines are those of their parts', async () => {
  const wrong = `SELECT count(*) FROM lineitem JOIN part ON p_partkey = l_partkey WHERE l_extendedprice <> l_quantity * p_retailprice`;
  expect(await valueOf(wrong)).toBe('0');
});

test('about one order in a hundred is a special request', async () => {
  const share = Number(await valueOf(`SELECT avg((o_comment LIKE '%special%requests%')::INTEGER) FROM orders`));
  expect(share).toBeGreaterThan(0.005);
  expect(share).toBeLessThan(0.02);
});

test('large tables have several row groups', async () => {
  const groups = await valueOf(`SELECT max(row_group_id) + 1 FROM parquet_metadata('${scratch}/lineitem/*.parquet')`);
  expect(Number(groups)).toBeGreaterThan(3);
});

test('this version of the generator makes this data, whatever the version of the engine', async () => {
  const sums: Record<string, unknown> = {};
  for (const table of TABLE_NAMES) {
    sums[table] = await valueOf(`SELECT bit_xor(md5_number_lower(t::VARCHAR))::VARCHAR FROM ${table} AS t`);
  }
  expect(sums).toEqual({
    region: '9337469354605007803',
    nation: '6890942034900367841',
    supplier: '2526427150114668848',
    part: '10265995368883844460',
    partsupp: '4810001888974228221',
    customer: '14415023475170482617',
    orders: '3828989934875293176',
    lineitem: '14581147737424425832',
  });
});
