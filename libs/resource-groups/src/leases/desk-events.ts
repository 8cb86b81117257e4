// What a lease desk is told, and what it wants done.
import type { ClusterSize } from '../effective-limit.js';
import type { GroupConfig } from '../group-config.js';
import type { CopyRefusal, HeldBack, LostReason } from '../seats/seat-events.js';
import type { SeatMessage } from '../seats/seat-messages.js';
import type { SeatSet } from '../seats/seat-set.js';
import type { SeatId } from '../seats/shard.js';
import type { CoordinatorLife } from '../usage-ledger.js';
import type { GroupLevel } from './deal-tree.js';
import type { Demand, FenceList, Grant, LeasedTask } from './lease-messages.js';
import type { Phase } from './owner-state.js';

export type DeskEvent =
  | { readonly kind: 'seatMessage'; readonly message: SeatMessage }
  /** A coordinator has opened a stream. It may have several for a moment: they are counted. */
  | { readonly kind: 'connected'; readonly life: CoordinatorLife }
  /** One of its streams has ended: once for each `connected`. */
  | { readonly kind: 'disconnected'; readonly life: CoordinatorLife }
  /** What a coordinator says on its stream; at most one demand for each shard. */
  | { readonly kind: 'demands'; readonly life: CoordinatorLife; readonly demands: readonly ShardDemand[] }
  | { readonly kind: 'workerReport'; readonly report: DeskReport }
  /** Who belongs to the cluster, as far as this process knows. */
  | DeskMembership
  | { readonly kind: 'configured'; readonly config: GroupConfig }
  /** What the queries of groups hold and have used: of all groups that hold or have used anything. */
  | { readonly kind: 'measured'; readonly cluster: ClusterSize; readonly levels: readonly GroupLevel[] }
  /** The configuration has other seats now. When that counts as a restart, the seat's new life has this incarnation. */
  | { readonly kind: 'seatsChanged'; readonly seatSet: SeatSet; readonly incarnation: number }
  /** An operator vouches that nothing of this coordinator runs any more. */
  | { readonly kind: 'writeOff'; readonly coordinatorId: string }
  /** The process was suspended, and its clock may have been too. */
  | { readonly kind: 'overslept' }
  /** Why this one must deal nothing for the time being; undefined when it may, in a new life of this incarnation perhaps. */
  | { readonly kind: 'heldBack'; readonly why: HeldBack | undefined; readonly incarnation: number }
  /** This process will stop: all that it owns goes to other seats in good order. */
  | { readonly kind: 'drain' }
  /** Time went by. Due at `wakeAt`. */
  | { readonly kind: 'tick' };

export interface ShardDemand {
  readonly shard: number;
  readonly demand: Demand;
}

export interface DeskMembership {
  readonly kind: 'membership';
  readonly coordinators: readonly CoordinatorLife[];
  readonly workers: readonly { readonly workerId: string; readonly incarnation: number }[];
}

/** All that a worker runs, and the fences of all shards that it kept to at that moment. */
export interface DeskReport {
  readonly workerId: string;
  readonly incarnation: number;
  /** Grows with each report of this life. */
  readonly sequence: number;
  readonly kept: readonly { readonly shard: number; readonly epoch: number; readonly version: number }[];
  readonly tasks: readonly LeasedTask[];
}

export type DeskEffect =
  | { readonly kind: 'toSeat'; readonly to: SeatId; readonly message: SeatMessage }
  /** All the shards that are owned now: for one coordinator that has just connected, or for all that are connected. */
  | { readonly kind: 'owns'; readonly shards: readonly OwnedShard[]; readonly to?: CoordinatorLife }
  | { readonly kind: 'grant'; readonly to: CoordinatorLife; readonly shard: number; readonly grant: Grant }
  /** Goes into the answer to the report that was just applied. */
  | {
      readonly kind: 'fences';
      readonly workerId: string;
      readonly incarnation: number;
      readonly shard: number;
      readonly list: FenceList;
    }
  | { readonly kind: 'note'; readonly note: DeskNote }
  /** After `drain`, once: everything has been given to others, or nobody could take it in time. */
  | { readonly kind: 'drained' };

export interface OwnedShard {
  readonly shard: number;
  readonly epoch: number;
}

export interface DeskShardState extends OwnedShard {
  readonly phase: Exclude<Phase, 'idle'>;
}

/** For logs and metrics. */
export type DeskNote =
  | {
      readonly kind: 'acquired';
      readonly shard: number;
      readonly epoch: number;
      /** Why it may deal at once. nothing: it must learn first, for learnMs at most. */
      readonly knows: 'firstStart' | 'handedOver' | 'copies' | 'nothing';
      readonly learnMs: number;
    }
  /** It has learned: it deals, and other seats have all that it knows. */
  | { readonly kind: 'learned'; readonly shard: number; readonly epoch: number }
  | { readonly kind: 'lost'; readonly shard: number; readonly epoch: number; readonly reason: LostReason }
  /** Queries may still run that are not counted any more: the one way past the limits. */
  | { readonly kind: 'wroteOff'; readonly shard: number; readonly what: string; readonly queries: number }
  /** A coordinator said that it holds more than it was dealt; it gets nothing until it says otherwise. */
  | { readonly kind: 'overclaim'; readonly shard: number; readonly life: CoordinatorLife }
  /** No seat could take a copy: nothing more is dealt in the shard for a while. */
  | { readonly kind: 'copyRefused'; readonly shard: number; readonly reason: CopyRefusal };

/** They only grow. */
export interface DeskCounters {
  demands: number;
  /** Of shards that are not owned, of coordinators without a stream, in the name of another one, or with absurd numbers. */
  demandsIgnored: number;
  grants: number;
  /** For coordinators whose stream has ended. */
  grantsDropped: number;
  /** Demands that said more was held than was dealt. */
  overclaims: number;
  /** Lives of coordinators that went silent or were replaced while they held something. */
  fenced: number;
  copiesRefused: number;
  /** Queries that were written off. */
  writtenOff: number;
}
