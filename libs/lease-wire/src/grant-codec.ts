import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  GrantKind as WireGrantKind,
  type LeafCap as WireCap,
  type LeafCapSchema,
  type LeafHint as WireHint,
  type LeaseGrant,
  type LeaseGrantSchema,
  WishMode as WireWishMode,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { Grant, GrantKind, WishMode } from '@tutti/resource-groups';
import { LEAVES_MAX } from './demand-codec.js';
import { GROUP_LENGTH_MAX, groupFrom, listOf, nameOf, namesOf, numberOf } from './wire-fields.js';
import { BadMessage, shardFrom, spanFrom, spanToWire } from './wire-fields.js';

/** What the owner of one shard grants. */
export interface ShardGrant {
  readonly shard: number;
  readonly grant: Grant;
}

const KINDS: Readonly<Record<GrantKind, WireGrantKind>> = {
  renewed: WireGrantKind.RENEWED,
  refused: WireGrantKind.REFUSED,
  lapsed: WireGrantKind.LAPSED,
  resend: WireGrantKind.RESEND,
  pushed: WireGrantKind.PUSHED,
};
const KIND_NAMES = namesOf(KINDS);
const MODES: Readonly<Record<WishMode, WireWishMode>> = {
  none: WireWishMode.NONE,
  spare: WireWishMode.SPARE,
  ends: WireWishMode.ENDS,
  stop: WireWishMode.STOP,
};
const MODE_NAMES = namesOf(MODES);

export const grantToWire = (shard: number, grant: Grant): MessageInitShape<typeof LeaseGrantSchema> => ({
  shard,
  kind: KINDS[grant.kind],
  epoch: BigInt(grant.epoch),
  number: BigInt(grant.number),
  ackSeq: BigInt(grant.ackSeq),
  ttl: spanToWire(grant.ttlMs),
  caps: grant.caps.map(capToWire),
  wishes: grant.wishes.map(({ group, mode, keep }) => ({ group, mode: MODES[mode], keep })),
  hints: grant.hints.map(({ isApproximate, ...hint }) => ({ ...hint, approximate: isApproximate })),
});

export const grantFromWire = (wire: LeaseGrant): ShardGrant => ({
  shard: shardFrom(wire.shard),
  grant: {
    kind: nameOf(KIND_NAMES, wire.kind, 'kind'),
    epoch: numberOf(wire.epoch, 'epoch', 1),
    number: numberOf(wire.number, 'number', 1),
    ackSeq: numberOf(wire.ackSeq, 'ack_seq'),
    ttlMs: spanFrom(wire.ttl, 'ttl'),
    caps: listOf(wire.caps, 'caps', LEAVES_MAX).map(capFromWire),
    wishes: listOf(wire.wishes, 'wishes', LEAVES_MAX).map(({ group, mode, keep }) => ({
      ...{ group: groupFrom(group), mode: nameOf(MODE_NAMES, mode, 'mode'), keep },
    })),
    hints: listOf(wire.hints, 'hints', LEAVES_MAX).map(hintFromWire),
  },
});

const capToWire = ({ group, cap, cpuBudgetMs }: Grant['caps'][number]): MessageInitShape<typeof LeafCapSchema> =>
  cpuBudgetMs === undefined ? { group, cap } : { group, cap, cpuBudget: spanToWire(cpuBudgetMs) };

const capFromWire = ({ group, cap, cpuBudget }: WireCap): Grant['caps'][number] => ({
  ...{ group: groupFrom(group), cap },
  ...(cpuBudget !== undefined && { cpuBudgetMs: spanFrom(cpuBudget, 'cpu_budget') }),
});

function hintFromWire({ group, blockingGroup, limit, held, aheadElsewhere, approximate }: WireHint) {
  if (blockingGroup.length > GROUP_LENGTH_MAX) throw new BadMessage('blocking_group', 'is too long');
  return { group: groupFrom(group), blockingGroup, limit, held, aheadElsewhere, isApproximate: approximate };
}
