// What a holder is told and what it answers.
import type { LeafWants } from './holder-leaf.js';
import type { Demand, Grant, Wish } from './lease-messages.js';

export type HolderEvent =
  /** What runs and waits in these leaves has changed. */
  | { readonly kind: 'wants'; readonly leaves: readonly LeafWants[] }
  | { readonly kind: 'grant'; readonly grant: Grant }
  /** The owner can be reached from now on, and says that its epoch is this. */
  | { readonly kind: 'streamOpened'; readonly epoch: number }
  /** Nothing more comes of what was sent. */
  | { readonly kind: 'streamLost' }
  /** The process stood still, and its clock may have too. */
  | { readonly kind: 'overslept' }
  /**
   * Time went by. Due at `wakeAt`. A renewal that is due within `renewWithinMs` leaves now: with those of other holders of
   * the same owner.
   */
  | { readonly kind: 'tick'; readonly renewWithinMs?: number };

export type HolderEffect =
  | { readonly kind: 'send'; readonly demand: Demand }
  /** More may start in these leaves than before. */
  | { readonly kind: 'startable'; readonly groups: readonly string[] }
  /** The lease is over. Queries of which nothing was sent to a worker must not be placed: they wait again, and `wants`
   * says so. All others go on. */
  | { readonly kind: 'lapsed' };

/** What a waiting query can say about the lease of its leaf. */
export interface LeaseExplanation {
  readonly held: number;
  readonly running: number;
  /** What the owner wants back of it. */
  readonly wish: Wish;
  readonly epoch: number;
  readonly isValid: boolean;
  /** CPU time that queries may use before nothing more starts here without a new grant; undefined: any. */
  readonly cpuBudgetLeftMs: number | undefined;
  /** Since the sending of the last demand that was answered. */
  readonly leaseAgeMs: number | undefined;
}
