import { partitionsForRows, tasksForPartitions, tasksForRows } from './task-count.js';

const settings = { workers: 3, tasksPerWorker: 4, taskRows: 1_000 };

test.each([
  [0, 3],
  [3_000, 3],
  [3_001, 6],
  [9_000, 9],
  [1_000_000, 12],
])('%d rows are divided among %d tasks: one per worker, more where these are long', (rows, tasks) => {
  expect(tasksForRows(rows, settings)).toBe(tasks);
});

test('without a limit for a task there are always as many as there may be', () => {
  const always = { ...settings, taskRows: 0 };
  expect([tasksForRows(1, always), partitionsForRows(1, always), tasksForPartitions(1, [12, 12], always)]).toEqual([
    12, 12, 12,
  ]);
});

test('tasks divide the partitions of all inputs, however many rows were expected of each (N1)', () => {
  for (const rows of [0, 2_999, 3_000, 3_001, 50_000])
    for (const left of [0, 3_000, 3_001])
      for (const right of [10, 100_000]) {
        const partitions = [partitionsForRows(left, settings), partitionsForRows(right, settings)];
        const tasks = tasksForPartitions(rows, partitions, settings);
        for (const count of partitions) expect(count % tasks).toBe(0);
      }
});
