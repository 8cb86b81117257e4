import { effectiveLimit } from './effective-limit.js';
import { type GroupSpec, groupSpec } from './group-config.js';

const IDLE = { memoryBytes: 0, cpuUsedMs: 0 };
const CLUSTER = { activeWorkers: 3, memoryBytes: 1_000 };
const group = (options: Partial<GroupSpec>): GroupSpec =>
  groupSpec({ name: 'g', hardConcurrencyLimit: 10, maxQueued: 0, ...options });

describe('how many of a group may run', () => {
  it('is its hardConcurrencyLimit when nothing else limits it (E1)', () => {
    expect(effectiveLimit(group({}), { memoryBytes: 1e15, cpuUsedMs: 1e15 }, CLUSTER)).toEqual({
      limit: 10,
      limitedBy: 'concurrency',
    });
  });

  it.each([
    [{ kind: 'bytes', bytes: 500 } as const, 500, 10],
    [{ kind: 'bytes', bytes: 500 } as const, 501, 0],
    [{ kind: 'percent', percent: 50 } as const, 500, 10],
    [{ kind: 'percent', percent: 50 } as const, 501, 0],
    [{ kind: 'percent', percent: 12.5 } as const, 126, 0],
  ])('is none while they hold more than softMemoryLimit: %j, %i bytes (E2)', (softMemoryLimit, memoryBytes, limit) => {
    const limitedBy = limit === 0 ? 'memory' : 'concurrency';
    expect(effectiveLimit(group({ softMemoryLimit }), { ...IDLE, memoryBytes }, CLUSTER)).toEqual({ limit, limitedBy });
  });

  it.each([
    [999, 10],
    [1_000, 9], // at most hardConcurrencyLimit - 1 from softCpuLimit on
    [1_100, 9],
    [1_500, 5],
    [1_550, 4],
    [1_999, 1], // at least one below hardCpuLimit
    [2_000, 0],
    [9_000, 0],
  ])("falls with the CPU that was used, by Presto's formula: %i ms (E3)", (cpuUsedMs, limit) => {
    const spec = group({ softCpuLimitMs: 1_000, hardCpuLimitMs: 2_000, cpuQuotaMsPerSecond: 1 });
    expect(effectiveLimit(spec, { ...IDLE, cpuUsedMs }, CLUSTER).limit).toBe(limit);
  });

  it('has only the hard rule when both CPU limits are the same, and never more than hardConcurrencyLimit', () => {
    const same = group({ softCpuLimitMs: 1_000, hardCpuLimitMs: 1_000 });
    expect(effectiveLimit(same, { ...IDLE, cpuUsedMs: 999 }, CLUSTER).limit).toBe(10);
    expect(effectiveLimit(same, { ...IDLE, cpuUsedMs: 1_000 }, CLUSTER).limit).toBe(0);
    const shut = group({ hardConcurrencyLimit: 0, softCpuLimitMs: 1, hardCpuLimitMs: 1_000 });
    expect(effectiveLimit(shut, { ...IDLE, cpuUsedMs: 5 }, CLUSTER)).toEqual({ limit: 0, limitedBy: 'concurrency' });
  });

  it.each([
    [0, 5, 1],
    [3, 5, 1],
    [5, 5, 2],
    [14, 5, 3],
    [100, 5, 10],
    [3, 0, 10],
  ])('is one more than the workers are enough for: %i workers, %i each (E4)', (activeWorkers, each, limit) => {
    const spec = group({ workersPerQueryLimit: each });
    expect(effectiveLimit(spec, IDLE, { ...CLUSTER, activeWorkers }).limit).toBe(limit);
  });

  it('names what limits it most', () => {
    const spec = group({ workersPerQueryLimit: 5, softMemoryLimit: { kind: 'bytes', bytes: 1 }, hardCpuLimitMs: 1 });
    expect(effectiveLimit(spec, IDLE, CLUSTER)).toEqual({ limit: 1, limitedBy: 'workers' });
    expect(effectiveLimit(spec, { ...IDLE, cpuUsedMs: 1 }, CLUSTER)).toEqual({ limit: 0, limitedBy: 'cpu' });
    expect(effectiveLimit(spec, { memoryBytes: 2, cpuUsedMs: 1 }, CLUSTER)).toEqual({ limit: 0, limitedBy: 'memory' });
  });
});
