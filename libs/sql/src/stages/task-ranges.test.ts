import type { Split } from '../splits/split.js';
import type { Stage, StageScan } from './stage.js';
import { BIGINT } from './testing/plans.js';
import { boundsOfTask, isWithin, taskSql } from './task-ranges.js';

const scan: StageScan = {
  number: 0,
  table: 't',
  columns: [
    { name: 'v', type: BIGINT },
    { name: 'k', type: BIGINT },
  ],
  share: 'own',
  bounds: [],
  ranges: { column: 1, type: BIGINT, cuts: ['9', '10', '200'] },
};
const stage = { sql: 'FROM {{scan:0}} AS t WHERE {{range:0}}', scans: [scan] } as unknown as Stage;

const holds = (key: number, index: number, tasks: number): boolean => {
  const bounds = boundsOfTask(scan, index, tasks);
  return (
    bounds !== undefined &&
    bounds.every(({ comparison, value }) => (comparison === '<' ? key < Number(value) : key >= Number(value)))
  );
};

test.each([1, 2, 3, 4, 7])('each key is of one of %d tasks, whichever scan it is from (R3)', (tasks) => {
  for (const key of [-5, 8, 9, 10, 199, 200, 5_000]) {
    const owners = Array.from({ length: tasks }, (_, index) => index).filter((index) => holds(key, index, tasks));
    expect(owners).toHaveLength(1);
  }
});

test('the condition of a task is written over the columns of its scan', () => {
  const texts = [0, 1, 3, 4].map((index) => taskSql(stage, index, 5).split('WHERE ')[1]);
  expect(texts).toEqual([
    "(t.c1 < CAST('9' AS BIGINT))",
    "(t.c1 >= CAST('9' AS BIGINT) AND t.c1 < CAST('10' AS BIGINT))",
    "(t.c1 >= CAST('200' AS BIGINT))",
    'false',
  ]);
  expect(taskSql(stage, 0, 1)).toContain('WHERE true');
  expect(taskSql(stage, 1, 4, () => true)).toContain('WHERE true');
});

test('rows of splits are within bounds only where statistics say so of every value', () => {
  const split = (min: string, max: string, isFull?: boolean) =>
    ({ ranges: { k: { min, max, isFull } } }) as unknown as Split;
  const bounds = boundsOfTask(scan, 2, 4) ?? [];
  expect(isWithin([split('10', '199', true)], scan, bounds)).toBe(true);
  expect(isWithin([split('10', '200', true)], scan, bounds)).toBe(false);
  expect(isWithin([split('9', '12', true)], scan, bounds)).toBe(false);
  expect(isWithin([split('10', '199')], scan, bounds)).toBe(false);
  expect(isWithin([], scan, bounds)).toBe(true);
});
