// Who may vote. A set is configured, and numbered by a version that grows with each change.
//   V1. Promises, copies and answers count only between seats that know the same version.
//   V2. Any majority of a set meets any majority of a set with one seat more or less. So a seat that takes such a step
//       keeps what it promised, and no two majorities of neighbouring versions can each make an owner.
//   V3. That holds for neighbours only: before the next step a majority must be known to have taken this one, for as long
//       as a promise lasts; then no majority of the version before is left. Any other change counts as a restart of the
//       seat. It is safe when every seat of the former set has heard of it, or is stopped, within a holding TTL after the
//       first seat has it: for so long none of the new seats promises anything.
//   V4. What a seat remembers, it remembers for one version: majorities of different sets need not have met in copies.
import { invariant } from '@tutti/base';
import type { SeatId } from './shard.js';

/** No cluster had other seats before these. */
export const FIRST_VERSION = 1;

/** More seats make every renewal dearer and nothing safer. */
export const SEATS_MAX = 9;

/** The configured seats. Odd numbers are best: four seats bear the loss of one, as three do. */
export interface SeatSet {
  /** Grows with each change of the seats, and never goes back. From FIRST_VERSION. */
  readonly version: number;
  readonly seats: readonly SeatId[];
}

/** A seat set; the same seats and version on every seat. Throws InvariantError when it is none: check input before. */
export function seatSet(version: number, seats: readonly SeatId[]): SeatSet {
  invariant(Number.isSafeInteger(version) && version >= FIRST_VERSION, 'the version of a seat set counts from 1');
  invariant(seats.length > 0 && seats.length <= SEATS_MAX, `a seat set has 1 to ${SEATS_MAX} seats`);
  invariant(new Set(seats).size === seats.length, 'no seat is twice in a seat set');
  return { version, seats: [...seats] };
}

/** So many seats must promise. */
export const majorityOf = ({ seats }: SeatSet): number => Math.floor(seats.length / 2) + 1;

/** So many seats besides the owner must keep a copy, so that every majority that can promise holds it. */
export const copiesNeededOf = (set: SeatSet): number => majorityOf(set) - 1;

/** So many seats that forgot nothing are sure to include one that kept any given copy. */
export const knowersNeededOf = (set: SeatSet): number => set.seats.length - majorityOf(set) + 1;

/** Whether `next` comes right after `former` and has one seat more or one less. */
export function isOneStep(former: SeatSet, next: SeatSet): boolean {
  const added = next.seats.filter((seat) => !former.seats.includes(seat)).length;
  const removed = former.seats.filter((seat) => !next.seats.includes(seat)).length;
  return next.version === former.version + 1 && added + removed === 1;
}
