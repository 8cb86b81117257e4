import { QueryUsage } from './query-usage.js';

const use = (cpuMs: number, memoryBytes: number, peakMemoryBytes = memoryBytes, spilledBytes = 0) => ({
  ...{ rows: 0, cpuMs, memoryBytes, peakMemoryBytes, spilledBytes, elapsedMs: 0 },
});

test('tasks count together; what those that are over used counts on, their memory does not', () => {
  const usage = new QueryUsage();
  usage.heard('a', use(100, 10));
  usage.heard('b', use(50, 20, 30, 5));
  expect(usage.total()).toEqual({ cpuMs: 150, memoryBytes: 30, peakMemoryBytes: 40, spilledBytes: 5 });
  usage.ended('a');
  usage.heard('b', use(40, 1)); // Older figures that come late take no CPU time back.
  expect(usage.total()).toEqual({ cpuMs: 150, memoryBytes: 1, peakMemoryBytes: 40, spilledBytes: 5 });
});
