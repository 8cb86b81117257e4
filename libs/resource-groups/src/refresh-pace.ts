// How often to ask for usage while a query waits. Pure.
//   P1. While things move it is every intervalMs: a slot that somebody else gives back stays free for half of that.
//   P2. When nothing has moved for a while, it is a twentieth of that while, and every SLOWEST_MS at last: where queries
//       run for long, a slot that stays free for a little longer costs no more than before.
import { type Instant, instant } from '@tutti/base';
import type { GroupUsage } from './group-usage.js';

const SLOWEST_MS = 100;
const PART_OF_QUIET = 1 / 20;

/** What shows that a group moves. */
type Moving = Pick<GroupUsage, 'running' | 'queued'>;

export class RefreshPace {
  private movedAt: Instant = instant(-Infinity);
  private running = 0;
  private queued = 0;

  constructor(private readonly intervalMs: number) {}

  /** A query came, started or ended here. */
  moved(now: Instant): void {
    this.movedAt = now;
  }

  /** An answer tells by its sums whether things moved elsewhere. */
  heard({ groups }: { readonly groups: Iterable<readonly [string, Moving]> }, now: Instant): void {
    let [running, queued] = [0, 0];
    for (const [, group] of groups) {
      running += group.running;
      queued += group.queued;
    }
    if (running !== this.running || queued !== this.queued) this.movedAt = now;
    this.running = running;
    this.queued = queued;
  }

  /** Milliseconds between two questions. */
  delayMs(now: Instant): number {
    const quietMs = now - this.movedAt;
    return Math.max(this.intervalMs, Math.min(quietMs * PART_OF_QUIET, SLOWEST_MS));
  }
}
