// Stages that are cut wrongly are found, and the statement that shows it is made small.
import { type TestData, writeTestData } from './data/test-data.js';
import { generateQuery } from './random/generate.js';
import { type Query, renderQuery } from './random/query-tree.js';
import { shrink } from './random/shrink.js';
import type { Comparison } from './runner/compare-rows.js';
import { DIVIDING } from './runner/configurations.js';
import { Differential } from './runner/differential.js';
import type { Tamper } from './runner/staged-engine.js';

let data: TestData;
beforeEach(async () => {
  data = await writeTestData();
});
afterEach(() => data.remove());

async function kindOf(tamper: Tamper, sql: string, comparison: Comparison = 'bag'): Promise<string | undefined> {
  const differential = await Differential.open(data, tamper);
  const { checked } = await differential.check(sql, comparison, DIVIDING.slice(-1));
  await differential.close();
  return checked[0]?.verdict.kind;
}

test.each<[string, string, Tamper]>([
  [
    'rows that every task gives instead of one',
    'SELECT a FROM dup1 UNION ALL SELECT k FROM one',
    (sql) => sql.replaceAll('{{once}}', 'true'),
  ],
  [
    'a partial count that is counted instead of summed',
    'SELECT g, count(*) FROM facts GROUP BY g',
    (sql) => sql.replaceAll(/\bsum\(/gi, 'count('),
  ],
  [
    'NULL keys that match',
    'SELECT f.id, m.name FROM facts f JOIN dims m ON f.k = m.k',
    (sql) => sql.replaceAll(/(t\.c\d+|l\.c\d+|\(?[lr]\.c\d+\)?) = /g, '$1 IS NOT DISTINCT FROM '),
  ],
])('%s', async (_, sql, tamper) => {
  expect(await kindOf((text) => text, sql)).toBe('equal');
  expect(await kindOf(tamper, sql)).toBe('wrong');
});

test('the same seed gives the same statement', () => {
  for (let seed = 1; seed <= 50; seed++)
    expect(renderQuery(generateQuery(seed))).toBe(renderQuery(generateQuery(seed)));
});

test('a failing statement loses what it does not need to fail', async () => {
  const fails = (query: Query): Promise<boolean> => Promise.resolve(/\bFULL JOIN\b/.test(renderQuery(query)));
  const failing = Array.from({ length: 500 }, (_, seed) => generateQuery(seed)).find(
    (query) => query.where.length > 0 && query.items.length > 2 && /\bFULL JOIN\b/.test(renderQuery(query)),
  );
  if (failing === undefined) throw new Error('no random statement has a full join');
  const small = await shrink(failing, 500, fails);
  expect(await fails(small)).toBe(true);
  expect(small.where).toEqual([]);
  expect(small.items).toHaveLength(1);
  expect(renderQuery(small).length).toBeLessThan(renderQuery(failing).length);
});
