import { type Instant, instant } from '@tutti/base';
import { type LeaseStamp, NO_STAMP } from './lease-messages.js';

/** The lease that a holder relies on, on its own clock. */
export class HolderLease {
  stamp: LeaseStamp = NO_STAMP;
  isLapsed = true;
  private until = instant(-Infinity);
  /** When the demand was sent that was answered last. */
  private sentAt: Instant | undefined;

  /** Holds from the sending of a demand to `until`; false when that is over already. */
  renew(stamp: LeaseStamp, sentAt: Instant, until: Instant, now: Instant): boolean {
    this.stamp = stamp; // H5
    if (now >= until) return false;
    this.until = until;
    this.sentAt = sentAt;
    this.isLapsed = false;
    return true;
  }

  /** When it is over by time. */
  get lapsesAt(): Instant {
    return this.isLapsed ? instant(Infinity) : this.until;
  }

  /** What the owner is told of it. */
  get told(): { readonly stamp: LeaseStamp; readonly isLapsed: boolean } {
    return { stamp: this.stamp, isLapsed: this.isLapsed };
  }

  isValid(now: Instant): boolean {
    return !this.isLapsed && now < this.until;
  }

  /** Since the sending of the last demand that was answered. */
  ageMs(now: Instant): number | undefined {
    return this.sentAt === undefined ? undefined : now - this.sentAt;
  }
}
