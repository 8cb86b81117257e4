// Promises and refusals.
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type HoldAnswer as WireAnswer,
  type HoldAnswerItem as WireItem,
  type HoldAnswerItemSchema,
  type HoldAnswerSchema,
  RefusalReason as WireReason,
} from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { type HoldAnswer, type HoldAnswerItem, type RefusalReason, SHARD_COUNT } from '@tutti/resource-groups';
import { copyBytes, copySetFromWire, copySetToWire } from './copy-set-codec.js';
import { holderFromWire, holderToWire } from './holder-codec.js';
import { BadMessage, distinct, listOf, nameOf, namesOf, numberOf } from './wire-fields.js';
import { shardFrom, spanFrom, spanToWire } from './wire-fields.js';

const REASONS: Readonly<Record<RefusalReason, WireReason>> = {
  starting: WireReason.STARTING,
  held: WireReason.HELD,
  seeking: WireReason.SEEKING,
  fenced: WireReason.FENCED,
  otherSeatSet: WireReason.OTHER_SEAT_SET,
};
const REASON_NAMES = namesOf(REASONS);

/** An answer that is longer is sent in parts: each item is an answer of its own, and one message has no room for all. */
const PART_BYTES_MAX = 2 ** 20;

type AnswerBody = Omit<HoldAnswer, 'kind' | 'from' | 'version' | 'request' | 'toIncarnation'>;

export const holdAnswerToWire = (answer: AnswerBody): MessageInitShape<typeof HoldAnswerSchema> => ({
  askerIncarnation: BigInt(answer.askerIncarnation),
  blank: answer.blank,
  draining: answer.draining,
  items: answer.items.map(itemToWire),
});

export const holdAnswerFromWire = (wire: WireAnswer): AnswerBody => ({
  askerIncarnation: numberOf(wire.askerIncarnation, 'asker_incarnation'),
  blank: wire.blank,
  draining: wire.draining,
  items: distinct(listOf(wire.items, 'items', SHARD_COUNT).map(itemFromWire), 'items', ({ shard }) => shard),
});

/** The answer, or what makes up the same as several. */
export function partsOf(answer: HoldAnswer): HoldAnswer[] {
  const parts: HoldAnswerItem[][] = [[]];
  let bytes = 0;
  for (const item of answer.items) {
    const itemBytes = item.kind === 'promised' && item.copies ? copyBytes(item.copies) : 0;
    if (bytes + itemBytes > PART_BYTES_MAX && bytes > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(item);
    bytes += itemBytes;
  }
  return parts.map((items) => ({ ...answer, items }));
}

function itemToWire(item: HoldAnswerItem): MessageInitShape<typeof HoldAnswerItemSchema> {
  const { shard, remembers } = item;
  const common = { shard, remembers, epoch: BigInt(item.epoch) };
  if (item.kind === 'refused') {
    const rest = Number.isFinite(item.restMs) ? { rest: spanToWire(item.restMs) } : {};
    const holder = item.holder === undefined ? {} : { holder: holderToWire(item.holder) };
    return { ...common, outcome: { case: 'refused', value: { reason: REASONS[item.reason], ...holder, ...rest } } };
  }
  const quiet = Number.isFinite(item.quietMs) ? { quiet: spanToWire(item.quietMs) } : {};
  const copies = item.copies === undefined ? {} : { copies: copySetToWire(item.copies) };
  const value = { priorEpoch: BigInt(item.priorEpoch), ...quiet, ...copies };
  return { ...common, outcome: { case: 'promised', value } };
}

function itemFromWire({ shard, remembers, epoch, outcome }: WireItem): HoldAnswerItem {
  const common = { shard: shardFrom(shard), remembers, epoch: numberOf(epoch, 'epoch') };
  switch (outcome.case) {
    case 'promised': {
      const { priorEpoch, quiet, copies } = outcome.value;
      return {
        ...{ kind: 'promised', ...common, priorEpoch: numberOf(priorEpoch, 'prior_epoch') },
        quietMs: quiet === undefined ? Infinity : spanFrom(quiet, 'quiet'),
        ...(copies && { copies: copySetFromWire(copies) }),
      };
    }
    case 'refused': {
      const { reason, holder, rest } = outcome.value;
      return {
        ...{ kind: 'refused', ...common, reason: nameOf(REASON_NAMES, reason, 'reason') },
        ...(holder && { holder: holderFromWire(holder, 'holder') }),
        restMs: rest === undefined ? Infinity : spanFrom(rest, 'rest'),
      };
    }
    default:
      throw new BadMessage('outcome', 'is missing');
  }
}
