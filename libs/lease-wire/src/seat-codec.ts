// What seats say to each other.
import type { MessageInitShape } from '@bufbuild/protobuf';
import { unreachable } from '@tutti/base';
import {
  CopyExtent,
  CopyResult,
  type DeliverRequest,
  type DeliverRequestSchema,
  type HoldItem as WireHoldItem,
  type HoldItemSchema,
} from '@tutti/contracts/tutti/seat/v1/seat_pb';
import {
  type CopyAnswer,
  type CopyRequest,
  type HoldItem,
  type SeatMessage,
  SHARD_COUNT,
} from '@tutti/resource-groups';
import { copySetFromWire, copySetToWire, entriesFromWire, entryToWire } from './copy-set-codec.js';
import { holdAnswerFromWire, holdAnswerToWire, partsOf } from './hold-answer-codec.js';
import { holderFromWire, holderToWire, seatFrom } from './holder-codec.js';
import { BadMessage, distinct, listOf, nameOf, namesOf, numberOf, presentOf, shardFrom } from './wire-fields.js';

type WireInit = MessageInitShape<typeof DeliverRequestSchema>;

const EXTENTS: Readonly<Record<CopyRequest['extent'], CopyExtent>> = {
  new: CopyExtent.NEW,
  all: CopyExtent.ALL,
  complete: CopyExtent.COMPLETE,
};
const EXTENT_NAMES = namesOf(EXTENTS);
const RESULTS: Readonly<Record<CopyAnswer['result'], CopyResult>> = {
  kept: CopyResult.KEPT,
  full: CopyResult.FULL,
  fenced: CopyResult.FENCED,
  otherSeatSet: CopyResult.OTHER_SEAT_SET,
};
const RESULT_NAMES = namesOf(RESULTS);

/** A candidate may give up several epochs of a shard at once. */
const RELEASES_MAX = 4 * SHARD_COUNT;

/** The message, in several parts when it is too long for one. */
export const seatMessagesToWire = (message: SeatMessage): WireInit[] =>
  (message.kind === 'holdAnswer' ? partsOf(message) : [message]).map((part) => ({
    from: holderToWire(part.from),
    seatSetVersion: BigInt(part.version),
    request: BigInt(part.request),
    toIncarnation: BigInt('toIncarnation' in part ? part.toIncarnation : 0),
    message: bodyToWire(part),
  }));

export function seatMessageFromWire(wire: DeliverRequest): SeatMessage {
  const sent = {
    from: holderFromWire(wire.from, 'from'),
    version: numberOf(wire.seatSetVersion, 'seat_set_version', 1),
    request: numberOf(wire.request, 'request', 1),
  };
  const { message } = wire;
  switch (message.case) {
    case 'hold': {
      const items = listOf(message.value.items, 'items', SHARD_COUNT).map(holdItemFromWire);
      return { kind: 'hold', ...sent, items: distinct(items, 'items', ({ shard }) => shard) };
    }
    case 'release': {
      const items = listOf(message.value.items, 'items', RELEASES_MAX).map(({ shard, epoch, successor }) => ({
        ...{ shard: shardFrom(shard), epoch: numberOf(epoch, 'epoch', 1) },
        ...(successor !== '' && { successor: seatFrom(successor, 'successor') }),
      }));
      return { kind: 'release', ...sent, items };
    }
    case undefined:
      throw new BadMessage('message', 'is missing');
    default:
      return addressedFromWire({ ...sent, toIncarnation: numberOf(wire.toIncarnation, 'to_incarnation', 1) }, message);
  }
}

function addressedFromWire(
  sent: Pick<CopyAnswer, 'from' | 'version' | 'request' | 'toIncarnation'>,
  message: Extract<DeliverRequest['message'], { case: 'holdAnswer' | 'copy' | 'copyAnswer' | 'handOver' }>,
): SeatMessage {
  switch (message.case) {
    case 'holdAnswer':
      return { kind: 'holdAnswer', ...sent, ...holdAnswerFromWire(message.value) };
    case 'copy': {
      const { shard, epoch, extent, through, entries } = message.value;
      return {
        ...{ kind: 'copy', ...sent, shard: shardFrom(shard), epoch: numberOf(epoch, 'epoch', 1) },
        ...{ extent: nameOf(EXTENT_NAMES, extent, 'extent'), through: numberOf(through, 'through') },
        entries: entriesFromWire(entries),
      };
    }
    case 'copyAnswer': {
      const { shard, result, epoch } = message.value;
      return {
        ...{ kind: 'copyAnswer', ...sent, shard: shardFrom(shard), epoch: numberOf(epoch, 'epoch') },
        result: nameOf(RESULT_NAMES, result, 'result'),
      };
    }
    case 'handOver': {
      const { shard, epoch, complete, copies } = message.value;
      return {
        ...{ kind: 'handOver', ...sent, shard: shardFrom(shard), epoch: numberOf(epoch, 'epoch', 1) },
        ...{ complete, copies: copySetFromWire(presentOf(copies, 'copies')) },
      };
    }
    default:
      return unreachable(message);
  }
}

function bodyToWire(message: SeatMessage): NonNullable<WireInit['message']> {
  switch (message.kind) {
    case 'hold':
      return { case: 'hold', value: { items: message.items.map(holdItemToWire) } };
    case 'holdAnswer':
      return { case: 'holdAnswer', value: holdAnswerToWire(message) };
    case 'copy': {
      const { shard, epoch, extent, through, entries } = message;
      const numbers = { shard, epoch: BigInt(epoch), through: BigInt(through) };
      return { case: 'copy', value: { ...numbers, extent: EXTENTS[extent], entries: entries.map(entryToWire) } };
    }
    case 'copyAnswer': {
      const { shard, result, epoch } = message;
      return { case: 'copyAnswer', value: { shard, result: RESULTS[result], epoch: BigInt(epoch) } };
    }
    case 'release': {
      const items = message.items.map(({ shard, epoch, successor = '' }) => ({
        shard,
        epoch: BigInt(epoch),
        successor,
      }));
      return { case: 'release', value: { items } };
    }
    case 'handOver': {
      const { shard, epoch, complete, copies } = message;
      return { case: 'handOver', value: { shard, epoch: BigInt(epoch), complete, copies: copySetToWire(copies) } };
    }
    default:
      return unreachable(message);
  }
}

const holdItemToWire = ({ resigned, ...item }: HoldItem): MessageInitShape<typeof HoldItemSchema> => ({
  ...{ ...item, epoch: BigInt(item.epoch) },
  ...(resigned && { resigned: { holder: holderToWire(resigned.holder), epoch: BigInt(resigned.epoch) } }),
});

const holdItemFromWire = ({ shard, epoch, copiesWanted, resigned }: WireHoldItem): HoldItem => ({
  ...{ shard: shardFrom(shard), epoch: numberOf(epoch, 'epoch', 1), copiesWanted },
  ...(resigned && {
    resigned: {
      holder: holderFromWire(resigned.holder, 'resigned.holder'),
      epoch: numberOf(resigned.epoch, 'epoch', 1),
    },
  }),
});
