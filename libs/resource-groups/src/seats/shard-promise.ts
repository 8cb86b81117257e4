// What a seat has promised of one shard.
//   P1. At most one process holds a promise at a time. It ends when its time is over on this seat's clock, or when its
//       holder gives it up; a newer process of the same seat does not end it.
//   P2. Epochs never go back: a promise, and a copy that was accepted, fences all lower epochs for ever in this life, and
//       its own epoch for everybody else. So no two owners have one epoch, as every majority has a seat in common.
//   P3. A request that was overtaken by a later one of its sender changes nothing, even when it renews.
import { type Instant, instant } from '@tutti/base';
import type { Holder } from './seat-messages.js';
import { isSame, type Promised, type SeatRules } from './seat-rules.js';
import type { SeatId } from './shard.js';

/** Why a promise cannot be given. */
export type Barrier = { readonly kind: 'held'; readonly by: Promised } | { readonly kind: 'fenced' };

export class ShardPromise {
  /** The last promise, even when it has ended. */
  private last: Promised | undefined;
  private fencedEpoch = 0;
  private fencedFor: Holder | undefined;
  private readonly newestRequests = new Map<SeatId, readonly [incarnation: number, epoch: number, request: number]>();

  /** The highest epoch that was promised or accepted. */
  get epoch(): number {
    return this.fencedEpoch;
  }

  /** The process that has the highest epoch of which this seat knows for sure. */
  get holder(): Holder | undefined {
    return this.fencedFor;
  }

  /**
   * Whether a request was not overtaken by a later one of the same process (P3), and notes it. Doubles pass. What is said
   * of an epoch does not overtake what is said of a higher one.
   */
  isNewest({ seat, incarnation }: Holder, epoch: number, request: number): boolean {
    const [newestLife, newestEpoch, newestRequest] = this.newestRequests.get(seat) ?? [0, 0, 0];
    if ((incarnation - newestLife || epoch - newestEpoch || request - newestRequest) < 0) return false;
    this.newestRequests.set(seat, [incarnation, epoch, request]);
    return true;
  }

  /** What keeps `asker` from the promise; `floor` is what an epoch that was not promised here must be above. */
  barrier(asker: Holder, epoch: number, floor: number, rules: SeatRules, now: Instant): Barrier | undefined {
    if (this.last && rules.bars(this.last, asker, epoch, now)) return { kind: 'held', by: this.last };
    const isOwn = this.fencedFor !== undefined && isSame(this.fencedFor, asker) && epoch === this.fencedEpoch;
    return isOwn || epoch > Math.max(this.fencedEpoch, floor) ? undefined : { kind: 'fenced' };
  }

  /** Promises, where there is no barrier. */
  give(holder: Holder, epoch: number, until: Instant): void {
    this.last = { holder, epoch, until };
    this.fencedEpoch = Math.max(this.fencedEpoch, epoch);
    this.fencedFor = holder;
  }

  /** Its holder gives up a promise: exactly this one, no other. True when it did bind. */
  end(holder: Holder, epoch: number, now: Instant): boolean {
    if (!this.last || !isSame(this.last.holder, holder) || this.last.epoch !== epoch || now >= this.last.until)
      return false;
    this.last = { holder, epoch, until: now };
    return true;
  }

  /** Accepts a word of an owner, unless its epoch is fenced; fences all others with it. */
  accept(owner: Holder, epoch: number): boolean {
    if (epoch < this.fencedEpoch) return false;
    if (epoch === this.fencedEpoch && this.fencedFor && !isSame(this.fencedFor, owner)) return false;
    this.fencedEpoch = epoch;
    this.fencedFor = owner;
    return true;
  }

  /** Who holds a promise that binds now. */
  bound(now: Instant): Promised | undefined {
    return this.last && now < this.last.until ? this.last : undefined;
  }

  /** For how long nobody has held a promise; `lifeQuietFrom` is when those of the former life had ended for sure. */
  quietMs(lifeQuietFrom: Instant, now: Instant): number {
    return Math.max(0, now - Math.max(lifeQuietFrom, this.last?.until ?? instant(-Infinity)));
  }
}
