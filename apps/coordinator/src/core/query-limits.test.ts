import { groupSpec, type PerQueryLimits } from '@tutti/resource-groups';
import { boundsIn, cpuExceeded, limitsOf, memoryLimitOrigin, timeExceeded } from './query-limits.js';

const nothing = { executionMs: undefined, cpuMs: undefined, memoryBytes: undefined };
const group = (perQueryLimits: PerQueryLimits = {}, queryPriority = { min: 1, max: 1e9 }) =>
  groupSpec({ name: 'etl', hardConcurrencyLimit: 1, maxQueued: 1, perQueryLimits, queryPriority });

describe('what a query may use', () => {
  test('with nothing said it is the time of the coordinator alone', () => {
    expect(limitsOf(nothing, 60_000)).toEqual({
      execution: { most: 60_000, origin: 'query.maxExecutionTime of the coordinator' },
      cpu: undefined,
      memory: undefined,
    });
  });

  test.each([
    ['the request', 1_000, 5_000, 1_000, 'time_limit of the request'],
    ['its group', 9_000, 5_000, 5_000, 'perQueryLimits.executionTimeLimit of group "global.etl"'],
    ['the coordinator', 90_000, 70_000, 60_000, 'query.maxExecutionTime of the coordinator'],
    ['the first that says it', 5_000, 5_000, 5_000, 'time_limit of the request'],
  ])('the least counts: of %s', (_who, asked, grouped, most, origin) => {
    const limits = limitsOf({ ...nothing, executionMs: asked }, 60_000);
    const bounds = boundsIn('global.etl', group({ executionTimeLimitMs: grouped }), { priority: 1, limits });
    expect(bounds.limits.execution).toEqual({ most, origin });
  });

  test('CPU and memory have no limit until somebody sets one', () => {
    const limits = limitsOf({ ...nothing, cpuMs: 2_000 }, 60_000);
    const spec = group({ cpuTimeLimitMs: 1_500, totalMemoryLimitBytes: 1 << 30 });
    expect(boundsIn('etl', spec, { priority: 1, limits }).limits).toMatchObject({
      cpu: { most: 1_500, origin: 'perQueryLimits.cpuTimeLimit of group "etl"' },
      memory: { most: 1 << 30, origin: 'perQueryLimits.totalMemoryLimit of group "etl"' },
    });
  });

  test.each([
    [1, 5],
    [7, 7],
    [1_000, 10],
  ])('a priority of %d becomes %d in a group that goes from 5 to 10', (priority, kept) => {
    const asked = { priority, limits: limitsOf(nothing, 60_000) };
    expect(boundsIn('etl', group({}, { min: 5, max: 10 }), asked).priority).toBe(kept);
  });
});

describe('who runs into a limit hears which one it was', () => {
  const limit = { most: 1_500, origin: 'perQueryLimits.cpuTimeLimit of group "etl"' };

  test('of time and CPU', () => {
    expect(timeExceeded({ most: 1, origin: 'time_limit of the request' })).toBe(
      'The query exceeded its time limit of 1.00ms, counted from its admission (time_limit of the request). ' +
        'Narrow it, or raise the limit.',
    );
    expect(cpuExceeded(2_000, limit)).toBe(
      'The query used 2.00s of CPU, its limit is 1.50s (perQueryLimits.cpuTimeLimit of group "etl"). ' +
        'Narrow it, or raise the limit.',
    );
  });

  test.each([
    ['no limit of its own', undefined, 100, 'The limit is task.memoryLimit of the worker w1.'],
    ['less than the worker gives', { most: 50, origin: 'X' }, 100, 'The limit is X.'],
    ['more than the worker gives', { most: 200, origin: 'X' }, 100, 'The limit is task.memoryLimit of the worker w1.'],
    ['a limit, on a worker that has not reported', { most: 200, origin: 'X' }, 0, 'The limit is X.'],
  ])('of memory, with %s', (_what, memory, taskBytes, text) => {
    expect(memoryLimitOrigin(memory, { nodeId: 'w1', taskBytes })).toBe(text);
  });
});
