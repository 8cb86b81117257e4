// What a seat is for one shard.
//   R1. Owning needs a majority of promises, this seat's own included, each relied on from the sending of its request.
//   R2. Every try of this process has an epoch of its own, higher than any before.
import { type Instant, instant } from '@tutti/base';
import { CopyFlow } from './copy-flow.js';
import { type CopyLimits, type CopySet, CopyStore } from './copy-store.js';
import type { Holder } from './seat-messages.js';
import { ShardPromise } from './shard-promise.js';
import type { SeatId } from './shard.js';

export type Role = IdleRole | SeekingRole | OwningRole;

export interface IdleRole {
  readonly kind: 'idle';
  /** It will not seek the shard sooner; and after whatever else keeps it from that, not before the back-off. */
  readonly seekAt: Instant;
  readonly backoffMs: number;
}

export interface SeekingRole {
  readonly kind: 'seeking';
  readonly epoch: number;
  /** This try is over then, whatever came of it. */
  readonly endsAt: Instant;
  /** The last request to each seat. */
  readonly asked: Map<SeatId, { readonly request: number; readonly sentAt: Instant }>;
  readonly granted: Map<SeatId, Grant>;
  readonly refused: Map<SeatId, Refusal>;
  /** It has a majority, and waits until then for more seats that remember. */
  gathersUntil: Instant | undefined;
}

/** What a promise to a candidate brings with it. */
export interface Grant {
  /** From when on it may be relied on. */
  readonly countsFrom: Instant;
  readonly remembers: boolean;
  /** It is of a life that was there when all seats knew nothing. */
  readonly wasBlank: boolean;
  readonly priorEpoch: number;
  readonly quietMs: number;
  readonly copies: CopySet;
}

export interface OwningRole {
  readonly kind: 'owning';
  readonly epoch: number;
  /** The last renewal, and when it was sent. */
  request: number;
  sentAt: Instant;
  /** Until when each promise may be relied on: see relyOn. */
  readonly reliedUntil: Map<SeatId, Instant>;
  /** What follows from it, worked out when it is asked for. */
  ownedUntil: Instant | undefined;
  /** Until then the majority of a former seat set stands in. */
  formerUntil: Instant;
  /** The ledger is known to miss nothing. */
  complete: boolean;
  readonly flow: CopyFlow;
  /** The last seq that was copied. */
  seq: number;
  /** Since when, and until when at least, a peer promises and remembers. */
  readonly wellSince: Map<SeatId, { readonly since: Instant; lastAt: Instant }>;
}

export interface Refusal {
  readonly at: Instant;
  /** For how long it may stay so. */
  readonly restMs: number;
  readonly holder?: Holder;
}

/** Everything that a seat knows of one shard. */
export class Shard {
  role: Role;
  readonly promise = new ShardPromise();
  readonly store: CopyStore;
  /** The version of the seat set for which this seat has the whole ledger, as of the last owner that told it. */
  rememberedVersion: number | undefined;
  /** The highest epoch of which it has heard; candidates go above it. */
  heardEpoch = 0;
  /** Coordinators or workers have told of an owner. */
  isKnownOutside = false;
  /** The resignation in favour of this seat that came last. */
  handedOver: { readonly holder: Holder; readonly epoch: number; readonly complete: boolean } | undefined;

  constructor(
    readonly index: number,
    /** All seats, most preferred first. */
    public preference: readonly SeatId[],
    limits: CopyLimits,
    startedAt: Instant,
  ) {
    this.store = new CopyStore(limits);
    this.role = { kind: 'idle', seekAt: startedAt, backoffMs: 0 };
  }

  hear(epoch: number): void {
    this.heardEpoch = Math.max(this.heardEpoch, epoch);
  }

  /** 0 for the seat that should own it. */
  rankOf(seat: SeatId): number {
    const rank = this.preference.indexOf(seat);
    return rank < 0 ? this.preference.length : rank;
  }
}

/** Until when a majority of promises may be relied on (R1). */
export function ownedUntil(role: OwningRole, majority: number): Instant {
  return (role.ownedUntil ??= instant(Math.max(role.formerUntil, majorityUntil(role.reliedUntil, majority))));
}

export function relyOn(role: OwningRole, seat: SeatId, until: Instant): void {
  role.reliedUntil.set(seat, until);
  role.ownedUntil = undefined;
}

/** Other seats decide from now on: what the former ones promised stands in until it ends. */
export function relyOnFormer(role: OwningRole, majority: number): void {
  role.formerUntil = ownedUntil(role, majority);
  role.reliedUntil.clear();
  role.ownedUntil = undefined;
}

/** The end of the majority that lasts longest. */
export function majorityUntil(reliedUntil: ReadonlyMap<SeatId, Instant>, majority: number): number {
  const latestFirst = [...reliedUntil.values()].sort((a, b) => b - a);
  return latestFirst[majority - 1] ?? -Infinity;
}

export const newOwningRole = (epoch: number, reliedUntil: Map<SeatId, Instant>, complete: boolean): OwningRole => ({
  // Nothing is renewed yet: no answer can be the one to the last renewal.
  ...{ kind: 'owning', epoch, request: 0, sentAt: instant(-Infinity), reliedUntil, ownedUntil: undefined },
  ...{ formerUntil: instant(-Infinity), complete, flow: new CopyFlow(), seq: 0, wellSince: new Map() },
});
