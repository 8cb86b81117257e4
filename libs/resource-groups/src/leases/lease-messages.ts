// What coordinators, owners and workers say to each other about leases. Every message may be lost, doubled, late by any
// time, or overtaken by a later one. No field is a time of a clock: only ages and spans cross from one machine to another.
import type { CoordinatorLife } from '../usage-ledger.js';
import type { RootNames } from './lease-roots.js';

/**
 * Names a lease of one coordinator life: the demand that was answered, and the owner that answered. Grows from each lease
 * of a life to the next.
 */
export interface LeaseStamp {
  readonly epoch: number;
  readonly seq: number;
}

export const NO_STAMP: LeaseStamp = { epoch: 0, seq: 0 };

export const compareStamps = (a: LeaseStamp, b: LeaseStamp): number => a.epoch - b.epoch || a.seq - b.seq;

/** What each task of a query with a leased start carries. */
export interface TaskStamp extends CoordinatorLife, LeaseStamp {}

/** A query that waits: how long it has waited, on the sender's clock, when the message left. */
export interface WaitingAge {
  readonly ageMs: number;
  readonly priority: number;
}

/** One leaf group in a demand. All zeros: the coordinator has nothing there any more. */
export interface LeafDemand {
  readonly group: string;
  /** The path as the configuration spells it. */
  readonly template: string;
  /** Queries that were started and may be on workers. */
  readonly running: number;
  /** How many may run: nothing starts beyond it. At least `running`. */
  readonly held: number;
  readonly waiting: number;
  /** The first of those that wait, in the order of the leaf; at most OLDEST_MAX. */
  readonly oldest: readonly WaitingAge[];
  /** So many more are wanted for queries to come. */
  readonly slack: number;
  /** CPU time that queries of the group have used here in this life; undefined: no CPU limit at the group or above. */
  readonly cpuMs?: number;
}

export const OLDEST_MAX = 8;

/** A coordinator tells the owner what it holds and what it could use. */
export interface Demand extends CoordinatorLife {
  /** Grows by one with each demand of a life, whoever it goes to. */
  readonly seq: number;
  /** The epoch of the owner that it is for: another one ignores it, so that no old demand is new to a new owner. */
  readonly ownerEpoch: number;
  /** The demand before it, to which this is what has changed; undefined: this tells everything. */
  readonly baseSeq: number | undefined;
  /** The highest epoch of an owner that the sender knows of. */
  readonly epochSeen: number;
  /** The last lease. */
  readonly stamp: LeaseStamp;
  /** It is over: nothing is held beyond what runs. */
  readonly isLapsed: boolean;
  readonly leaves: readonly LeafDemand[];
}

/**
 * renewed: the lease holds for ttlMs from the sending of the demand. refused: what runs is more than there is room for, so
 * there is no lease until some of it has ended; ask again. lapsed: the lease was ended because the coordinator was silent;
 * lower to what runs and ask again. resend: the demand could not be read without others; send everything. pushed: more
 * on top of the answer to the same demand.
 */
export type GrantKind = 'renewed' | 'refused' | 'lapsed' | 'resend' | 'pushed';

/** What may be held in a leaf group. */
export interface LeafCap {
  readonly group: string;
  readonly cap: number;
  /** So much CPU time may be used on top of what the demand said, then nothing more starts; undefined: any. */
  readonly cpuBudgetMs?: number;
}

/** What queries that wait in a leaf group wait for, in the whole cluster. Only to explain it to people. */
export interface LeafHint {
  readonly group: string;
  /** The lowest group that is full, the leaf or one above it; empty when none is. */
  readonly blockingGroup: string;
  /** What its limit allows now. */
  readonly limit: number;
  /** What all coordinators hold of it together. */
  readonly held: number;
  /** Queries of other coordinators in the leaf that go before the first one that waits here. */
  readonly aheadElsewhere: number;
  /** The order may change, or not all that wait are known one by one. */
  readonly isApproximate: boolean;
}

/** A grant carries at most so many hints. */
export const HINTS_MAX = 32;

/** The owner tells a coordinator what it may run. */
export interface Grant {
  readonly kind: GrantKind;
  readonly epoch: number;
  /** Counts the grants of this owner to this life, without gaps. */
  readonly number: number;
  /** The last demand that the owner has read: no older one counts for it, and no newer one is known to it. */
  readonly ackSeq: number;
  readonly ttlMs: number;
  /** What may be held now; only what is more than the demand said. */
  readonly caps: readonly LeafCap[];
  /** What the owner wants back; each takes the place of an earlier one for its group. */
  readonly wishes: readonly (Wish & { readonly group: string })[];
  /** Of groups where the coordinator's queries wait; each takes the place of an earlier one for its group. */
  readonly hints: readonly LeafHint[];
}

/**
 * What the owner wants back of a holding. spare: slots that neither run nor are waited for here. ends: these, and each
 * slot whose query ends. stop: these, and nothing may start beyond `keep`. none: no wish any more.
 */
export type WishMode = 'none' | 'spare' | 'ends' | 'stop';

/** Never for safety: a wish that is not heard makes others wait. */
export interface Wish {
  readonly mode: WishMode;
  /** Nothing is wanted of what is below. A holding that is lowered to it has done what was wished. */
  readonly keep: number;
}

export const NO_WISH: Wish = { mode: 'none', keep: 0 };

export const isSameWish = (a: Wish, b: Wish): boolean => a.mode === b.mode && a.keep === b.keep;

/** Whether it wants something of a holding of this size. */
export const isWishing = ({ mode, keep }: Wish, held: number): boolean => mode !== 'none' && held > keep;

/** Workers refuse tasks of the coordinator whose (incarnation, epoch, seq) are not above these. */
export type Fence = TaskStamp;

/** All fences of one owner. A newer list, by (epoch, version), takes the place of an older one. */
export interface FenceList extends RootNames {
  readonly epoch: number;
  readonly version: number;
  /** Tasks with stamps of older epochs are refused, whoever sends them. */
  readonly epochFloor: number;
  readonly fences: readonly Fence[];
}

/** A task as a worker reports it. `incarnation` is 0 when it came without a stamp. */
export interface LeasedTask extends CoordinatorLife {
  readonly group: string;
  readonly queryId: string;
}

/** What a worker tells an owner: its tasks in the groups of that owner, and the fences that it kept when it looked. */
export interface LeaseReport {
  readonly workerId: string;
  readonly incarnation: number;
  /** Grows with each report of this life. */
  readonly sequence: number;
  readonly fencesKept: { readonly epoch: number; readonly version: number };
  readonly tasks: readonly LeasedTask[];
}
