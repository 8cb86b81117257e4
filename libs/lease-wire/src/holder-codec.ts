import type { MessageInitShape } from '@bufbuild/protobuf';
import { type NodeId, nodeId } from '@tutti/base';
import type {
  Holder as WireHolder,
  HolderSchema,
  SeatSet as WireSeatSet,
  SeatSetSchema,
} from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { type Holder, SEATS_MAX, type SeatSet } from '@tutti/resource-groups';
import { distinct, listOf, nodeFrom, numberOf, presentOf } from './wire-fields.js';

export const holderToWire = ({ seat, incarnation }: Holder): MessageInitShape<typeof HolderSchema> => ({
  ...{ seat, incarnation: BigInt(incarnation) },
});

export function holderFromWire(wire: WireHolder | undefined, field: string): Holder {
  const { seat, incarnation } = presentOf(wire, field);
  return { seat: seatFrom(seat, `${field}.seat`), incarnation: numberOf(incarnation, `${field}.incarnation`, 1) };
}

export const seatFrom = (seat: string, field: string): NodeId => nodeId(nodeFrom(seat, field));

export const seatSetToWire = ({ version, seats }: SeatSet): MessageInitShape<typeof SeatSetSchema> => ({
  ...{ version: BigInt(version), seats: [...seats] },
});

/** Undefined: the sender knows of no seats. */
export function seatSetFromWire(wire: WireSeatSet | undefined): SeatSet | undefined {
  if (wire === undefined) return undefined;
  const seats = listOf(wire.seats, 'seats', SEATS_MAX).map((seat) => seatFrom(seat, 'seats'));
  return { version: numberOf(wire.version, 'version', 1), seats: distinct(seats, 'seats', (seat) => seat) };
}
