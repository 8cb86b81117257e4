// The parts of an owner's ledger, as seats send them to each other.
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CopyEntry as WireEntry,
  CopyEntrySchema,
  CopySet as WireSet,
  CopySetSchema,
} from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { COPY_LIMITS, type CopyEntry, type CopySet } from '@tutti/resource-groups';
import { BadMessage, GROUP_LENGTH_MAX, listOf, NODE_ID_LENGTH_MAX, numberOf, textOf } from './wire-fields.js';

/** What several seats kept together may be more than one of them would take in. */
const ENTRIES_MAX = 2 * COPY_LIMITS.entriesMax;
/** A key names a coordinator, its life and a group. */
const KEY_LENGTH_MAX = GROUP_LENGTH_MAX + 2 * NODE_ID_LENGTH_MAX;
/** Payloads are a few numbers. */
const PAYLOAD_BYTES_MAX = 1_024;

export const entryToWire = ({ key, epoch, seq, payload }: CopyEntry): MessageInitShape<typeof CopyEntrySchema> => ({
  ...{ key, epoch: BigInt(epoch), seq: BigInt(seq) },
  ...(payload !== undefined && { payload }),
});

export const copySetToWire = ({ base, entries }: CopySet): MessageInitShape<typeof CopySetSchema> => ({
  baseEpoch: BigInt(base.epoch),
  baseSeq: BigInt(base.seq),
  entries: entries.map(entryToWire),
});

export const entriesFromWire = (entries: readonly WireEntry[]): CopyEntry[] =>
  listOf(entries, 'entries', ENTRIES_MAX).map(entryFromWire);

export const copySetFromWire = ({ baseEpoch, baseSeq, entries }: WireSet): CopySet => ({
  base: { epoch: numberOf(baseEpoch, 'base_epoch'), seq: numberOf(baseSeq, 'base_seq') },
  entries: entriesFromWire(entries),
});

/** How long the entries are on the wire, about. */
export const copyBytes = ({ entries }: CopySet): number =>
  entries.reduce((sum, { key, payload }) => sum + ENTRY_BYTES + key.length + (payload?.byteLength ?? 0), 0);

const ENTRY_BYTES = 24;

function entryFromWire({ key, epoch, seq, payload }: WireEntry): CopyEntry {
  if (payload !== undefined && payload.byteLength > PAYLOAD_BYTES_MAX)
    throw new BadMessage('payload', `has ${payload.byteLength} bytes; at most ${PAYLOAD_BYTES_MAX} are taken`);
  return {
    key: textOf(key, 'key', KEY_LENGTH_MAX),
    epoch: numberOf(epoch, 'epoch', 1),
    seq: numberOf(seq, 'seq'),
    payload,
  };
}
