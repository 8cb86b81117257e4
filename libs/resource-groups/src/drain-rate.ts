import type { Instant } from '@tutti/base';

const BUCKET_MS = 5_000;
const BUCKETS = 12;
/** With fewer starts there is no rate to speak of. */
const STARTS_MIN = 3;

/** How fast queries start in a group that is full: counts of the last minute, in a ring of buckets. Pure. */
export class DrainRate {
  private counts: Uint32Array | undefined;
  /** The bucket that was counted into last, by its number since the clock's zero. */
  private newest = 0;
  private firstAt = 0;

  /** A query started. Times must not go back. */
  add(now: Instant): void {
    const bucket = Math.floor(now / BUCKET_MS);
    if (this.counts === undefined || bucket - this.newest >= BUCKETS) this.firstAt = now;
    this.counts ??= new Uint32Array(BUCKETS);
    this.forget(bucket);
    const index = bucket % BUCKETS;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
  }

  /** Starts per millisecond, of the last minute or since the first start; undefined with too few of them. */
  perMs(now: Instant): number | undefined {
    if (this.counts === undefined) return undefined;
    const newest = Math.floor(now / BUCKET_MS);
    if (newest - this.newest >= BUCKETS) return undefined;
    this.forget(newest);
    const starts = this.counts.reduce((sum, count) => sum + count, 0);
    if (starts < STARTS_MIN) return undefined;
    const sinceMs = now - Math.max(this.firstAt, (newest - BUCKETS + 1) * BUCKET_MS);
    return starts / Math.max(sinceMs, 1);
  }

  /** Empties the buckets that have come round again. */
  private forget(newest: number): void {
    const gone = Math.min(newest - this.newest, BUCKETS);
    for (let back = 0; back < gone; back++)
      this.counts?.fill(0, (newest - back) % BUCKETS, ((newest - back) % BUCKETS) + 1);
    this.newest = newest;
  }
}
