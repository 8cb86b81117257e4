import { instant } from '@tutti/base';
import { StallCheck } from './stall-check.js';

it('a machine that stood still is told by its own two clocks, at the first look after it', () => {
  const stall = new StallCheck();
  const look = (nowMs: number, wallMs: number) => stall.hasStalled(instant(nowMs), wallMs);
  expect(look(0, 1_000_000)).toBe(false);
  // A busy event loop: both clocks went on.
  expect(look(5_000, 1_005_000)).toBe(false);
  // Suspended for a minute.
  expect(look(5_010, 1_065_010)).toBe(true);
  expect(look(5_020, 1_065_020)).toBe(false);
  // The wall clock is corrected, or set back.
  expect(look(5_030, 1_066_000)).toBe(false);
  expect(look(5_040, 900_000)).toBe(false);
  // It drifts, a little each time.
  for (let step = 1; step < 20; step++) expect(look(5_040 + step, 900_000 + 900 * step)).toBe(false);
});
