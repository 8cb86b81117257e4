import { type GroupStanding, groupStateOf } from './group-state.js';

const NO_LIMITS = { softCpuLimitMs: undefined, hardCpuLimitMs: undefined, workersPerQueryLimit: 0 };

const state = ({ spec, ...group }: Partial<Omit<GroupStanding, 'spec'>> & { spec?: Partial<GroupStanding['spec']> }) =>
  groupStateOf({
    ...{ running: 0, queued: 0, memoryBytes: 0, cpuUsedMs: 0, activeWorkers: 3 },
    ...{ hardConcurrencyLimit: 4, maxQueued: 2, softMemoryLimitBytes: undefined },
    ...group,
    spec: { ...NO_LIMITS, ...spec },
  });

describe('the state of a group', () => {
  it('RG-16: it runs up to its hardConcurrencyLimit, then queues up to maxQueued, then is full', () => {
    expect(state({ running: 3, queued: 9 })).toBe('CAN_RUN');
    expect(state({ running: 4, queued: 1 })).toBe('CAN_QUEUE');
    expect(state({ running: 4, queued: 2 })).toBe('FULL');
    expect(state({ hardConcurrencyLimit: 0 })).toBe('CAN_QUEUE');
  });

  it('RG-5: it may hold all its softMemoryLimit, and more keeps what comes waiting', () => {
    expect(state({ memoryBytes: 10, softMemoryLimitBytes: 10 })).toBe('CAN_RUN');
    expect(state({ memoryBytes: 11, softMemoryLimitBytes: 10 })).toBe('CAN_QUEUE');
  });

  it('RG-6, RG-7: CPU above the soft limit lets fewer run, at least one; from the hard limit on nothing starts', () => {
    const spec = { softCpuLimitMs: 1_000, hardCpuLimitMs: 2_000 };
    const runsUpTo = (cpuUsedMs: number) =>
      [0, 1, 2, 3, 4].filter((running) => state({ running, cpuUsedMs, spec }) === 'CAN_RUN').length;
    expect([999, 1_000, 1_250, 1_500, 1_999, 2_000].map(runsUpTo)).toEqual([4, 3, 3, 2, 1, 0]);
    expect(state({ cpuUsedMs: 1_500, hardConcurrencyLimit: 0, spec })).toBe('CAN_QUEUE');
    const same = { softCpuLimitMs: 1_000, hardCpuLimitMs: 1_000 };
    expect(state({ running: 3, cpuUsedMs: 999, spec: same })).toBe('CAN_RUN');
    expect(state({ cpuUsedMs: 1_000, spec: same })).toBe('CAN_QUEUE');
    expect(state({ running: 3, cpuUsedMs: 1_999, spec: { hardCpuLimitMs: 2_000 } })).toBe('CAN_RUN');
  });

  it('RG-8: a query starts while the running ones times workersPerQueryLimit are at most the active workers', () => {
    const spec = { workersPerQueryLimit: 5 };
    expect(state({ running: 0, activeWorkers: 3, spec })).toBe('CAN_RUN');
    expect(state({ running: 1, activeWorkers: 3, spec })).toBe('CAN_QUEUE');
    expect(state({ running: 1, activeWorkers: 5, spec })).toBe('CAN_RUN');
  });
});
