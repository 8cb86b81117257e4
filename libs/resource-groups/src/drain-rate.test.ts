import { instant } from '@tutti/base';
import { DrainRate } from './drain-rate.js';

describe('the drain rate', () => {
  it('is not known from fewer than three starts', () => {
    const rate = new DrainRate();
    expect(rate.perMs(instant(0))).toBeUndefined();
    rate.add(instant(1_000));
    rate.add(instant(2_000));
    expect(rate.perMs(instant(2_000))).toBeUndefined();
  });

  it('counts from the first start, and of the last minute when it goes on for longer', () => {
    const rate = new DrainRate();
    for (let atMs = 900_000; atMs < 920_000; atMs += 1_000) rate.add(instant(atMs));
    expect(rate.perMs(instant(920_000))).toBeCloseTo(1 / 1_000, 6);
    for (let atMs = 920_000; atMs < 1_200_000; atMs += 500) rate.add(instant(atMs));
    expect(rate.perMs(instant(1_200_000))).toBeCloseTo(1 / 500, 4);
  });

  it('falls when nothing starts, and is forgotten after a minute', () => {
    const rate = new DrainRate();
    for (let atMs = 0; atMs < 10_000; atMs += 100) rate.add(instant(atMs));
    expect(rate.perMs(instant(10_000))).toBeCloseTo(1 / 100, 4);
    expect(rate.perMs(instant(40_000))).toBeCloseTo(1 / 400, 4);
    expect(rate.perMs(instant(70_000))).toBeUndefined();
    for (const atMs of [200_000, 201_000, 202_000]) rate.add(instant(atMs));
    expect(rate.perMs(instant(203_000))).toBeCloseTo(1 / 1_000, 6);
  });
});
