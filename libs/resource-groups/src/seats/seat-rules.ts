import { type Instant, instant } from '@tutti/base';
import type { Holder } from './seat-messages.js';
import { copiesNeededOf, knowersNeededOf, type SeatSet } from './seat-set.js';

/** The times of the seat machine, the same on all seats. All are spans on a process's own monotonic clock. */
export interface SeatTiming {
  /** How long ownership lasts unless it is renewed, from the sending of the request that won it. */
  readonly seatLeaseTtlMs: number;
  readonly renewMs: number;
  /** How far a clock may be from true time, as a part of it: promises last so much longer, ownership so much shorter. */
  readonly margin: number;
  /** How long what coordinators were granted lasts. Longer than the seat lease: it outlives its owner. */
  readonly holdingTtlMs: number;
  /** An owner gives at most one shard back to a more preferred seat in this time. */
  readonly rebalanceMs: number;
  /** Only a seat that has been well for so long gets a shard back. */
  readonly rebalanceAfterMs: number;
  /** Who is no successor leaves a successor so much time after a resignation. */
  readonly successionMs: number;
  /** Candidates wait for so much per rank in the order of preference, and up to `backoffJitterMs` more per rank. */
  readonly backoffMs: number;
  readonly backoffJitterMs: number;
}

export const SEAT_TIMING: SeatTiming = {
  seatLeaseTtlMs: 3_000,
  renewMs: 1_000,
  margin: 0.05,
  holdingTtlMs: 10_000,
  rebalanceMs: 1_000,
  rebalanceAfterMs: 10_000,
  successionMs: 300,
  backoffMs: 50,
  backoffJitterMs: 100,
};

/** How long a promise binds, from its receipt. */
export const promiseMs = ({ seatLeaseTtlMs, margin }: SeatTiming): number => seatLeaseTtlMs * (1 + margin);

/** How long a promise may be relied on. */
export const relianceMs = ({ seatLeaseTtlMs, margin }: SeatTiming): number => seatLeaseTtlMs * (1 - margin);

/** After so long nothing is left of what an owner that is no more has granted to coordinators. */
export const holdingEndsMs = ({ holdingTtlMs, margin }: SeatTiming): number => holdingTtlMs * (1 + margin);

/** A promise of a shard to one process, which binds until a moment on the promising seat's clock. */
export interface Promised {
  readonly holder: Holder;
  readonly epoch: number;
  readonly until: Instant;
}

/** One life of a seat, as far as it matters for what it may promise of one shard. */
export interface SeatLife {
  readonly startedAt: Instant;
  /** It has had all of the shard's ledger from an owner in this life. */
  readonly remembers: boolean;
  /**
   * Every other seat of the first seat set has said, to this life, that it remembers nothing of any shard and has promised
   * nothing.
   */
  readonly everybodyWasBlank: boolean;
  /** The operator vouches that nothing of an earlier life of the cluster can run, and nobody knows better. */
  readonly isFirst: boolean;
}

/** The decisions on which safety rests, in one place, so that tests can show what breaks without each of them. */
export interface SeatRules {
  /**
   * When a seat may promise: never while a promise of its former life can bind, which it has forgotten. Then, as it
   * must not help to elect an owner that knows nothing, when it has the ledger again, or when all that former owners
   * granted has ended, or when nobody knows anything anyway (the first start of a cluster; nothing is dealt sooner by
   * this, as such an owner has as much more to learn, but the coordinators find it). At a first start for which the
   * operator vouches there was no former life: as soon as all seats have told that they know nothing.
   */
  promisesFrom(life: SeatLife, timing: SeatTiming): Instant;
  /** Whether a promise is in the way of who asks. Its holder may renew it, and may ask again with a higher epoch. */
  bars(promised: Promised, asker: Holder, epoch: number, now: Instant): boolean;
  /** Whether an answer counts: only the one to the last request. Older ones tell of promises that may have ended. */
  isAnswerTo(answered: number, lastRequest: number): boolean;
  /** From when on an answer may be relied on: the promise began no sooner than its request was sent. */
  countsFrom(sentAt: Instant, receivedAt: Instant): Instant;
  /** So many seats besides the owner must keep an entry before it counts as copied. */
  copiesNeeded(seats: SeatSet): number;
  /** So many of those that elect an owner must have forgotten nothing, or it must learn fully. */
  knowersNeeded(seats: SeatSet): number;
}

export const SEAT_RULES: SeatRules = {
  promisesFrom: ({ startedAt, remembers, everybodyWasBlank, isFirst }, timing) => {
    if (isFirst && everybodyWasBlank) return startedAt;
    const waitMs = remembers || everybodyWasBlank ? promiseMs(timing) : holdingEndsMs(timing);
    return instant(startedAt + waitMs);
  },
  bars: ({ holder, epoch: promisedEpoch, until }, asker, epoch, now) =>
    now < until && !(isSame(holder, asker) && epoch >= promisedEpoch),
  isAnswerTo: (answered, lastRequest) => answered === lastRequest,
  countsFrom: (sentAt) => sentAt,
  copiesNeeded: copiesNeededOf,
  knowersNeeded: knowersNeededOf,
};

export const isSame = (a: Holder, b: Holder): boolean => a.seat === b.seat && a.incarnation === b.incarnation;
