// Tables that lie sorted by their keys are joined and grouped where they are, and give what they give as they are: with keys of
// which rows are on both sides of a cut, and keys that are NULL.
import type { CutSettings } from '@tutti/sql';
import { StageTrial } from './stage-trial.js';

const TINY = { replicatedRowsMax: 5, broadcastRowsMax: 10 };
const SETTINGS: readonly CutSettings[] = [
  { ...TINY, workers: 2, tasksPerWorker: 2, taskRows: 0, isAdaptive: true },
  { ...TINY, workers: 3, tasksPerWorker: 1, taskRows: 0, isAdaptive: false },
  { ...TINY, workers: 2, tasksPerWorker: 2, taskRows: 1_000, isAdaptive: true },
];

let trial: StageTrial;

beforeAll(async () => {
  trial = await StageTrial.create({
    splits: 12,
    isSorted: true,
    setup: [
      `CREATE TABLE orders AS SELECT (i * 3)::INTEGER AS k, DATE '2024-01-01' + (i // 4)::INTEGER AS day, ((i // 3) / 4)::DECIMAL(9,2) AS p,
         i % 7 AS s, 'w' || (i % 11) AS word FROM range(900) t(i) ORDER BY i`,
      // Five rows or so for each order, some orders without, some keys without an order.
      `CREATE TABLE items AS SELECT CASE WHEN i % 5 = 0 THEN (i // 5) * 3 + 1 ELSE (i // 5) * 3 END::INTEGER AS k,
         DATE '2024-01-01' + (i // 20)::INTEGER AS day, ((i // 15) / 4)::DECIMAL(9,2) AS p, i % 13 AS s, i::INTEGER AS id
         FROM range(4000) t(i) ORDER BY i`,
      // Sorted as well, but some keys are NULL, so that no range has these.
      `CREATE TABLE gaps AS SELECT CASE WHEN i % 50 <> 7 THEN i END::INTEGER AS k, i::INTEGER AS v FROM range(2000) t(i) ORDER BY i`,
      // One key has nearly all rows.
      `CREATE TABLE steep AS SELECT CASE WHEN i < 1700 THEN 30 ELSE i END::INTEGER AS k, i::INTEGER AS v FROM range(2000) t(i) ORDER BY i`,
    ],
  });
});

afterAll(() => trial.close());

/** Statements that move nothing by hash under any of the settings. */
const TOGETHER: readonly string[] = [
  'SELECT o.k, i.id FROM orders o JOIN items i ON o.k = i.k',
  'SELECT o.k, i.id FROM orders o LEFT JOIN items i ON o.k = i.k AND i.s > 4',
  'SELECT o.k, o.word, i.id FROM orders o FULL JOIN items i ON o.k = i.k',
  'SELECT o.day, count(i.id) FROM orders o JOIN items i ON o.day = i.day GROUP BY o.day',
  'SELECT o.p, sum(i.id) FROM orders o JOIN items i ON o.p = i.p WHERE o.s > 1 GROUP BY ALL',
  'SELECT k, count(*), median(id) FROM items GROUP BY k',
  'SELECT DISTINCT k FROM items WHERE s > 3',
  'SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY id) FROM items',
  'SELECT o.k, word FROM orders o WHERE EXISTS (FROM items i WHERE i.k = o.k AND i.s > o.s)',
  'SELECT o.k, word FROM orders o WHERE NOT EXISTS (FROM items i WHERE i.k = o.k AND i.s <> o.s)',
  'SELECT o.k, (SELECT max(id) FROM items i WHERE i.k = o.k AND i.s <> o.s) FROM orders o WHERE o.s < 5',
  `SELECT a.id, o.word FROM orders o, items a WHERE o.k = a.k AND EXISTS (FROM items b WHERE b.k = a.k AND b.s <> a.s)
     AND NOT EXISTS (FROM items c WHERE c.k = a.k AND c.s <> a.s AND c.id % 3 = 0)`,
  'SELECT o.k, n FROM orders o JOIN (SELECT k, sum(s) AS n FROM items GROUP BY k HAVING sum(s) > 20) t ON t.k = o.k',
];

