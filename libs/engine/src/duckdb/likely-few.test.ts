import { openInstance } from './open-instance.js';
import { QueryGate } from './query-gate.js';

let gate: QueryGate;

beforeAll(async () => {
  gate = await QueryGate.open(await (await openInstance()).connect());
});
afterAll(() => gate.close());

const isLikelyFew = async (sql: string): Promise<boolean | undefined> => {
  const outcome = await gate.inspect(sql, []);
  return 'ok' in outcome ? outcome.ok.isLikelyFew : undefined;
};

test.each([
  ['looks up a number', 'SELECT * FROM orders WHERE o_orderkey = 33'],
  ['looks up a text, among other conditions', "SELECT a + 1 FROM c.s.t x WHERE x.d > 3 AND 'k' = x.k"],
  ['looks up a date', "SELECT * FROM t WHERE d = DATE '2024-01-01'"],
  ['has a small limit', 'SELECT a, count(*) FROM t JOIN u USING (k) GROUP BY a ORDER BY 2 LIMIT 10'],
])('a statement that %s is likely to have few rows', async (_, sql) => {
  expect(await isLikelyFew(sql)).toBe(true);
});

test.each([
  ['reads everything', 'SELECT * FROM t'],
  ['has a large limit', 'SELECT * FROM t LIMIT 100000'],
  ['has a limit that is computed', 'SELECT * FROM t LIMIT 1 + 1'],
  ['looks up one value or another', 'SELECT * FROM t WHERE a = 1 OR b = 2'],
  ['compares columns', 'SELECT * FROM t WHERE a = b'],
  ['joins', 'SELECT * FROM t JOIN u USING (k) WHERE k = 1'],
  ['sorts', 'SELECT * FROM t WHERE a = 1 ORDER BY b'],
  ['groups', 'SELECT b FROM t WHERE a = 1 GROUP BY b'],
  ['has a window', 'SELECT row_number() OVER () FROM t WHERE a = 1'],
  ['has a subquery', 'SELECT * FROM t WHERE a = 1 AND b IN (SELECT c FROM u)'],
  ['has a WITH', 'WITH u AS (SELECT 1) SELECT * FROM t WHERE a = 1'],
  ['is a union', 'SELECT * FROM t WHERE a = 1 UNION ALL SELECT * FROM t'],
])('of a statement that %s nobody knows', async (_, sql) => {
  expect(await isLikelyFew(sql)).toBe(false);
});
