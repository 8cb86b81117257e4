// What workers are told, what they say of it, and what tasks carry.
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  FenceList as WireFenceList,
  FenceListSchema,
  FencesKept as WireFencesKept,
  FencesKeptSchema,
  TaskLease,
  TaskLeaseSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type FenceList, SHARD_COUNT, type TaskStamp } from '@tutti/resource-groups';
import { distinct, groupFrom, listOf, nodeFrom, numberOf, shardFrom } from './wire-fields.js';

/** A list has at most so many fences, and so many root groups: a file has no more. */
export const FENCES_MAX = 10_000;
const ROOT_GROUPS_MAX = 10_000;

/** Why a worker did not take a task: the reasons of its errors. */
export const LEASE_FENCED = 'LEASE_FENCED';
export const LEASE_REQUIRED = 'LEASE_REQUIRED';
export const WORKER_NOT_ENROLLED = 'WORKER_NOT_ENROLLED';

/** Which tasks are refused in the groups of one shard. */
export interface ShardFences {
  readonly shard: number;
  readonly list: FenceList;
}

/** The list that a worker keeps to in one shard. */
export interface FencesKept {
  readonly shard: number;
  readonly epoch: number;
  readonly version: number;
}

/** The lease by which a query was started. */
export interface ShardStamp {
  readonly shard: number;
  readonly stamp: TaskStamp;
}

export const fenceListToWire = ({ shard, list }: ShardFences): MessageInitShape<typeof FenceListSchema> => ({
  shard,
  epoch: BigInt(list.epoch),
  version: BigInt(list.version),
  epochFloor: BigInt(list.epochFloor),
  fences: list.fences.map(({ coordinatorId, incarnation, epoch, seq }) => ({
    ...{ coordinatorId, incarnation: BigInt(incarnation), epoch: BigInt(epoch), seq: BigInt(seq) },
  })),
  leasedRootGroups: [...list.leasedRootGroups],
  exemptRootGroups: [...list.exemptRootGroups],
});

export function fenceListFromWire(wire: WireFenceList): ShardFences {
  const fences = listOf(wire.fences, 'fences', FENCES_MAX).map(({ coordinatorId, incarnation, epoch, seq }) => ({
    coordinatorId: nodeFrom(coordinatorId, 'coordinator_id'),
    incarnation: numberOf(incarnation, 'incarnation'),
    epoch: numberOf(epoch, 'epoch'),
    seq: numberOf(seq, 'seq'),
  }));
  return {
    shard: shardFrom(wire.shard),
    list: {
      epoch: numberOf(wire.epoch, 'epoch', 1),
      version: numberOf(wire.version, 'version'),
      epochFloor: numberOf(wire.epochFloor, 'epoch_floor'),
      fences: distinct(fences, 'fences', ({ coordinatorId }) => coordinatorId),
      leasedRootGroups: rootGroupsFrom(wire.leasedRootGroups, 'leased_root_groups'),
      exemptRootGroups: rootGroupsFrom(wire.exemptRootGroups, 'exempt_root_groups'),
    },
  };
}

const rootGroupsFrom = (names: readonly string[], field: string): string[] =>
  listOf(names, field, ROOT_GROUPS_MAX).map((name) => groupFrom(name, field));

/** The lists in the answer to a worker's report. */
export const fenceListsFromWire = (wires: readonly WireFenceList[]): ShardFences[] =>
  distinct(listOf(wires, 'fences', SHARD_COUNT).map(fenceListFromWire), 'fences', ({ shard }) => shard);

export const fencesKeptToWire = (kept: readonly FencesKept[]): MessageInitShape<typeof FencesKeptSchema>[] =>
  kept.map(({ shard, epoch, version }) => ({ shard, epoch: BigInt(epoch), version: BigInt(version) }));

export const fencesKeptFromWire = (wires: readonly WireFencesKept[]): FencesKept[] =>
  distinct(
    listOf(wires, 'fences_kept', SHARD_COUNT).map(({ shard, epoch, version }) => ({
      ...{ shard: shardFrom(shard), epoch: numberOf(epoch, 'epoch'), version: numberOf(version, 'version') },
    })),
    'fences_kept',
    ({ shard }) => shard,
  );

/** The id of the coordinator travels beside it. */
export const taskLeaseToWire = ({ shard, stamp }: ShardStamp): MessageInitShape<typeof TaskLeaseSchema> => ({
  shard,
  coordinatorIncarnation: BigInt(stamp.incarnation),
  epoch: BigInt(stamp.epoch),
  seq: BigInt(stamp.seq),
});

export const taskLeaseFromWire = (lease: TaskLease, coordinatorId: string): ShardStamp => ({
  shard: shardFrom(lease.shard),
  stamp: {
    coordinatorId: nodeFrom(coordinatorId, 'coordinator_id'),
    incarnation: numberOf(lease.coordinatorIncarnation, 'coordinator_incarnation', 1),
    epoch: numberOf(lease.epoch, 'epoch', 1),
    seq: numberOf(lease.seq, 'seq', 1),
  },
});
