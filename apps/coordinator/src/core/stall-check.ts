// Whether this machine stood still with its monotonic clock: a suspended machine wakes up and believes that no time has
// passed, while its leases ran out. Pure.
//   L1. Both clocks are this machine's own; what another machine's clock says counts for nothing (A4).
//   L2. A wall clock that is set forward looks the same. Then leases are asked for anew without need, which harms nobody.
//   L3. Only the progress since the last look counts, so that clocks that drift apart slowly never add up to a stall.
import type { Instant } from '@tutti/base';

/** The wall clock may move by so much more than the monotonic one between two looks: it is corrected now and then. */
export const STALL_MS = 500;

export class StallCheck {
  private last: { readonly now: Instant; readonly wallMs: number } | undefined;

  /** Whether the machine stood still since the last look. Look before each decision. */
  hasStalled(now: Instant, wallMs: number): boolean {
    const { last } = this;
    this.last = { now, wallMs };
    return last !== undefined && wallMs - last.wallMs - (now - last.now) > STALL_MS;
  }
}
