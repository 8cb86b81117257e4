// What the owner of groups is told and what it answers.
import type { ClusterSize } from '../effective-limit.js';
import type { GroupSpec } from '../group-config.js';
import type { CoordinatorLife } from '../usage-ledger.js';
import type { LedgerEntry } from './copy-codec.js';
import type { GroupLevel } from './deal-tree.js';
import type { Demand, FenceList, Grant, LeaseReport } from './lease-messages.js';

export type OwnerEvent =
  /** These groups are owned from now on, as the seats have decided. */
  | LeadershipAcquired
  /** They are not any more: nothing is granted, and all is forgotten. */
  | { readonly kind: 'lost' }
  /** They are about to be given to another seat in good order: nothing new is dealt. */
  | { readonly kind: 'resigning' }
  | { readonly kind: 'demand'; readonly demand: Demand }
  | { readonly kind: 'workerReport'; readonly report: LeaseReport }
  | Membership
  /** The entries up to `seq` are kept by a second seat. */
  | { readonly kind: 'copied'; readonly seq: number }
  /** Those that were sent together, up to `seq`, are kept nowhere. */
  | { readonly kind: 'copyRefused'; readonly seq: number }
  /**
   * From now on these root groups hold: all that this owner may be asked for. `exemptRootGroups` as in RootNames. Those that
   * were not there before are dealt when all workers know of them (see owner-roots.ts), if this comes after `acquired`.
   */
  | {
      readonly kind: 'configured';
      readonly rootGroups: readonly GroupSpec[];
      readonly exemptRootGroups?: readonly string[];
    }
  /** What the queries of groups hold and have used: of all groups that hold or have used anything. */
  | { readonly kind: 'measured'; readonly cluster: ClusterSize; readonly levels: readonly GroupLevel[] }
  /** An operator vouches that nothing of this coordinator runs any more. */
  | { readonly kind: 'writeOff'; readonly coordinatorId: string }
  /** Time went by. Due at `wakeAt`. */
  | { readonly kind: 'tick' };

export interface LeadershipAcquired {
  readonly kind: 'acquired';
  /** Higher than that of all owners before. */
  readonly epoch: number;
  /** What the seats kept of the former owners' books. */
  readonly copies: readonly { readonly key: string; readonly payload: Uint8Array | undefined }[];
  /** `copies` may miss something: nothing is dealt before everybody has told what it holds, or `learnMs` have passed. */
  readonly mustLearnFully: boolean;
  /** After so long nothing is valid any more of what former owners granted. */
  readonly learnMs: number;
}

/** Who belongs to the cluster, as far as this process knows. */
export interface Membership {
  readonly kind: 'membership';
  readonly coordinators: readonly CoordinatorLife[];
  readonly workers: readonly { readonly workerId: string; readonly incarnation: number }[];
}

export type OwnerEffect =
  | { readonly kind: 'grant'; readonly to: CoordinatorLife; readonly grant: Grant }
  /** Have these kept by another seat; answer with `copied` or `copyRefused`. */
  | { readonly kind: 'copy'; readonly entries: readonly LedgerEntry[] }
  /** What to tell a worker, in answer to its report. */
  | { readonly kind: 'fences'; readonly workerId: string; readonly incarnation: number; readonly list: FenceList }
  /** Nothing is missing any more in what was copied. */
  | { readonly kind: 'learned' }
  /** The book is as it will be: another seat may own the groups now, and shall get it. */
  | { readonly kind: 'mayResign' }
  /** Somebody has heard of a higher epoch: own the groups anew, above it, or not at all. */
  | { readonly kind: 'epochSeen'; readonly epoch: number }
  /** Queries may still run that are not counted any more: the one way past A1. */
  | { readonly kind: 'wroteOff'; readonly what: string; readonly queries: number };

/** Things that should be rare. They only grow. */
export interface OwnerCounters {
  /** Demands that said more was held than was dealt. */
  overclaims: number;
  /** Lives of coordinators that went silent or were replaced while they held something. */
  fenced: number;
  /** Copies that no seat could take. */
  copiesRefused: number;
  /** Queries that were written off. */
  writtenOff: number;
}

/** A group as its owner sees it. */
export interface DealtGroup {
  readonly group: string;
  readonly limit: number;
  /** What all coordinators may hold together. */
  readonly booked: number;
  readonly busy: number;
  /** How many wait without a slot. */
  readonly unmet: number;
}
