import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  LeafDemand as WireLeaf,
  LeafDemandSchema,
  LeaseDemand,
  LeaseDemandSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { CoordinatorLife, Demand, LeafDemand } from '@tutti/resource-groups';
import { BadMessage, distinct, groupFrom, listOf, numberOf, shardFrom, spanFrom, spanToWire } from './wire-fields.js';

/** A demand names at most so many leaf groups; a message has no room for more of them anyway. */
export const LEAVES_MAX = 65_536;
const OLDEST_MAX = 8;

/** A coordinator's demand for one shard. */
export interface ShardDemand {
  readonly shard: number;
  readonly demand: Demand;
}

/** The life of the coordinator travels once for all demands of a message. */
export const demandToWire = (shard: number, demand: Demand): MessageInitShape<typeof LeaseDemandSchema> => ({
  shard,
  seq: BigInt(demand.seq),
  ownerEpoch: BigInt(demand.ownerEpoch),
  baseSeq: BigInt(demand.baseSeq ?? 0),
  epochSeen: BigInt(demand.epochSeen),
  stampEpoch: BigInt(demand.stamp.epoch),
  stampSeq: BigInt(demand.stamp.seq),
  lapsed: demand.isLapsed,
  leaves: demand.leaves.map(leafToWire),
});

export function demandFromWire(wire: LeaseDemand, life: CoordinatorLife): ShardDemand {
  const seq = numberOf(wire.seq, 'seq', 1);
  const baseSeq = numberOf(wire.baseSeq, 'base_seq');
  if (baseSeq >= seq) throw new BadMessage('base_seq', `is ${baseSeq}, but must be before seq ${seq}`);
  const demand = {
    coordinatorId: life.coordinatorId,
    incarnation: life.incarnation,
    seq,
    ownerEpoch: numberOf(wire.ownerEpoch, 'owner_epoch', 1),
    baseSeq: baseSeq === 0 ? undefined : baseSeq,
    epochSeen: numberOf(wire.epochSeen, 'epoch_seen'),
    stamp: { epoch: numberOf(wire.stampEpoch, 'stamp_epoch'), seq: numberOf(wire.stampSeq, 'stamp_seq') },
    isLapsed: wire.lapsed,
    leaves: distinct(listOf(wire.leaves, 'leaves', LEAVES_MAX).map(leafFromWire), 'leaves', ({ group }) => group),
  };
  return { shard: shardFrom(wire.shard), demand };
}

const leafToWire = (leaf: LeafDemand): MessageInitShape<typeof LeafDemandSchema> => ({
  group: leaf.group,
  template: leaf.template === leaf.group ? '' : leaf.template,
  running: leaf.running,
  held: leaf.held,
  waiting: leaf.waiting,
  oldest: leaf.oldest.map(({ ageMs, priority }) => ({ age: spanToWire(ageMs), priority })),
  slack: leaf.slack,
  ...(leaf.cpuMs !== undefined && { cpuTime: spanToWire(leaf.cpuMs) }),
});

function leafFromWire({ group, template, running, held, waiting, oldest, slack, cpuTime }: WireLeaf): LeafDemand {
  if (held < running) throw new BadMessage('held', `is ${held}, but ${running} run in ${group}`);
  return {
    group: groupFrom(group),
    template: template === '' ? group : groupFrom(template, 'template'),
    ...{ running, held, waiting, slack },
    oldest: listOf(oldest, 'oldest', OLDEST_MAX).map(({ age, priority }) => ({
      ageMs: spanFrom(age, 'age'),
      priority,
    })),
    ...(cpuTime !== undefined && { cpuMs: spanFrom(cpuTime, 'cpu_time') }),
  };
}
