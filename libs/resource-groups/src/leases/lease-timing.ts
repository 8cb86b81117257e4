import { type Instant, instant } from '@tutti/base';

/** The times of leases, the same on all nodes. All are spans on a process's own monotonic clock. */
export interface LeaseTiming {
  /** How long a lease holds, from the sending of the demand that was answered. */
  readonly ttlMs: number;
  /** How far a clock may be from true time, as a part of it: holders rely on so much less, owners wait so much longer. */
  readonly margin: number;
  /** A holder that has nothing to say still says so once in this time. */
  readonly renewMs: number;
  /** Renewals are moved by up to this part, so that coordinators do not speak in step. */
  readonly renewJitter: number;
  /** A holder sends at most one demand in this time, but for a few after a pause. */
  readonly coalesceMs: number;
  /** Where queries wait and others have become the first of them, the owner hears so within this time. */
  readonly freshMs: number;
  /** Where some queries have ended and others may need their slots, it hears so within this time. */
  readonly easedMs: number;
  /** An owner pushes at most one grant to a coordinator in this time, besides answers. */
  readonly pushMs: number;
  /** A demand without an answer for so long is given up. */
  readonly answerMs: number;
  /** An answer waits no longer for its increases to be copied: they follow. */
  readonly copyPatienceMs: number;
  /** Whoever waits in a leaf that goes by priority gets a slot once in this time, whatever its priority. */
  readonly floorMs: number;
  /** Who was pushed slots that it needs says within this time that it used them: later it counts as silent. */
  readonly confirmMs: number;
  /** Of two that wait for nearly as long the one that holds a slot keeps it. */
  readonly fairGapMs: number;
  /** What a lost worker ran for a silent coordinator counts for so long: the one documented way past A1. */
  readonly lostWorkerWriteOffMs: number;
  /** Fences of coordinators that are gone are kept for so long after nothing was left of them. */
  readonly fenceKeptMs: number;
}

export const LEASE_TIMING: LeaseTiming = {
  ttlMs: 10_000,
  margin: 0.05,
  renewMs: 1_000,
  renewJitter: 0.2,
  coalesceMs: 40,
  freshMs: 200,
  easedMs: 50,
  pushMs: 10,
  answerMs: 2_000,
  copyPatienceMs: 250,
  floorMs: 500,
  confirmMs: 600,
  fairGapMs: 100,
  lostWorkerWriteOffMs: 300_000,
  fenceKeptMs: 600_000,
};

/** How long a holder relies on a lease, from the sending of its demand. */
export const relianceMs = (ttlMs: number, { margin }: LeaseTiming): number => ttlMs * (1 - margin);

/** How long after the last demand an owner waits before it counts a lease as over. */
export const expiryMs = ({ ttlMs, margin }: LeaseTiming): number => ttlMs * (1 + margin);

/** The decisions on which safety rests, in one place, so that tests can show what breaks without each of them. */
export interface LeaseRules {
  /** Whether a grant answers the last demand: all others tell of what was held before it. */
  answersLast(ackSeq: number, lastSeq: number): boolean;
  /** From when on a lease counts: the owner heard the demand no sooner than it was sent. */
  countsFrom(sentAt: Instant, receivedAt: Instant): Instant;
  /** How many demands may be without an answer. */
  readonly demandsInFlightMax: number;
  /** Whether a new owner begins with what its predecessors have dealt. */
  readonly takesOver: boolean;
  /** Whether an increase is kept by a second seat before it is granted. */
  readonly copiesIncreases: boolean;
  /** Whether what a silent coordinator held stays booked until workers have shown what is left of it. */
  readonly needsEvidence: boolean;
}

export const LEASE_RULES: LeaseRules = {
  answersLast: (ackSeq, lastSeq) => ackSeq === lastSeq,
  countsFrom: (sentAt) => sentAt,
  demandsInFlightMax: 1,
  takesOver: true,
  copiesIncreases: true,
  needsEvidence: true,
};

export const later = (at: Instant, ms: number): Instant => instant(at + ms);
