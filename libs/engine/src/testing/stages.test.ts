// Statements in stages give what they give as they are: every rule of the cut, with values that are easily lost.
import type { CutSettings } from '@tutti/sql';
import { StageTrial } from './stage-trial.js';

/** Everything is too large to be read whole, so that every rule divides. */
const TINY = { replicatedRowsMax: 5, broadcastRowsMax: 10 };
const SETTINGS: readonly CutSettings[] = [
  { ...TINY, workers: 2, tasksPerWorker: 2, taskRows: 0, isAdaptive: true },
  { ...TINY, workers: 3, tasksPerWorker: 1, taskRows: 0, isAdaptive: false },
  { ...TINY, workers: 2, tasksPerWorker: 2, taskRows: 60, isAdaptive: true },
  { ...TINY, workers: 1, tasksPerWorker: 1, taskRows: 0, isAdaptive: true },
  { ...TINY, workers: 2, tasksPerWorker: 1, taskRows: 0, isAdaptive: true, broadcastRowsMax: 100_000 },
];

let trial: StageTrial;

beforeAll(async () => {
  trial = await StageTrial.create({
    splits: 4,
    setup: [
      `CREATE TABLE facts AS SELECT i::INTEGER AS id, CASE WHEN i % 7 <> 0 THEN (i % 40)::INTEGER END AS k,
         ['0.0', '-0.0', 'nan', '-nan', NULL, '1.5', 'infinity'][1 + i % 7]::DOUBLE AS d, (i % 90)::DECIMAL(9,2) / 4 AS price,
         'w' || (i % 13) AS word, DATE '2024-01-01' + (i % 50)::INTEGER AS day FROM range(600) t(i)`,
      `CREATE TABLE dims AS SELECT CASE WHEN i > 0 THEN i::INTEGER END AS k, 'n' || i AS name, i::BIGINT % 5 AS grp,
         ['-0.0', '0.0', 'nan', NULL, '2.5'][1 + i % 5]::DOUBLE AS d, (i / 2)::DECIMAL(12,4) AS price FROM range(45) t(i)`,
      // Nearly all rows have one key.
      `CREATE TABLE skewed AS SELECT CASE WHEN i < 280 THEN 3 ELSE i END::INTEGER AS k, i::INTEGER AS v FROM range(300) t(i)`,
      `CREATE TABLE few AS SELECT i::INTEGER AS k, 'f' || i AS name FROM range(5) t(i)`,
      // For the planner they are large: what they give is empty.
      `CREATE TABLE late AS SELECT i::INTEGER AS k, i::INTEGER AS v FROM range(200) t(i)`,
    ],
  });
});

afterAll(() => trial.close());