test.each(TOGETHER)('%s', async (sql) => {
  for (const settings of SETTINGS) {
    const { difference, whole, stages } = await trial.compare(sql, settings);
    expect({ difference, whole }).toEqual({ difference: undefined, whole: undefined });
    expect(stages.flatMap(({ scans }) => scans).some(({ ranges }) => ranges !== undefined)).toBe(true);
    expect(stages.flatMap(({ reads }) => reads).filter(({ share }) => share === 'partition')).toEqual([]);
  }
});

test.each([
  'SELECT g.v, o.k FROM gaps g LEFT JOIN orders o ON g.k = o.k',
  'SELECT g.v, o.k FROM gaps g JOIN orders o ON g.k IS NOT DISTINCT FROM o.k',
  'SELECT k, count(*) FROM gaps GROUP BY k',
  'SELECT a.v, b.k FROM steep a JOIN orders b ON a.k = b.k',
  'SELECT k, sum(v) FROM steep GROUP BY k',
  'SELECT k FROM items UNION ALL SELECT k FROM orders',
  'SELECT k, count(*) FROM (SELECT k FROM items UNION ALL SELECT k FROM orders) GROUP BY k',
  'SELECT k FROM items EXCEPT SELECT k FROM orders',
  'SELECT o.k, i.id FROM orders o JOIN items i ON o.k = i.s',
  `SELECT t.k, o.word FROM (SELECT k FROM items WHERE s > 2 UNION ALL SELECT v FROM gaps) t JOIN orders o ON o.k = t.k`,
  'SELECT i.k, o.word FROM items i JOIN orders o ON i.k = o.k JOIN gaps g ON g.v = o.s JOIN steep t ON t.v = g.v',
  'WITH t AS MATERIALIZED (SELECT k, sum(s) AS n FROM items GROUP BY k) SELECT a.k, b.n FROM t a JOIN t b ON a.k = b.k',
  'SELECT o.k, i.id FROM orders o JOIN items i ON o.k = i.k WHERE o.k BETWEEN 300 AND 600 AND i.k >= 450',
  'SELECT o.k FROM orders o WHERE o.k NOT IN (SELECT k FROM items WHERE s > 6)',
  'SELECT v % 7, avg(k), count(k), avg(v), count(v), count(*) FROM gaps GROUP BY 1',
  'SELECT o.s, count(i.id), avg(i.s), count(o.k) FROM orders o LEFT JOIN items i ON o.k = i.k AND i.s > 3 GROUP BY o.s',
  'SELECT i.s, count(g.k), avg(g.v), count(g.v) FROM items i LEFT JOIN gaps g ON i.id = g.v AND g.v < 900 GROUP BY i.s',
  'SELECT o.word, i.s, count(*) FROM orders o JOIN items i ON o.k = i.k GROUP BY CUBE (o.word, i.s)',
])('also with NULLs, one key nearly everywhere, and other ways of dividing beside it: %s', async (sql) => {
  for (const settings of SETTINGS) {
    const { difference, whole } = await trial.compare(sql, settings);
    expect({ difference, whole }).toEqual({ difference: undefined, whole: undefined });
  }
});

test('of columns of which no value is NULL, as statistics tell, rows are counted', async () => {
  const { stages } = await trial.compare(
    'SELECT s, avg(k), avg(p), count(id) FROM items GROUP BY s',
    SETTINGS[0] as CutSettings,
  );
  expect(stages[0]?.sql).toMatch(/count\(\*\) AS c2.*count\(\*\) AS c4.*count\(\*\) AS c5/);
  const withNulls = await trial.compare('SELECT v % 7, count(k) FROM gaps GROUP BY 1', SETTINGS[0] as CutSettings);
  expect(withNulls.stages[0]?.sql).toMatch(/count\(t\.c\d\)/);
});

test('rows that were made before are sifted, so that scans of the other side get a Bloom filter of them', async () => {
  const sql = 'SELECT o.k, word FROM orders o WHERE o.s = 2 AND EXISTS (FROM items i WHERE i.k = o.k AND i.s > 4)';
  const { stages } = await trial.compare(sql, SETTINGS[0] as CutSettings);
  expect(stages.at(-1)?.sql).toMatch(/FROM d\d+ AS t.*AS t WHERE \(t\.c0 IS NOT NULL\)\) AS r ON/);
});
