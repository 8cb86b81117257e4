// What is wrong with the seats, in words for operators. Pure.
import { type OtherSeats, type SeatId, type SeatJudgement, type SeatSet, textOfSeats } from '@tutti/resource-groups';

/** A change of seats that takes longer than this has been forgotten half way. */
export const SEATS_CHANGE_MS = 600_000;

/** Seats that start together hear of each other well within this. */
export const SEATS_START_MS = 15_000;

export interface SeatsSeen {
  readonly seats: SeatSet;
  readonly judgement: SeatJudgement;
  /** Seats that are not heard. */
  readonly silent: readonly SeatId[];
  /** For how long this process has run. */
  readonly runsMs: number;
  /** For how long there have been other seats that agree with its own. */
  readonly changingMs: number;
}

/** One sentence for each problem: what, where, and what to do. */
export function seatProblems({ seats, judgement, silent, runsMs, changingMs }: SeatsSeen): string[] {
  const { contrary, changing, isHeldBack, hearsMajority } = judgement;
  const problems = contrary.map((other) => contradiction(other, seats, isHeldBack));
  if (changingMs >= SEATS_CHANGE_MS)
    problems.push(
      ...changing.map(
        (other) =>
          `${differ(other, seats)} for ${Math.floor(changingMs / 60_000)} minutes. Finish the change: restart those that ` +
          'have the older list with the newer one',
      ),
    );
  if (!hearsMajority && contrary.length === 0 && runsMs >= SEATS_START_MS) problems.push(noMajority(seats, silent));
  return problems;
}

function contradiction(other: OtherSeats, own: SeatSet, isHeldBack: boolean): string {
  const who = isHeldBack ? 'This one deals nothing' : `${listOf(other.nodeIds)} must not deal`;
  return (
    `${differ(other, own)}. Both could deal the same slots. ${who} until that is mended: give all resource managers the same ` +
    'seats.ids, and change them by adding or taking out one seat at a time, with seats.version one greater each time; ' +
    'stop those that do not belong here'
  );
}

function noMajority({ seats }: SeatSet, silent: readonly SeatId[]): string {
  return (
    `${silent.length} of ${seats.length} seats are not heard (${listOf(silent)}): without a majority nobody deals slots. ` +
    'Start them, or correct seats.ids'
  );
}

const differ = ({ set, nodeIds }: OtherSeats, own: SeatSet): string =>
  `${listOf(nodeIds)} ${nodeIds.length === 1 ? 'has' : 'have'} the seats ${textOfSeats(set)}, this one has ${textOfSeats(own)}`;

const listOf = (ids: readonly string[]): string => [...ids].sort().join(', ');
