// How a desk gives everything up in good order.
//   E1. First every owner stops dealing and has its book copied, then the seats give its shard to another seat.
//   E2. It takes RESIGN_MS at most; then shards are given up as they are, which is safe at any time.
//   E3. After that this process stays for a while, since others may need its promise: until each shard is promised to
//       another seat, or DRAIN_MS are over. Unless there is no other seat.
import { type Instant, instant } from '@tutti/base';

const RESIGN_MS = 800;
const DRAIN_MS = 1_500;

export class DeskDrain {
  private phase: 'resigning' | 'leaving' | 'drained' = 'resigning';

  constructor(
    private readonly beganAt: Instant,
    /** What was owned when it began. */
    private readonly shards: readonly number[],
  ) {}

  /** Whether the seats shall give up whatever is left; true once (E2). */
  mustLeave(ownsNothing: boolean, now: Instant): boolean {
    if (this.phase !== 'resigning' || !(ownsNothing || now >= this.beganAt + RESIGN_MS)) return false;
    this.phase = 'leaving';
    return true;
  }

  /** Whether the process may end; true once (E3). */
  mayEnd(isAlone: boolean, isOwnedElsewhere: (shard: number) => boolean, now: Instant): boolean {
    if (this.phase !== 'leaving') return false;
    if (!isAlone && now < this.beganAt + DRAIN_MS && !this.shards.every(isOwnedElsewhere)) return false;
    this.phase = 'drained';
    return true;
  }

  wakeAt(): Instant {
    if (this.phase === 'drained') return instant(Infinity);
    return instant(this.beganAt + (this.phase === 'resigning' ? RESIGN_MS : DRAIN_MS));
  }
}
