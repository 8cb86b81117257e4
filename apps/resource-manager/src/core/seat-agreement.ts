// Whether the resource managers agree on who decides. Pure.
import type { SeatSet } from '@tutti/resource-groups';

/** What another resource manager says of its seats. Undefined: nothing, since it is of an older version. */
export interface ToldSeats {
  readonly nodeId: string;
  readonly seats: SeatSet | undefined;
}

/**
 * What is wrong with the seats of the cluster, in words for operators. Other seats of another version are none: that is
 * how seats are changed.
 */
export function seatProblems(own: SeatSet, isAlone: boolean, others: readonly ToldSeats[]): string[] {
  return others.flatMap(({ nodeId, seats }) => {
    if (isAlone)
      return [
        `${nodeId} is a resource manager too, but this one deals all slots alone: set seats.ids to the node ids of all ` +
          'resource managers, the same everywhere',
      ];
    if (seats === undefined || seats.version !== own.version || isSame(seats, own)) return [];
    return [
      `${nodeId} has other seats of the same version ${own.version}: ${seats.seats.join(', ')} there, ` +
        `${own.seats.join(', ')} here. Give all resource managers the same seats.ids, and a greater seats.version with ` +
        'each change',
    ];
  });
}

const isSame = (a: SeatSet, b: SeatSet): boolean =>
  a.seats.length === b.seats.length && a.seats.every((seat) => b.seats.includes(seat));
