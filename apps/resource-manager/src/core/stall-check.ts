import type { Instant } from '@tutti/base';

/** The wall clock may move by so much more than the monotonic one between two looks: it is corrected now and then. */
const STALL_MS = 1_000;

/**
 * Whether this machine stood still together with its monotonic clock: a suspended machine wakes up and believes that no
 * time has passed, while others took over what it owned. Both clocks are this machine's own. A wall clock that is set
 * forward looks the same: then something is given up without need, which harms nobody. Only the progress since the last
 * look counts, so that clocks that drift apart slowly never add up.
 */
export class StallCheck {
  private last: { readonly now: Instant; readonly wallMs: number } | undefined;

  /** Whether the machine stood still since the last look. Look before each decision. */
  hasStalled(now: Instant, wallMs: number): boolean {
    const { last } = this;
    this.last = { now, wallMs };
    return last !== undefined && wallMs - last.wallMs - (now - last.now) > STALL_MS;
  }
}
