import { FooterCache } from './footer-cache.js';
import { joinRuns, type RowRun } from './row-runs.js';

const COLUMNS = [
  { name: 'x', type: 'INTEGER' },
  { name: 'y', type: 'DATE' },
];

const file = (path: string, mtimeMs = 1) => ({ path, bytes: 1_000, mtimeMs });

/** Row groups of 10 rows; of each the column x is known. */
const runs = (count: number): RowRun[] =>
  Array.from({ length: count }, (_, i) => ({
    firstRow: i * 10,
    rows: 10,
    bytes: 100,
    ranges: { x: { min: `${i * 10}`, max: `${i * 10 + 9}` } },
  }));

test('neighbours are joined until they have enough rows, with the statistics of both', () => {
  expect(joinRuns(runs(5), 20, COLUMNS)).toEqual([
    { firstRow: 0, rows: 20, bytes: 200, ranges: { x: { min: '0', max: '19' } } },
    { firstRow: 20, rows: 20, bytes: 200, ranges: { x: { min: '20', max: '39' } } },
    { firstRow: 40, rows: 10, bytes: 100, ranges: { x: { min: '40', max: '49' } } },
  ]);
  expect(joinRuns(runs(3), 1, COLUMNS)).toEqual(runs(3));
});

test('where one of them does not say its values, nothing is said of both', () => {
  const [first, second] = runs(2) as [RowRun, RowRun];
  const day = { y: { min: '2020-01-01', max: '2020-01-02' } };
  const joined = joinRuns([{ ...first, ranges: { ...first.ranges, ...day } }, second], 20, COLUMNS);
  expect(joined).toEqual([{ firstRow: 0, rows: 20, bytes: 200, ranges: { x: { min: '0', max: '19' } } }]);
});

test('F1: of a file that has changed nothing is known', () => {
  const cache = new FooterCache();
  cache.set(file('/a'), runs(2));
  expect(cache.get(file('/a'))).toEqual(runs(2));
  expect(cache.get(file('/a', 2))).toBeUndefined();
  cache.set(file('/a', 2), runs(1));
  expect(cache.get(file('/a'))).toBeUndefined();
  expect(cache.size).toBe(2);
});

test('F2: what earlier plannings asked for goes first', () => {
  const cache = new FooterCache(8);
  cache.set(file('/a'), runs(2));
  cache.set(file('/b'), runs(2));
  cache.nextPlanning();
  cache.get(file('/a'));
  cache.set(file('/c'), runs(2));
  expect(['/a', '/b', '/c'].map((path) => cache.get(file(path))?.length)).toEqual([2, undefined, 2]);
  expect(cache.size).toBe(8);
});

test('F2: a table with more row groups than are kept has whole files instead', () => {
  const cache = new FooterCache(10);
  for (const path of ['/a', '/b', '/c']) cache.set(file(path), runs(4));
  expect(['/a', '/b', '/c'].map((path) => cache.get(file(path))?.length)).toEqual([4, 1, 1]);
  expect(cache.get(file('/b'))).toEqual([{ firstRow: 0, rows: 40, bytes: 400, ranges: {} }]);
  expect(cache.size).toBe(10);
});
