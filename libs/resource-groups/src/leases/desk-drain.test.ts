import { instant } from '@tutti/base';
import { DeskDrain } from './desk-drain.js';

describe('a desk that drains', () => {
  const shards = { busy: [6], idle: [3, 5] };
  const nowhere = () => false;
  const elsewhere = () => true;
  const begin = (what = shards) => new DeskDrain(instant(1_000), what);

  test('E2: keeps what nobody uses until what is used has been with others for a while', () => {
    const drain = begin();
    expect(drain.mayGiveIdle(nowhere, instant(1_000))).toEqual([]);
    expect(drain.mayGiveIdle(elsewhere, instant(1_020))).toEqual([]);
    expect(drain.wakeAt()).toBe(1_120);
    expect(drain.mayGiveIdle(elsewhere, instant(1_119))).toEqual([]);
    expect(drain.mayGiveIdle(elsewhere, instant(1_120))).toEqual([3, 5]);
    expect(drain.mayGiveIdle(elsewhere, instant(1_121))).toEqual([]);
  });

  test('E2: and not for ever when nobody takes what is used', () => {
    const drain = begin();
    expect(drain.mayGiveIdle(nowhere, instant(1_399))).toEqual([]);
    expect(drain.wakeAt()).toBe(1_400);
    expect(drain.mayGiveIdle(nowhere, instant(1_400))).toEqual([3, 5]);
  });

  test.each([
    { busy: [6], idle: [] },
    { busy: [], idle: [3] },
  ])('E2: gives all at once where there is nothing to wait for: %j', (what) => {
    const drain = begin(what);
    expect(drain.mayGiveIdle(nowhere, instant(1_000))).toEqual(what.idle);
    expect(drain.mustLeave(true, instant(1_000))).toBe(true);
  });

  test('E3: gives up what is left when the time is over', () => {
    const drain = begin();
    expect(drain.mustLeave(true, instant(1_000))).toBe(false); // The idle shards have not been given.
    drain.mayGiveIdle(nowhere, instant(1_400));
    expect(drain.mustLeave(false, instant(1_799))).toBe(false);
    expect(drain.mustLeave(false, instant(1_800))).toBe(true);
    expect(drain.mustLeave(false, instant(1_801))).toBe(false);
  });

  test('E4: stays until others have everything, but not for ever', () => {
    const drain = begin();
    drain.mayGiveIdle(nowhere, instant(1_400));
    expect(drain.mayEnd(false, elsewhere, instant(1_400))).toBe(false); // Not before it has left.
    drain.mustLeave(true, instant(1_400));
    expect(drain.mayEnd(false, (shard) => shard !== 5, instant(1_450))).toBe(false);
    expect(drain.wakeAt()).toBe(2_500);
    expect(drain.mayEnd(false, elsewhere, instant(1_460))).toBe(true);
    expect(drain.wakeAt()).toBe(Infinity);
  });
});
