import { instant } from '@tutti/base';
import { RefreshPace } from './refresh-pace.js';

const usage = (running: number, queued: number) => ({
  groups: new Map([['global', { running, queued, claimsAhead: [] }]]),
});

describe('how often a coordinator asks while a query waits', () => {
  it('often while things move here or elsewhere (P1)', () => {
    const pace = new RefreshPace(25);
    pace.moved(instant(1_000));
    expect(pace.delayMs(instant(1_000))).toBe(25);
    expect(pace.delayMs(instant(1_500))).toBe(25);
    pace.heard(usage(2, 1), instant(1_500));
    expect(pace.delayMs(instant(2_000))).toBe(25);
    pace.heard(usage(2, 0), instant(2_000));
    expect(pace.delayMs(instant(2_500))).toBe(25);
  });

  it('less and less often when nothing moves, but ten times a second at last (P2)', () => {
    const pace = new RefreshPace(25);
    pace.heard(usage(2, 1), instant(1_000));
    pace.heard(usage(2, 1), instant(2_000));
    expect(pace.delayMs(instant(2_000))).toBe(50);
    expect(pace.delayMs(instant(3_000))).toBe(100);
    expect(pace.delayMs(instant(100_000))).toBe(100);
    expect(new RefreshPace(25).delayMs(instant(0))).toBe(100);
  });

  it('never more often than it is told to', () => {
    const pace = new RefreshPace(300);
    pace.moved(instant(1_000));
    expect([1_000, 2_000, 100_000].map((at) => pace.delayMs(instant(at)))).toEqual([300, 300, 300]);
  });
});
