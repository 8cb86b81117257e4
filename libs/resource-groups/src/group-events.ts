// What the group tree is told and what it answers.
import type { Instant, QueryId } from '@tutti/base';
import type { GroupConfig, GroupTarget } from './group-config.js';
import type { UsageSnapshot } from './group-usage.js';
import type { OwnedShard } from './lease-routes.js';
import type { Demand, Grant } from './leases/lease-messages.js';
import type { SeatId } from './seats/shard.js';

export type GroupEvent =
  | QuerySubmitted
  /** A query ended, from whatever state. Unknown ones have ended before. */
  | { readonly kind: 'finished'; readonly queryId: QueryId }
  /** What a running query holds now, and the CPU time that it used in all so far. Others are ignored. */
  | { readonly kind: 'used'; readonly queryId: QueryId; readonly memoryBytes: number; readonly cpuMs: number }
  | { readonly kind: 'usageArrived'; readonly usage: UsageSnapshot }
  /** No resource manager answers, and none has since then. */
  | { readonly kind: 'usageUnavailable'; readonly since: Instant }
  /** A resource manager says that it owns these shards, and no others. */
  | { readonly kind: 'leaseOwners'; readonly seat: SeatId; readonly shards: readonly OwnedShard[] }
  /** It grants what was demanded, or more. */
  | { readonly kind: 'leaseGranted'; readonly seat: SeatId; readonly shard: number; readonly grant: Grant }
  /** Nothing more comes of what it was told. Leases hold until their time is over. */
  | { readonly kind: 'leaseStreamLost'; readonly seat: SeatId }
  /** The process stood still, and its clock may have too: say so before anything else. */
  | { readonly kind: 'overslept' }
  /** Something of a running query is about to leave for a worker, whatever its group: while that may be there it runs. */
  | { readonly kind: 'sent'; readonly queryId: QueryId }
  /**
   * Nothing of a running query is on a worker or on its way any more: all that was sent is known to have ended, and more is
   * to be sent. If its lease is over it waits again: what runs nowhere must not keep others, or itself, from a new lease.
   */
  | { readonly kind: 'nowhere'; readonly queryId: QueryId }
  /** Time went by: what waits wants newer usage, or has waited for too long; and leases want to be renewed, see wakeAt. */
  | { readonly kind: 'tick' }
  /** The active workers changed; `memoryBytes` is the sum of their memory limits. Before the first both are 0. */
  | { readonly kind: 'clusterChanged'; readonly activeWorkers: number; readonly memoryBytes: number }
  /** From now on these groups hold. */
  | { readonly kind: 'configured'; readonly config: GroupConfig };

/** A query came. Its target is of the configuration that holds now. */
export interface QuerySubmitted {
  readonly kind: 'submitted';
  readonly queryId: QueryId;
  readonly target: GroupTarget;
  /** Within the bounds of its group; the highest goes first where the policy asks for it. */
  readonly priority: number;
  /** When it began to wait, if it waited in another group before. */
  readonly queuedSince?: Instant;
}

export type GroupEffect =
  | { readonly kind: 'start'; readonly queryId: QueryId }
  | QueryRejected
  /** Its group is gone with a new configuration, or has subgroups now. The query has left: select and submit it anew. */
  | { readonly kind: 'reselect'; readonly queryId: QueryId; readonly queuedSince: Instant }
  /**
   * It was started, nothing of it is on a worker, and the lease that allowed it is over. It waits again as it did before; nothing
   * of it may be sent. What comes next of it is start, reject, or reselect at once.
   */
  | { readonly kind: 'requeue'; readonly queryId: QueryId }
  /** What the owner of a shard is to be told. Those of one turn for one resource manager may go together. */
  | { readonly kind: 'demand'; readonly seat: SeatId; readonly shard: number; readonly demand: Demand }
  /** Queries wait for newer usage: ask now. The counts in the request must be taken after this effect. */
  | { readonly kind: 'askUsage' };

/**
 * Why a query may not wait, or not any longer. ambiguousGroup: its group would have the path of another one, made by
 * another name of the file: whose limits would hold?
 */
export type RejectReason = 'queueFull' | 'queueTimeout' | 'tooManyGroups' | 'ambiguousGroup';

/** Two groups of the file, as it spells them, that make one path: the one of the group that there is, and the query's. */
export interface AmbiguousTemplates {
  readonly existing: string;
  readonly wanted: string;
}

/** A query may not wait, or not any longer. It is gone. */
export interface QueryRejected {
  readonly kind: 'reject';
  readonly queryId: QueryId;
  readonly reason: RejectReason;
  /** The path of the group whose limit it is; for tooManyGroups its template. */
  readonly group: string;
  /** Its maxQueued, its queueTimeoutMs or its maxGroups; 0 for ambiguousGroup. */
  readonly limit: number;
  /** Of ambiguousGroup. */
  readonly templates?: AmbiguousTemplates;
}

/** What a coordinator reports of one group: what is in this very group, without those below it. */
export interface GroupCounts {
  readonly group: string;
  readonly running: number;
  readonly queued: number;
  /** Of those that wait, how many hold a claim. */
  readonly claimed: number;
  /** The round of these claims. */
  readonly claimRound: number;
  readonly hardConcurrencyLimit: number;
  readonly maxQueued: number;
  /** What its running queries hold. */
  readonly memoryBytes: number;
  /** CPU time that its queries used since the group was first reported. It begins anew when it was left out of a report. */
  readonly cpuMs: number;
  /** CPU time that it gets back, in milliseconds per second; 0 without CPU limits. */
  readonly cpuQuotaMsPerSecond: number;
  /** The path as the file spells it; empty when that is the same. */
  readonly template: string;
}

/** What runs and waits here in a group and below it. */
export interface GroupTotalsHere {
  readonly group: string;
  readonly running: number;
  readonly queued: number;
  readonly memoryBytes: number;
}

/** A query that waits, with its group. */
export interface QueuedQuery {
  readonly queryId: QueryId;
  readonly group: string;
}