const STATEMENTS: Readonly<Record<string, readonly string[]>> = {
  'joins by hash or broadcast': [
    'SELECT f.id, m.name FROM facts f JOIN dims m ON f.k = m.k',
    'SELECT f.id, m.name FROM facts f LEFT JOIN dims m ON f.k = m.k AND m.grp > 1',
    'SELECT f.id, m.name FROM dims m RIGHT JOIN facts f ON f.k = m.k WHERE f.id % 3 = 0',
    'SELECT f.id, m.name FROM facts f FULL JOIN dims m ON f.k = m.k',
    'SELECT f.id, m.name FROM few m LEFT JOIN facts f ON f.k = m.k',
    'SELECT a.v, b.v FROM skewed a JOIN skewed b ON a.k = b.k WHERE b.v > 270 AND a.v % 20 = 0',
    'SELECT f.id, m.name FROM facts f JOIN dims m ON f.k < m.k AND f.id % 50 = m.grp',
    'SELECT f.id, m.name FROM facts f FULL JOIN dims m ON f.k > m.k + 35',
    'SELECT count(f.id), sum(m.k) FROM facts f CROSS JOIN few m',
  ],
  'rows of tables that are only counted': [
    'SELECT count(*) FROM facts',
    'SELECT (SELECT count(*) FROM dims), id FROM facts WHERE id < 100',
    'SELECT count(*) FROM facts, few',
    'SELECT 1 FROM facts HAVING count(*) > 10',
  ],
  'a join on NaN, zeros of both signs and NULL': [
    'SELECT f.id, m.name FROM facts f JOIN dims m ON f.d = m.d',
    'SELECT f.id, m.name FROM facts f JOIN dims m ON f.d IS NOT DISTINCT FROM m.d',
    'SELECT f.id, m.name FROM facts f FULL JOIN dims m ON f.k IS NOT DISTINCT FROM m.k',
  ],
  'keys of different types': [
    'SELECT f.id, m.name FROM facts f JOIN dims m ON f.price = m.price',
    'SELECT f.id, m.name FROM facts f JOIN dims m ON f.k = m.grp',
    'SELECT f.id, g.id FROM facts f JOIN facts g ON f.day = g.day::TIMESTAMP + INTERVAL 3 DAY WHERE f.id < 100',
  ],
  'semi and anti joins, and IN over NULLs': [
    'SELECT id FROM facts WHERE k IN (SELECT k FROM dims WHERE grp = 2)',
    'SELECT id FROM facts WHERE k NOT IN (SELECT k FROM dims WHERE grp = 2)',
    'SELECT id FROM facts WHERE k NOT IN (SELECT k FROM dims WHERE grp = 2 AND k IS NOT NULL)',
    'SELECT id, k IN (SELECT k FROM dims WHERE grp < 3) FROM facts',
    'SELECT id, k > ANY (SELECT k FROM dims WHERE grp = 4) FROM facts',
    'SELECT id, k IN (SELECT v FROM skewed s WHERE s.k = f.id) FROM facts f',
    'SELECT id FROM facts f WHERE k NOT IN (SELECT CASE WHEN v > 2 THEN v END FROM skewed s WHERE s.k = f.k)',
    'SELECT id FROM facts f WHERE EXISTS (SELECT 1 FROM dims m WHERE m.k = f.k AND m.grp <> f.id % 5)',
    'SELECT id FROM facts f WHERE NOT EXISTS (SELECT 1 FROM dims m WHERE m.k = f.k)',
    'SELECT id, EXISTS (SELECT 1 FROM skewed s WHERE s.k = f.k) FROM facts f',
  ],
  'correlated subqueries': [
    'SELECT id, (SELECT max(v) FROM skewed s WHERE s.k = f.k) FROM facts f',
    'SELECT id, (SELECT count(*) FROM skewed s WHERE s.k > f.k AND s.v < f.id) FROM facts f WHERE id < 60',
    'SELECT id FROM facts f WHERE price > (SELECT avg(price) FROM facts g WHERE g.word = f.word)',
    'SELECT id, (SELECT name FROM dims m WHERE m.k = f.k) FROM facts f',
    'SELECT id, (SELECT v FROM skewed s WHERE s.k = f.k) FROM facts f', // Fails: more than one row.
  ],
  aggregates: [
    'SELECT k, count(k), sum(price), avg(price), min(word), max(day) FROM facts GROUP BY k',
    'SELECT d, count(id), sum(id) FILTER (WHERE k > 5) FROM facts GROUP BY d',
    'SELECT count(id), sum(price), avg(d) IS NULL, min(day) FROM facts WHERE id < 0',
    'SELECT count(DISTINCT word), count(DISTINCT word) FILTER (WHERE id > 5) FROM facts',
    'SELECT k, count(DISTINCT word) FROM facts GROUP BY k',
    'SELECT k, count(DISTINCT word), sum(id), max(DISTINCT day) FROM facts GROUP BY k',
    "SELECT word, string_agg(day::VARCHAR, ',' ORDER BY id) FROM facts GROUP BY word",
    'SELECT word, count(id) FROM facts GROUP BY word HAVING count(id) > 46',
    'SELECT 1, word, count(id) FROM facts GROUP BY 1, word',
    'SELECT m.k, count(f.id), sum(f.price) FROM facts f JOIN dims m ON f.k = m.k GROUP BY m.k',
  ],
  'grouping sets': [
    'SELECT k, word, count(id), grouping(k, word) FROM facts GROUP BY ROLLUP (k, word)',
    'SELECT k, word, avg(price), grouping(k) FROM facts GROUP BY CUBE (k, word)',
    'SELECT k, word, count(id) FROM facts WHERE id < 0 GROUP BY GROUPING SETS ((k), (word), ())',
    'SELECT k, word, count(DISTINCT day) FROM facts GROUP BY GROUPING SETS ((k, word), (k))',
    'SELECT k, count(DISTINCT day), sum(id) FROM facts GROUP BY ROLLUP (k)',
  ],
  windows: [
    'SELECT id, row_number() OVER (PARTITION BY k ORDER BY id), sum(price) OVER (PARTITION BY k) FROM facts',
    'SELECT id, rank() OVER (PARTITION BY k, word ORDER BY id), count(id) OVER (PARTITION BY k) FROM facts',
    'SELECT id, lag(price) OVER (ORDER BY id) FROM facts',
    'SELECT id FROM facts QUALIFY row_number() OVER (PARTITION BY d ORDER BY id DESC) <= 2',
  ],
  'order and limits': [
    'SELECT id, word FROM facts ORDER BY word DESC, id',
    'SELECT id, d FROM facts ORDER BY d NULLS FIRST, id LIMIT 100 OFFSET 20',
    'SELECT count(x) FROM (SELECT id AS x FROM facts LIMIT 33 OFFSET 5)',
    'SELECT word || id FROM facts ORDER BY price DESC, id LIMIT 7',
    'SELECT DISTINCT ON (word) word, id FROM facts ORDER BY word, id DESC',
  ],
  'set operations and common tables': [
    'SELECT k FROM facts UNION ALL SELECT k FROM few UNION ALL SELECT 7',
    'SELECT k, d FROM facts UNION SELECT k, d FROM dims',
    'SELECT k FROM facts EXCEPT SELECT k FROM skewed',
    'SELECT k FROM facts EXCEPT ALL SELECT k FROM dims',
    'SELECT d FROM facts INTERSECT SELECT d FROM dims',
    'SELECT k FROM facts INTERSECT ALL SELECT k FROM few',
    `WITH t AS MATERIALIZED (SELECT k, count(id) AS n FROM facts GROUP BY k)
       SELECT a.k, b.n FROM t a JOIN t b ON a.k = b.k + 1 WHERE a.n >= (SELECT avg(n) FROM t)`,
    `WITH t AS MATERIALIZED (SELECT * FROM few ORDER BY k LIMIT 3) SELECT f.id, t.name FROM facts f JOIN t ON f.k = t.k
       WHERE f.k NOT IN (SELECT k FROM t WHERE k > 1)`,
  ],
  'nothing on one side': [
    'SELECT f.id, l.v FROM facts f JOIN late l ON f.k = l.k WHERE l.v > 1000',
    'SELECT f.id, l.v FROM facts f LEFT JOIN (SELECT * FROM late WHERE v > 1000) l ON f.k = l.k',
    'SELECT f.id FROM facts f WHERE f.k NOT IN (SELECT k FROM late WHERE v > 1000)',
    'SELECT l.v, f.id FROM (SELECT * FROM late WHERE v > 1000) l FULL JOIN facts f ON f.k = l.k',
    'SELECT count(l.v), sum(l.v) FROM late l WHERE v > 1000',
  ],
};

