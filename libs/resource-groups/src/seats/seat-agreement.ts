// Whether the resource managers of a cluster agree on who decides, by what each says of itself. Pure.
//   J1. Two seat sets agree when they have the same seats, or when one follows the other with one seat more or less: their
//       majorities meet (V2). All others contradict each other: they could have two majorities, and two owners of a shard.
//   J2. Nobody decides while it hears somebody who does, and whose seats contradict its own. So of two sides that hear each
//       other no two decide, and where only one hears the other, that one gives way.
//   J3. Of sides that contradict each other, and of which none decides, one may begin: one that has a majority of its seats,
//       then that of most resource managers, then of the greater version, then of whoever started first, then by name. All who hear the same choose the same. Where
//       they did not, J2 holds them back again, long before they deal: who was held back waits first (see holdBack).
//   J4. So a resource manager with a wrong list that joins others that decide disturbs nobody.
import { isOneStep, majorityOf, type SeatSet } from './seat-set.js';
import type { SeatId } from './shard.js';

/** What a resource manager says of itself. */
export interface SeatReport {
  readonly nodeId: SeatId;
  /** Grows with each start. */
  readonly incarnation: number;
  /** Undefined: nothing is known. */
  readonly seats: SeatSet | undefined;
  /** It decides nothing: see SeatJudgement. */
  readonly isIdle: boolean;
  /** It must not decide: see SeatJudgement. */
  readonly isHeldBack: boolean;
}

/** What the resource manager that judges knows of itself. */
export interface OwnSeats {
  readonly nodeId: SeatId;
  readonly incarnation: number;
  readonly seats: SeatSet;
  /** It may promise. */
  readonly isReady: boolean;
  /** It owns a shard. */
  readonly owns: boolean;
}

/** Resource managers that have other seats than this one. */
export interface OtherSeats {
  readonly set: SeatSet;
  readonly nodeIds: readonly SeatId[];
}

export interface SeatJudgement {
  /** Sets that contradict its own. */
  readonly contrary: readonly OtherSeats[];
  /** Sets that it agrees with, and that are not its own: somebody changes the seats, or has forgotten to go on with it. */
  readonly changing: readonly OtherSeats[];
  /** It must decide nothing (J2, J3). */
  readonly isHeldBack: boolean;
  /** A majority of its seats, itself included, is heard, does not contradict it, and is not held back. */
  readonly hearsMajority: boolean;
  /** It decides nothing: it owns nothing, and is not ready, or has no majority. This is what others have to hear of it. */
  readonly isIdle: boolean;
}

interface Side extends OtherSeats {
  readonly nodeIds: SeatId[];
  firstIncarnation: number;
  isIdle: boolean;
  /** A majority of its seats is there and does not contradict it: it could decide. */
  hasMajority: boolean;
}

/** Judges by what the resource managers said that are heard at present. */
export function judgeSeats(own: OwnSeats, others: readonly SeatReport[]): SeatJudgement {
  const free = others.filter((other) => !other.isHeldBack);
  const hearsMajority = hasMajority(own.seats, [own, ...free]);
  const isIdle = !own.owns && !(own.isReady && hearsMajority);
  const [ours, ...rest] = sidesOf({ ...own, isIdle }, own.seats, others);
  const contrary = rest.filter(({ set }) => contradicts(set, own.seats));
  const isHeldBack = contrary.some((side) => !side.isIdle || (isIdle && goesFirst(side, ours)));
  const changing = rest.filter((side) => !contrary.includes(side));
  return { contrary, changing, isHeldBack, hearsMajority, isIdle };
}

/** The seat sets that there are, its own first. */
function sidesOf(
  own: Omit<SeatReport, 'seats' | 'isHeldBack'>,
  seats: SeatSet,
  others: readonly SeatReport[],
): [Side, ...Side[]] {
  const sides: [Side, ...Side[]] = [sideOf(own, seats)];
  for (const other of others) {
    const { seats, nodeId, incarnation, isIdle } = other;
    if (seats === undefined) continue;
    const side = sides.find(({ set }) => set.version === seats.version && hasSameSeats(set, seats));
    if (side === undefined) {
      sides.push(sideOf(other, seats));
      continue;
    }
    side.nodeIds.push(nodeId);
    side.firstIncarnation = Math.min(side.firstIncarnation, incarnation);
    side.isIdle &&= isIdle;
  }
  for (const side of sides) side.hasMajority = hasMajority(side.set, [{ ...own, seats }, ...others]);
  return sides;
}

const sideOf = ({ nodeId, incarnation, isIdle }: Omit<SeatReport, 'seats' | 'isHeldBack'>, set: SeatSet): Side => ({
  ...{ set, nodeIds: [nodeId], firstIncarnation: incarnation, isIdle, hasMajority: false },
});

function hasMajority(set: SeatSet, all: readonly Pick<SeatReport, 'nodeId' | 'seats'>[]): boolean {
  const agreeing = all.filter(({ nodeId, seats }) => set.seats.includes(nodeId) && seats && !contradicts(seats, set));
  return agreeing.length >= majorityOf(set);
}

/** J1. */
function contradicts(a: SeatSet, b: SeatSet): boolean {
  if (hasSameSeats(a, b)) return false;
  return !isOneStep(a, b) && !isOneStep(b, a);
}

/** J3. */
function goesFirst(a: Side, b: Side): boolean {
  if (a.hasMajority !== b.hasMajority) return a.hasMajority;
  if (a.nodeIds.length !== b.nodeIds.length) return a.nodeIds.length > b.nodeIds.length;
  if (a.set.version !== b.set.version) return a.set.version > b.set.version;
  if (a.firstIncarnation !== b.firstIncarnation) return a.firstIncarnation < b.firstIncarnation;
  return textOfSeats(a.set) < textOfSeats(b.set);
}

const hasSameSeats = (a: SeatSet, b: SeatSet): boolean =>
  a.seats.length === b.seats.length && a.seats.every((seat) => b.seats.includes(seat));

/** A seat set in words: the same for all who have it. */
export const textOfSeats = ({ seats, version }: SeatSet): string =>
  `${[...seats].sort().join(', ')} (version ${version})`;
