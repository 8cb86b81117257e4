import type { Instant } from '@tutti/base';

/** For so long, by and large, an arrival is remembered. */
const MEMORY_MS = 5_000;
const FORGOTTEN = 0.05;
const SLACK_MAX = 64;

/** How many queries come to a leaf. Algorithm: a counter that decays exponentially. */
export class ArrivalRate {
  private recent = 0;
  private at = 0;

  /** `total`: so many have come of whom nothing needs to be remembered. */
  constructor(private total: number) {}

  /** So many have come in all. */
  note(total: number, now: Instant): void {
    const came = total - this.total;
    this.total = total;
    if (came <= 0) return;
    this.recent = this.recentAt(now) + came;
    this.at = now;
  }

  /**
   * How many free slots to keep at hand when new ones take `loopMs` to come: what arrives meanwhile and three times its
   * deviation. At least one after recent use.
   */
  slack(loopMs: number, now: Instant): number {
    const recent = this.recentAt(now);
    if (recent < FORGOTTEN) return 0;
    const expected = (recent / MEMORY_MS) * loopMs;
    return Math.min(SLACK_MAX, Math.max(1, Math.ceil(expected + 3 * Math.sqrt(expected))));
  }

  private recentAt(now: Instant): number {
    return this.recent * Math.exp((this.at - now) / MEMORY_MS);
  }
}
