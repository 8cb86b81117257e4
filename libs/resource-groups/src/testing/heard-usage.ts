import type { UsageSnapshot } from '../group-usage.js';

/** What a tree should make of usage: later asked, young enough, and whose it is. */
export class HeardUsage {
  usage: UsageSnapshot | undefined;
  changedAt = -Infinity;
  private answeredUpTo = -Infinity;
  private answeredBy: string | undefined;

  constructor(private readonly maxAgeMs: number) {}

  /** Whether there was usage that is too old now. */
  forgetOld(nowMs: number): boolean {
    if (this.usage === undefined || !this.isOld(this.usage, nowMs)) return false;
    this.usage = undefined;
    return true;
  }

  /** Whether it counts from now on. */
  take(usage: UsageSnapshot, nowMs: number): boolean {
    if (usage.requestedAt <= this.answeredUpTo) return false;
    this.answeredUpTo = usage.requestedAt;
    if (this.isOld(usage, nowMs)) return false;
    if (this.answeredBy !== undefined && this.answeredBy !== usage.answeredBy) this.changedAt = nowMs;
    this.answeredBy = usage.answeredBy;
    this.usage = usage;
    return true;
  }

  private isOld(usage: UsageSnapshot, nowMs: number): boolean {
    return nowMs - usage.requestedAt + usage.oldestDataAgeMs > this.maxAgeMs;
  }
}
