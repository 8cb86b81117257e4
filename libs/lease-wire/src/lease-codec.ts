// The messages of a stream of leases.
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { type NodeId, nodeId } from '@tutti/base';
import type {
  LeaseRequest,
  LeaseRequestSchema,
  LeaseResponse,
  LeaseResponseSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type CoordinatorLife, SHARD_COUNT } from '@tutti/resource-groups';
import { demandFromWire, demandToWire, type ShardDemand } from './demand-codec.js';
import { grantFromWire, grantToWire, type ShardGrant } from './grant-codec.js';
import { distinct, listOf, nodeFrom, numberOf, shardFrom } from './wire-fields.js';

/** A message has at most so many grants: of one turn there are several for a shard at most. */
export const GRANTS_MAX = 1_024;
/** Longer than any resource manager is silent after its start. */
const DEALS_IN_MS_MAX = 600_000;

/** A shard that a resource manager says it owns. */
export interface OwnedShard {
  readonly shard: number;
  readonly epoch: number;
}

/** What a coordinator says. */
export interface LeaseAsk {
  readonly life: CoordinatorLife;
  /** At most one for each shard. */
  readonly demands: readonly ShardDemand[];
}

/** What a resource manager says. */
export interface LeaseTelling {
  readonly resourceManagerId: NodeId;
  /** All that it owns; undefined: as it said last. */
  readonly owned?: readonly OwnedShard[] | undefined;
  /** Told with `owned` by one that has just started: after so long at most it may help to decide who owns. */
  readonly dealsInMs?: number | undefined;
  readonly grants: readonly ShardGrant[];
}

export const leaseRequestToWire = (
  life: CoordinatorLife,
  demands: readonly ShardDemand[],
): MessageInitShape<typeof LeaseRequestSchema> => ({
  coordinatorId: life.coordinatorId,
  incarnation: BigInt(life.incarnation),
  demands: demands.map(({ shard, demand }) => demandToWire(shard, demand)),
});

export function leaseRequestFromWire(request: LeaseRequest): LeaseAsk {
  const coordinatorId = nodeFrom(request.coordinatorId, 'coordinator_id');
  const life = { coordinatorId, incarnation: numberOf(request.incarnation, 'incarnation', 1) };
  const demands = listOf(request.demands, 'demands', SHARD_COUNT).map((demand) => demandFromWire(demand, life));
  return { life, demands: distinct(demands, 'demands', ({ shard }) => shard) };
}

export const leaseResponseToWire = (telling: LeaseTelling): MessageInitShape<typeof LeaseResponseSchema> => ({
  resourceManagerId: telling.resourceManagerId,
  grants: telling.grants.map(({ shard, grant }) => grantToWire(shard, grant)),
  ...(telling.dealsInMs !== undefined && { dealsIn: durationFromMs(Math.ceil(telling.dealsInMs)) }),
  ...(telling.owned && {
    owned: { shards: telling.owned.map(({ shard, epoch }) => ({ shard, epoch: BigInt(epoch) })) },
  }),
});

export function leaseResponseFromWire(response: LeaseResponse): LeaseTelling {
  const grants = listOf(response.grants, 'grants', GRANTS_MAX).map(grantFromWire);
  const resourceManagerId = nodeId(nodeFrom(response.resourceManagerId, 'resource_manager_id'));
  if (response.owned === undefined) return { resourceManagerId, owned: undefined, grants };
  const shards = listOf(response.owned.shards, 'owned', SHARD_COUNT).map(({ shard, epoch }) => ({
    ...{ shard: shardFrom(shard), epoch: numberOf(epoch, 'epoch', 1) },
  }));
  const dealsInMs = response.dealsIn && Math.min(DEALS_IN_MS_MAX, Math.max(0, durationMs(response.dealsIn)));
  const owned = distinct(shards, 'owned', ({ shard }) => shard);
  return { resourceManagerId, owned, ...(dealsInMs !== undefined && { dealsInMs }), grants };
}
