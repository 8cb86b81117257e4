import { instant } from '@tutti/base';
import { STALL_MS, StallCheck } from './stall-check.js';

describe('telling a machine that stood still', () => {
  const WALL_MS = 1_700_000_000_000;
  let check: StallCheck;
  beforeEach(() => {
    check = new StallCheck();
    check.hasStalled(instant(100), WALL_MS);
  });

  test('L1: clocks that go on together are no stall, however long nobody looked', () => {
    expect(check.hasStalled(instant(100), WALL_MS)).toBe(false);
    expect(check.hasStalled(instant(3_600_100), WALL_MS + 3_600_000)).toBe(false);
    expect(check.hasStalled(instant(3_600_200), WALL_MS + 3_600_100 + STALL_MS)).toBe(false);
  });

  test('a wall clock that went on alone is one, and only once', () => {
    expect(check.hasStalled(instant(101), WALL_MS + STALL_MS + 2)).toBe(true);
    expect(check.hasStalled(instant(102), WALL_MS + STALL_MS + 3)).toBe(false);
  });

  test('L2: a wall clock that is set back is none', () => {
    expect(check.hasStalled(instant(200), WALL_MS - 3_600_000)).toBe(false);
    expect(check.hasStalled(instant(300), WALL_MS - 3_599_900)).toBe(false);
  });

  test('L3: what drifts apart slowly never adds up', () => {
    for (let second = 1; second <= 60; second++)
      expect(check.hasStalled(instant(100 + second * 1_000), WALL_MS + second * 1_010)).toBe(false);
  });
});
