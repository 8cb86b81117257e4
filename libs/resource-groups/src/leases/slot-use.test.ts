// How well slots are used, in virtual time: 8 coordinators, 64 slots, 1 ms from one process to another.
import { handOverMs, slotUse, type SlotUseOptions, useBesideFrozen } from './testing/slot-use.js';

const QUERIES_MS = [200, 500, 3_000];

const longer = (queryMs: number): Partial<SlotUseOptions> =>
  queryMs < 1_000 ? {} : { warmUpSeconds: 20, seconds: 40 };

describe('slots of a group', () => {
  it.each(QUERIES_MS)('are used to 97 %% and more where all coordinators have queues of %i ms queries', (queryMs) => {
    const { use, meanWaitsMs } = slotUse({ queryMs, load: 1.2, ...longer(queryMs) });
    expect(use).toBeGreaterThan(0.985);
    expect(Math.max(...meanWaitsMs)).toBeLessThan(1.15 * Math.min(...meanWaitsMs));
  });

  it.each(QUERIES_MS)('are used to 97 %% and more where one has 10 times the load, of %i ms queries', (queryMs) => {
    const { use, meanWaitsMs } = slotUse({ queryMs, load: 1.2, skew: 10, ...longer(queryMs) });
    expect(use).toBeGreaterThan(0.985);
    expect(Math.max(...meanWaitsMs)).toBeLessThan(1.25 * Math.min(...meanWaitsMs));
  });

  it.each([
    [200, 0.5],
    [500, 0.55],
    [3_000, 0.6],
  ])('are at hand where there is room: %i ms queries, load %f', (queryMs, load) => {
    const runs = [1, 2, 3].map((seed) => slotUse({ queryMs, load, seed, ...longer(queryMs) }));
    const mean = (of: (run: (typeof runs)[number]) => number) => runs.reduce((sum, run) => sum + of(run), 0) / 3;
    expect(mean(({ startedAtOnce }) => startedAtOnce)).toBeGreaterThan(0.95);
    expect(mean(({ waitP99Ms }) => waitP99Ms)).toBeLessThan(20);
  });

  it.each([
    [8, 0.6],
    [64, 0.8],
  ])(
    'are not collected by a coordinator that stands still and whose queries are the oldest: limit %i',
    (limit, bar) => {
      for (const seed of [1, 2, 3, 4, 5]) expect(useBesideFrozen(limit, seed)).toBeGreaterThan(bar);
    },
  );

  it('go from where a query ends to where one waits within 50 ms', () => {
    const took = Array.from({ length: 30 }, (_, index) => handOverMs(index + 1)).flat();
    took.sort((a, b) => a - b);
    expect(took).toHaveLength(30 * 16);
    expect(took[Math.floor(0.99 * took.length)]).toBeLessThan(50);
  });
});
