// Whether the resource managers agree on who decides. Pure.
//   J1. Two seat sets agree when they are the same, or when one follows the other with one seat more or less: that is how seats
//       are changed. All others contradict each other: they could have two majorities, and two owners of one group.
//   J2. Of seat sets that contradict each other one goes on, and every resource manager that has another one is held back: the
//       set that most resource managers have, then the greater version, then the one of whoever started first, then by name.
//       All who hear the same reports choose the same.
import { isOneStep, type SeatSet } from '@tutti/resource-groups';

/** What a resource manager says of its seats. */
export interface ToldSeats {
  readonly nodeId: string;
  /** Grows with each start. */
  readonly incarnation: number;
  /** Undefined: nothing, since it is of an older version. */
  readonly seats: SeatSet | undefined;
}

export interface SeatJudgement {
  /** What is wrong with the seats of the cluster, in words for operators. */
  readonly problems: readonly string[];
  /** Whether this one must not deal (J2). */
  readonly isHeldBack: boolean;
}

interface Party {
  readonly set: SeatSet;
  readonly nodeIds: string[];
  firstIncarnation: number;
}

export function judgeSeats(own: Required<ToldSeats>, others: readonly ToldSeats[]): SeatJudgement {
  const mine = own.seats;
  if (mine === undefined) return { problems: [], isHeldBack: false };
  const parties = partiesOf([own, ...others]);
  const ours = parties.find(({ set }) => isSame(set, mine));
  const contrary = parties.filter(({ set }) => contradicts(set, mine));
  const stronger = contrary.filter((party) => ours !== undefined && isBefore(party, ours));
  const isHeldBack = stronger.length > 0;
  const deals = isHeldBack ? 'This one deals nothing until that is mended' : 'Those deal nothing until that is mended';
  const problems = contrary.map(
    ({ set, nodeIds }) =>
      `${nodeIds.join(', ')} ${nodeIds.length === 1 ? 'has' : 'have'} the seats ${textOf(set)}, this one has ${textOf(mine)}. ` +
      `${deals}: give all resource managers the same seats.ids, and change them by adding or taking out one seat at a time, ` +
      'with seats.version one greater each time',
  );
  return { problems, isHeldBack };
}

function partiesOf(told: readonly ToldSeats[]): Party[] {
  const parties: Party[] = [];
  for (const { nodeId, incarnation, seats } of told) {
    if (seats === undefined) continue;
    const party = parties.find(({ set }) => isSame(set, seats));
    if (party === undefined) parties.push({ set: seats, nodeIds: [nodeId], firstIncarnation: incarnation });
    else {
      party.nodeIds.push(nodeId);
      party.firstIncarnation = Math.min(party.firstIncarnation, incarnation);
    }
  }
  return parties;
}

/** J1. */
function contradicts(a: SeatSet, b: SeatSet): boolean {
  return !isSame(a, b) && !isOneStep(a, b) && !isOneStep(b, a);
}

/** J2. */
function isBefore(a: Party, b: Party): boolean {
  if (a.nodeIds.length !== b.nodeIds.length) return a.nodeIds.length > b.nodeIds.length;
  if (a.set.version !== b.set.version) return a.set.version > b.set.version;
  if (a.firstIncarnation !== b.firstIncarnation) return a.firstIncarnation < b.firstIncarnation;
  return textOf(a.set) < textOf(b.set);
}

const isSame = (a: SeatSet, b: SeatSet): boolean =>
  a.version === b.version && a.seats.length === b.seats.length && a.seats.every((seat) => b.seats.includes(seat));

const textOf = ({ seats, version }: SeatSet): string => `${[...seats].sort().join(', ')} (version ${version})`;
