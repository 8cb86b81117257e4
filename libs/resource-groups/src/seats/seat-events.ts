// What a seat machine is told, and what it wants done.
import type { CopyEntry } from './copy-store.js';
import type { SeatMessage } from './seat-messages.js';
import type { SeatSet } from './seat-set.js';
import type { SeatId } from './shard.js';

export type SeatEvent =
  /** Time went by. Due at `wakeAt`. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'received'; readonly message: SeatMessage }
  /** The owner has the seats keep ledger entries. Their seqs grow, from 1 in each epoch. */
  | { readonly kind: 'copy'; readonly shard: number; readonly entries: readonly LedgerEntry[] }
  /** The owner has learned: nothing is missing any more in what it had and in what it has copied. */
  | { readonly kind: 'learned'; readonly shard: number }
  /** The owner gives a shard up, with its ledger, to the next seat. */
  | { readonly kind: 'resign'; readonly shard: number }
  /** This process will stop: it wants no more shards. It still promises, keeps copies, and owns what it does not resign. */
  | { readonly kind: 'leave' }
  /** The same, and it gives up all shards. */
  | { readonly kind: 'drain' }
  /** The configuration has other seats now. When that counts as a restart, the seat's new life has this incarnation. */
  | { readonly kind: 'seatsChanged'; readonly seatSet: SeatSet; readonly incarnation: number }
  /** The process was suspended, and its clock may have been too: it owns nothing any more. */
  | { readonly kind: 'overslept' }
  /**
   * Why this one must decide nothing for the time being; undefined when it may. When it begins anew then, the seat's new life
   * has this incarnation.
   */
  | { readonly kind: 'heldBack'; readonly why: HeldBack | undefined; readonly incarnation: number }
  /** A coordinator or a worker has seen an owner of this epoch. */
  | { readonly kind: 'epochSeen'; readonly shard: number; readonly epoch: number };

/** lookingAround: it has just started, alone, and others may be there; seatsDisagree: others have other seats. */
export type HeldBack = 'lookingAround' | 'seatsDisagree';

/** An entry of the owner's ledger. */
export interface LedgerEntry {
  readonly key: string;
  readonly seq: number;
  /** Without one the entry is taken out. */
  readonly payload: Uint8Array | undefined;
}

export type LostReason =
  /** No majority renewed its promises in time, or this process slept too long. */
  | 'majorityLost'
  | 'resigned'
  /** A higher epoch is known: this seat seeks the shard again, above it. */
  | 'fenced'
  | 'seatSetChanged'
  /** This process was suspended. */
  | 'overslept'
  /** Other resource managers have other seats. */
  | 'seatsDisagree'
  /** Another process says that it is a newer life of this seat. */
  | 'superseded';

export type CopyRefusal = 'notOwner' | 'full' | 'tooManyPending';

export type SeatEffect =
  | { readonly kind: 'send'; readonly to: SeatId; readonly message: SeatMessage }
  | Acquired
  /** Stop granting now: what follows in the same list may make another seat the owner. */
  | { readonly kind: 'lost'; readonly shard: number; readonly epoch: number; readonly reason: LostReason }
  /** All entries up to `seq` are kept by a majority: what they promise may leave. */
  | { readonly kind: 'copied'; readonly shard: number; readonly epoch: number; readonly seq: number }
  /** The entries up to `seq` are not kept anywhere: what they promise must not leave. */
  | { readonly kind: 'copyRefused'; readonly shard: number; readonly seq: number; readonly reason: CopyRefusal };

/** This seat owns the shard, with an epoch higher than that of all owners before. */
export interface Acquired {
  readonly kind: 'acquired';
  readonly shard: number;
  readonly epoch: number;
  /** What the seats kept of the ledger: per key the newest. */
  readonly copies: readonly CopyEntry[];
  /** The former owner resigned in favour of this seat: `copies` is its ledger, there is nothing to learn. */
  readonly ledgerComplete: boolean;
  /** Too many seats have forgotten: `copies` may miss entries. No early end of learning by what copies say. */
  readonly mustLearnFully: boolean;
  /** After so long nothing is valid any more of what former owners granted. */
  readonly learnMs: number;
  /** There was no owner before, as the operator vouches and nobody knows better. */
  readonly isFirst: boolean;
}

/** Copies are made often, and rarely is anything else due because of them. */
export const isOfCopies = (event: SeatEvent): boolean =>
  event.kind === 'copy' ||
  (event.kind === 'received' && (event.message.kind === 'copy' || event.message.kind === 'copyAnswer'));
