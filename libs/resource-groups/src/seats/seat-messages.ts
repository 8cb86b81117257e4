// What seats say to each other. Every message may be lost, doubled, late by any time, or overtaken by a later one.
import type { CopyEntry, CopySet } from './copy-store.js';
import type { SeatId } from './shard.js';

/** One process of a seat. `incarnation` grows from each life of the seat to the next. */
export interface Holder {
  readonly seat: SeatId;
  readonly incarnation: number;
}

interface Sent {
  readonly from: Holder;
  /** The version of the sender's seat set. */
  readonly version: number;
  /** Numbered by the sender, growing; an answer has the number of its request. */
  readonly request: number;
}

/** To one life of a seat; another one ignores it. */
interface Addressed extends Sent {
  readonly toIncarnation: number;
}

/** Asks for promises: all shards that the sender owns or wants now, in one message. Without any it only says hello. */
export interface HoldRequest extends Sent {
  readonly kind: 'hold';
  readonly items: readonly HoldItem[];
}

export interface HoldItem {
  readonly shard: number;
  readonly epoch: number;
  /** A candidate wants to know what was granted before it. */
  readonly copiesWanted: boolean;
  /** The promise that its holder gave up in favour of the sender, in case that news comes later. */
  readonly resigned?: { readonly holder: Holder; readonly epoch: number };
}

export interface HoldAnswer extends Addressed {
  readonly kind: 'holdAnswer';
  /** The newest life of the asking seat that the answering one knows of. */
  readonly askerIncarnation: number;
  /** The sender remembers nothing of any shard, has promised nothing, and has not been told of any owner. */
  readonly blank: boolean;
  /** The sender is about to stop: it wants no shard. */
  readonly draining: boolean;
  readonly items: readonly HoldAnswerItem[];
}

export type HoldAnswerItem = HoldPromised | HoldRefused;

export interface HoldPromised {
  readonly kind: 'promised';
  readonly shard: number;
  readonly epoch: number;
  /** The sender has all of the shard's ledger that it was ever trusted with. */
  readonly remembers: boolean;
  /** The highest epoch that it had promised or accepted before this. */
  readonly priorEpoch: number;
  /** For how long before this it was bound to nobody. */
  readonly quietMs: number;
  readonly copies?: CopySet;
}

/** starting: promises nothing yet; held: promised to another; seeking: wants it itself; fenced: promised higher. */
export type RefusalReason = 'starting' | 'held' | 'seeking' | 'fenced' | 'otherSeatSet';

export interface HoldRefused {
  readonly kind: 'refused';
  readonly shard: number;
  readonly reason: RefusalReason;
  readonly remembers: boolean;
  /** The highest epoch that the sender has promised or accepted, or what it takes for a first one. */
  readonly epoch: number;
  readonly holder?: Holder;
  /** After so long the answer may be another one. */
  readonly restMs: number;
}

/** Ledger entries of the owner, to be kept. */
export interface CopyRequest extends Addressed {
  readonly kind: 'copy';
  readonly shard: number;
  readonly epoch: number;
  /** What it holds: new entries, all that the owner has, or all there is (the owner knows that it misses nothing). */
  readonly extent: 'new' | 'all' | 'complete';
  /** The owner's last seq. */
  readonly through: number;
  readonly entries: readonly CopyEntry[];
}

export interface CopyAnswer extends Addressed {
  readonly kind: 'copyAnswer';
  readonly shard: number;
  readonly result: 'kept' | 'full' | 'fenced' | 'otherSeatSet';
  /** The highest epoch that the sender has promised or accepted. */
  readonly epoch: number;
}

/** Gives up promises: of a candidate that lost, or of an owner that resigned. */
export interface Release extends Sent {
  readonly kind: 'release';
  readonly items: readonly ReleaseItem[];
}

export interface ReleaseItem {
  readonly shard: number;
  readonly epoch: number;
  readonly successor?: SeatId;
}

/** An owner that has resigned gives its ledger to its successor. */
export interface HandOver extends Addressed {
  readonly kind: 'handOver';
  readonly shard: number;
  readonly epoch: number;
  /** The owner knew that its ledger missed nothing. */
  readonly complete: boolean;
  readonly copies: CopySet;
}

export type SeatMessage = HoldRequest | HoldAnswer | CopyRequest | CopyAnswer | Release | HandOver;
