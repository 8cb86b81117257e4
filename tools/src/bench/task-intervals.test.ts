import { firstTimeOf, limitUse, type TaskInterval, TaskIntervals } from './task-intervals.js';

const task = (queryId: string, startMs: number, endMs: number): TaskInterval => ({
  ...{ queryId, startMs, endMs },
  ...{ resourceGroup: 'g', coordinatorId: 'c' },
});

const at = (ms: number) => new Date(ms).toISOString();

describe('when tasks ran', () => {
  it('is read from the logs of workers: from the start until the executor is free again', () => {
    const tasks = new TaskIntervals();
    const about = { taskId: 't1', queryId: 'q1', resourceGroup: 'g', coordinatorId: 'c' };
    tasks.take({ time: at(10), event: 'task-started', ...about });
    tasks.take({ time: at(15), event: 'task-ended', taskId: 't1', outcome: 'userCanceled' });
    expect(tasks.of('g', 0)).toEqual([{ ...task('q1', 10, Infinity) }]);
    tasks.take({ time: at(20), event: 'task-released', taskId: 't1' });
    tasks.take({ time: at(20), event: 'task-released', taskId: 'one before the first line' });
    expect(tasks.of('g', 0)).toEqual([{ ...task('q1', 10, 20) }]);
    expect(tasks.of('g', 20)).toEqual([]);
    expect(tasks.of('other', 0)).toEqual([]);
  });
});

describe('how a limit was kept', () => {
  it('counts what ran at one moment, and for how long it was too much', () => {
    const tasks = [task('a', 0, 100), task('b', 10, 50), task('c', 20, 30), task('d', 40, 100)];
    expect(limitUse(tasks, 2, 100)).toEqual({ peak: 3, overMs: 20, use: 1.05 });
    expect(limitUse(tasks, 3, 100)).toMatchObject({ peak: 3, overMs: 0 });
  });

  it('lets a slot go from one query to the next in the same millisecond', () => {
    expect(limitUse([task('a', 0, 10), task('b', 10, 20)], 1, 20)).toEqual({ peak: 1, overMs: 0, use: 1 });
  });

  it('counts a query with two tasks once, and takes what still runs to end now', () => {
    expect(limitUse([task('a', 0, 10), task('a', 5, Infinity)], 1, 20)).toEqual({ peak: 1, overMs: 0, use: 1 });
  });

  it('is 0 when nothing ran', () => {
    expect(limitUse([], 4, 100)).toEqual({ peak: 0, overMs: 0, use: 0 });
  });
});

describe('the first time of so many queries', () => {
  const tasks = [task('a', 0, 100), task('b', 10, 50), task('c', 60, 90)];

  it('is when the last of them starts', () => {
    expect(firstTimeOf(2, tasks, 0)).toBe(10);
    expect(firstTimeOf(2, tasks, 50)).toBe(60);
    expect(firstTimeOf(3, tasks, 0)).toBeUndefined();
  });

  it('is the asked time when they run already', () => {
    expect(firstTimeOf(2, tasks, 20)).toBe(20);
    expect(firstTimeOf(1, tasks, 99)).toBe(99);
  });
});
