// Statements of which few rows are moved run in few stages, and give what they give as they are.
import type { CutSettings } from '@tutti/sql';
import { StageTrial } from './stage-trial.js';

const SETTINGS: CutSettings = {
  workers: 2,
  tasksPerWorker: 2,
  taskRows: 5_000,
  replicatedRowsMax: 100,
  broadcastRowsMax: 1_000,
  isAdaptive: true,
};

let trial: StageTrial;

beforeAll(async () => {
  trial = await StageTrial.create({
    splits: 4,
    setup: [
      `CREATE TABLE facts AS SELECT i::INTEGER AS id, CASE WHEN i % 7 <> 0 THEN (i % 400)::INTEGER END AS k,
         (i % 90)::DECIMAL(9,2) * 0.25 AS price, i / 7 AS weight, 'w' || (i % 13) AS word FROM range(6000) t(i)`,
      `CREATE TABLE dims AS SELECT i::INTEGER AS k, 'n' || i AS name, i::INTEGER % 50 AS grp FROM range(500) t(i)`,
      // Every key twice, and some that no other table has.
      `CREATE TABLE wide AS SELECT CASE WHEN i % 9 <> 0 THEN (i // 2)::INTEGER END AS k, i::INTEGER % 50 AS grp,
         'x' || (i % 40) AS name FROM range(1200) t(i)`,
      `CREATE TABLE few AS SELECT i::INTEGER AS k, 'f' || i AS name FROM range(50) t(i)`,
    ],
  });
});

afterAll(() => trial.close());

const STATEMENTS: readonly (readonly [what: string, sql: string, stages: readonly string[]])[] = [
  [
    'an average that is exact is made of its parts wherever it is wanted',
    'SELECT id FROM facts WHERE price > (SELECT avg(price) FROM facts WHERE id % 3 = 0)',
    ['7-partial x2 partial aggregate', 'final x2 project'],
  ],
  [
    'one that is not is made once',
    'SELECT id FROM facts WHERE weight > (SELECT avg(weight) FROM facts WHERE id % 3 = 0)',
    ['7-partial x2 partial aggregate', '1-right x1 project', 'final x2 project'],
  ],
  [
    'few rows of an outer side are put together with the answers by one task',
    `SELECT count(f.id) FROM facts f JOIN dims m ON f.k = m.k
       WHERE m.grp = 7 AND f.price < (SELECT 0.2 * avg(price) FROM facts g WHERE g.k = m.k)`,
    ['3-outer x2 inner join', '10-partial x2 partial aggregate', 'final x1 project'],
  ],
  [
    'many of them are not',
    `SELECT count(f.id) FROM facts f JOIN dims m ON f.k = m.k
       WHERE m.grp <> 7 AND f.price < (SELECT 0.2 * avg(price) FROM facts g WHERE g.k = m.k)`,
    [
      '3-outer x2 inner join',
      '12-right x2 distinct values',
      '10-partial x2 partial aggregate',
      '1-partial x2 partial aggregate',
      'final x1 project',
    ],
  ],
  [
    'rows that are counted by what they are joined by are counted before they move',
    'SELECT m.k, count(f.id) FROM wide m LEFT JOIN facts f ON f.k = m.k AND f.id % 3 = 1 GROUP BY m.k',
    ['2-left x2 partial aggregate', '1-partial x2 project', 'final x2 project'],
  ],
  [
    'not where columns of both sides are summed up',
    'SELECT m.k, count(f.id), max(m.grp) FROM wide m LEFT JOIN facts f ON f.k = m.k GROUP BY m.k',
    ['2-left x2 project', '2-right x2 project', 'final x2 project'],
  ],
];

test.each(STATEMENTS)('%s', async (_, sql, expected) => {
  const { difference, whole, stages } = await trial.compare(sql, SETTINGS);
  expect({ difference, whole }).toEqual({ difference: undefined, whole: undefined });
  expect(stages.map(({ id, tasks, operators }) => `${id} x${tasks} ${operators.at(-1)}`)).toEqual(expected);
});

test.each([
  'SELECT m.k, count(f.id), sum(f.price), avg(f.price), min(f.word), max(f.id), avg(f.weight) FROM wide m LEFT JOIN facts f ON f.k = m.k GROUP BY m.k',
  'SELECT m.k, m.grp, m.name, count(f.id) FROM wide m LEFT JOIN facts f ON f.k = m.k AND f.id % 5 = 2 GROUP BY ALL',
  'SELECT f.k, count(m.grp), sum(m.grp) FROM wide m RIGHT JOIN facts f ON f.k = m.k GROUP BY f.k',
  'SELECT m.k, count(f.id), bool_or(f.id % 2 = 0) FROM wide m RIGHT JOIN facts f ON f.k = m.k GROUP BY m.k',
  'SELECT m.k, m.grp, sum(f.id), bit_and(f.id), bit_or(f.id) FROM wide m JOIN facts f ON f.k = m.k GROUP BY m.k, m.grp',
  'SELECT m.k, count(*), count(f.word) FROM wide m LEFT JOIN facts f ON f.k = m.k GROUP BY m.k',
  'SELECT m.k, count(DISTINCT f.word) FROM wide m LEFT JOIN facts f ON f.k = m.k GROUP BY m.k',
  'SELECT m.k, count(f.id) FILTER (WHERE f.id > 7) FROM wide m LEFT JOIN facts f ON f.k = m.k GROUP BY m.k',
  'SELECT m.k, count(coalesce(f.id, 1)) FROM wide m LEFT JOIN facts f ON f.k = m.k GROUP BY m.k',
  'SELECT m.k, count(f.id) FROM wide m LEFT JOIN facts f ON f.k = m.k AND f.id > m.grp GROUP BY m.k',
  'SELECT m.k, m.grp, count(f.id) FROM wide m LEFT JOIN facts f ON f.k = m.k GROUP BY ROLLUP (m.k, m.grp)',
  'SELECT m.name, count(f.id) FROM wide m LEFT JOIN facts f ON f.k = m.k GROUP BY m.name',
  'SELECT m.k, m.grp, count(f.id) FROM wide m LEFT JOIN facts f ON f.k = m.k AND f.id % 50 = m.grp GROUP BY m.k, m.grp',
  'SELECT m.k, count(f.id) FROM wide m FULL JOIN facts f ON f.k = m.k GROUP BY m.k',
])('with keys that come several times, are NULL or on one side only: %s', async (sql) => {
  for (const broadcastRowsMax of [10, 1_000, 100_000])
    for (const isAdaptive of [true, false]) {
      const { difference, whole } = await trial.compare(sql, { ...SETTINGS, broadcastRowsMax, isAdaptive });
      expect({ difference, whole }).toEqual({ difference: undefined, whole: undefined });
    }
});
