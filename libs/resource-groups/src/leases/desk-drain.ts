// How a desk gives everything up in good order.
//   E1. First every owner in whose groups something is dealt stops dealing, and the seats give its shard to another seat with
//       its whole book. The book goes along with the shard, so nobody waits until others keep the last of its entries.
//   E2. Shards in which nothing is dealt follow when those have been with other seats for AFTER_MS, or after IDLE_MS_MAX:
//       they are many, and what goes with them would hold up the few for which queries wait.
//   E3. It takes RESIGN_MS at most; then shards are given up as they are, which is safe at any time.
//   E4. After that this process stays for a while, since others may need its promise: until each shard is promised to
//       another seat, or DRAIN_MS are over. Unless there is no other seat.
import { type Instant, instant } from '@tutti/base';

/** Time for coordinators to hear of the new owners and to get from them what they wait for. */
const AFTER_MS = 100;
const IDLE_MS_MAX = 400;
const RESIGN_MS = 800;
const DRAIN_MS = 1_500;

/** What a desk owned when it began to drain. */
export interface Drained {
  /** In these something is dealt. */
  readonly busy: readonly number[];
  readonly idle: readonly number[];
}

export class DeskDrain {
  private phase: 'busy' | 'idle' | 'leaving' | 'drained' = 'busy';
  private idleAt: Instant;

  constructor(
    private readonly beganAt: Instant,
    private readonly shards: Drained,
  ) {
    const hasToWait = shards.busy.length > 0 && shards.idle.length > 0;
    this.idleAt = instant(beganAt + (hasToWait ? IDLE_MS_MAX : 0));
  }

  /** The idle shards, when they shall be given up; once (E2). */
  mayGiveIdle(isOwnedElsewhere: (shard: number) => boolean, now: Instant): readonly number[] {
    if (this.phase !== 'busy') return [];
    if (this.shards.busy.every(isOwnedElsewhere)) this.idleAt = instant(Math.min(this.idleAt, now + AFTER_MS));
    if (now < this.idleAt) return [];
    this.phase = 'idle';
    return this.shards.idle;
  }

  /** Whether the seats shall give up whatever is left; true once (E3). */
  mustLeave(ownsNothing: boolean, now: Instant): boolean {
    const isOver = now >= this.beganAt + RESIGN_MS;
    if (!(this.phase === 'busy' ? isOver : this.phase === 'idle' && (ownsNothing || isOver))) return false;
    this.phase = 'leaving';
    return true;
  }

  /** Whether the process may end; true once (E4). */
  mayEnd(isAlone: boolean, isOwnedElsewhere: (shard: number) => boolean, now: Instant): boolean {
    if (this.phase !== 'leaving') return false;
    const all = [...this.shards.busy, ...this.shards.idle];
    if (!isAlone && now < this.beganAt + DRAIN_MS && !all.every(isOwnedElsewhere)) return false;
    this.phase = 'drained';
    return true;
  }

  wakeAt(): Instant {
    switch (this.phase) {
      case 'busy':
        return this.idleAt;
      case 'idle':
        return instant(this.beganAt + RESIGN_MS);
      case 'leaving':
        return instant(this.beganAt + DRAIN_MS);
      case 'drained':
        return instant(Infinity);
    }
  }
}