describe.each(Object.entries(STATEMENTS))('%s', (_, statements) => {
  test.each(statements)('%s', async (sql) => {
    for (const settings of SETTINGS) {
      const { difference, whole } = await trial.compare(sql, settings);
      expect({ difference, whole }).toEqual({ difference: undefined, whole: undefined });
    }
  });
});

test('statements with texts that look like placeholders run whole', async () => {
  const { whole } = await trial.compare("SELECT id FROM facts WHERE word <> '{{read:0}}'", SETTINGS[0] as CutSettings);
  expect(whole).toContain('looks like a placeholder');
});

test('the range of a finished build side leaves out splits and rows of the other side', async () => {
  const sql = 'SELECT f.id, m.name FROM facts f JOIN dims m ON f.k = m.k WHERE m.grp = 3 AND m.k < 20';
  const { stages, difference } = await trial.compare(sql, SETTINGS[0] as CutSettings);
  expect(difference).toBeUndefined();
  const bounds = stages.flatMap(({ scans }) => scans).flatMap((scan) => (scan.table === 'facts' ? scan.bounds : []));
  expect(bounds).toContainEqual(expect.objectContaining({ comparison: '>=', value: '3' }));
  expect(bounds).toContainEqual(expect.objectContaining({ comparison: '<=', value: '18' }));
});
