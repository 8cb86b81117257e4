import * as fc from 'fast-check';
import {
  formatDuration,
  formatSize,
  instant,
  newQueryIdSuffix,
  parseDurationMs,
  parseSizeBytes,
  QueryIdGenerator,
  queryIdSuffixOf,
  seededRandom,
  sleep,
  taskId,
  untilTick,
} from './index.js';
import { FakeClock } from './testing/index.js';

describe('quantities', () => {
  it.each([
    ['500ms', 500],
    ['1s', 1000],
    [' 1.5 m ', 90_000],
    ['2h', 7_200_000],
    ['soon', undefined],
    ['5', undefined],
    ['5 parsec', undefined],
    ['-1s', undefined],
    ['1 constructor', undefined],
  ])('reads the duration %j as %j ms', (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  it.each([
    ['512MB', 512 * 2 ** 20],
    ['4GiB', 4 * 2 ** 30],
    ['1kB', 1024],
    ['100B', 100],
    ['big', undefined],
  ])('reads the size %j as %j bytes', (text, bytes) => expect(parseSizeBytes(text)).toBe(bytes));

  it('writes what people read', () => {
    expect([0, 12.5, 1500, 90_000].map(formatDuration)).toEqual(['0.00ms', '12.50ms', '1.50s', '1.50m']);
    expect([0, 1023, 1536, 3 * 2 ** 30].map(formatSize)).toEqual(['0B', '1023B', '1.50kB', '3.00GB']);
  });
});

describe('ids', () => {
  it('makes query ids that sort by time and name their coordinator', () => {
    const ids = new QueryIdGenerator('k3x9q');
    const first = ids.next(Date.UTC(2026, 10, 22, 15, 12, 0));
    const second = ids.next(Date.UTC(2026, 10, 22, 15, 12, 0));
    const tomorrow = ids.next(Date.UTC(2026, 10, 23, 0, 0, 1));
    expect([first, second, tomorrow]).toEqual([
      '20261122_151200_00000_k3x9q',
      '20261122_151200_00001_k3x9q',
      '20261123_000001_00000_k3x9q',
    ]);
    expect(queryIdSuffixOf(first)).toBe('k3x9q');
    expect(queryIdSuffixOf('nonsense')).toBeUndefined();
    expect(taskId(first, 0, 1)).toBe('20261122_151200_00000_k3x9q.0.1');
  });

  it('gives the same suffix for the same seed, and one that a query id accepts', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const suffix = newQueryIdSuffix(seededRandom(seed));
        expect(newQueryIdSuffix(seededRandom(seed))).toBe(suffix);
        expect(queryIdSuffixOf(new QueryIdGenerator(suffix).next(0))).toBe(suffix);
      }),
    );
  });
});

describe('sleep', () => {
  it('ends when its time has come, and not before', async () => {
    const clock = new FakeClock();
    let over = false;
    void sleep(clock, 100).then(() => (over = true));
    await clock.advance(99);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
  });

  it('ends at once when its signal aborts', async () => {
    const stop = new AbortController();
    const slept = sleep(new FakeClock(), 1e9, stop.signal);
    stop.abort();
    await slept;
    await sleep(new FakeClock(), 1e9, stop.signal);
  });
});

describe('ticks', () => {
  it('are the same for all loops of a node, and come at most one interval and a tenth later', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.string(), (now, node) => {
        const left = untilTick(instant(now), 1_000, node);
        expect(left).toBeGreaterThanOrEqual(100);
        expect(left).toBeLessThanOrEqual(1_100);
        const laterMs = left / 2 >= 100 ? left / 2 : 0;
        const tick = now + left;
        expect(instant(now + laterMs) + untilTick(instant(now + laterMs), 1_000, node)).toBeCloseTo(tick, 3);
      }),
    );
  });

  it('of different nodes are at different times', () => {
    const ticks = Array.from({ length: 100 }, (_, index) =>
      Math.round(untilTick(instant(0), 1_000, `worker-${index}`)),
    );
    expect(new Set(ticks).size).toBeGreaterThan(80);
  });
});
