import { Code, type ServiceImpl } from '@connectrpc/connect';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import type { Clock, NodeId } from '@tutti/base';
import type { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import type { CoordinatorStatus } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type { QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { GroupCounts, ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { UsageLedger } from '@tutti/resource-groups';
import { rpcError } from '@tutti/service';
import type { FakeLeaseDesk } from './fake-lease-desk.js';

/** A resource manager in memory: the real ledger of usage, the real desk of leases, and the queries that coordinators report. */
export class FakeResourceManager {
  /** Questions about usage. */
  asked = 0;
  /** Once the groups are known. */
  leases: FakeLeaseDesk | undefined;
  readonly queries = new Map<string, QueryInfo>();
  /** Of the last question of each coordinator. */
  readonly configVersions = new Map<string, string>();
  private readonly ledger = new UsageLedger({ expireAfterMs: 10_000 });

  private isReachable = true;

  constructor(
    readonly id: NodeId,
    private readonly clock: Clock,
  ) {}

  get reachable(): boolean {
    return this.isReachable;
  }

  set reachable(isReachable: boolean) {
    this.isReachable = isReachable;
    this.leases?.cut(!isReachable);
  }

  /** Messages of coordinators about admission so far. */
  get admissionMessages(): number {
    return this.asked + (this.leases?.demandMessages ?? 0);
  }

  report(coordinatorId: string, incarnation: number, sequence: number, status: CoordinatorStatus): void {
    if (!this.reachable) return;
    this.record(coordinatorId, incarnation, sequence, status.groups);
    for (const query of status.queries) this.queries.set(query.queryId, query);
  }

  readonly usage: Partial<ServiceImpl<typeof ResourceGroupService>> = {
    getUsage: ({ nodeId, incarnation, sequence, groups, configVersion }) => {
      this.asked++;
      this.configVersions.set(nodeId, configVersion);
      this.checkReachable();
      if (nodeId !== '') this.record(nodeId, Number(incarnation), Number(sequence), groups);
      const asker = nodeId === '' ? undefined : { coordinatorId: nodeId, incarnation: Number(incarnation) };
      const answer = this.ledger.usageFor(asker, this.clock.now());
      return {
        resourceManagerId: this.id,
        resourceManagerIncarnation: 1n,
        knownRound: BigInt(answer.knownRound),
        cpu: [...answer.cpu].map(([group, usedMs]) => ({ group, used: durationFromMs(Math.round(usedMs)) })),
        groups: [...answer.groups].map(([group, { running, queued, claimsAhead, memoryBytes }]) => ({
          group,
          running,
          queued,
          memoryBytes: BigInt(memoryBytes),
          claimsAhead: claimsAhead.map(({ round, count }) => ({ round: BigInt(round), count })),
        })),
        coordinators: answer.coordinators.map(({ coordinatorId, ageMs }) => ({
          nodeId: coordinatorId,
          age: durationFromMs(Math.floor(ageMs)),
        })),
      };
    },
    lease: (requests, context) => {
      this.checkReachable();
      if (this.leases === undefined) throw rpcError(Code.Unavailable, 'no groups yet', { reason: 'TEST_NO_GROUPS' });
      return this.leases.lease(requests, context);
    },
    listResourceGroups: () => ({ groups: [{ group: 'global', ...this.leases?.view('global') }] }),
  };

  readonly cluster: Partial<ServiceImpl<typeof ClusterService>> = {
    getCluster: () => {
      this.checkReachable();
      return { resourceManagerId: this.id, synced: true };
    },
    listQueries: () => {
      this.checkReachable();
      return { queries: [...this.queries.values()] };
    },
    getQuery: ({ queryId }) => {
      this.checkReachable();
      const query = this.queries.get(queryId);
      if (query === undefined) throw rpcError(Code.NotFound, 'not heard of', { reason: 'QUERY_NOT_FOUND' });
      return { query };
    },
  };

  private record(coordinatorId: string, incarnation: number, sequence: number, groups: readonly GroupCounts[]): void {
    const counts = groups.map(({ $typeName: _, $unknown: __, cpuTime, cpuQuotaCores, ...group }) => ({
      ...group,
      claimRound: Number(group.claimRound),
      memoryBytes: Number(group.memoryBytes),
      cpuMs: cpuTime ? durationMs(cpuTime) : 0,
      cpuQuotaMsPerSecond: cpuQuotaCores * 1_000,
    }));
    this.ledger.record({ coordinatorId, incarnation, sequence, groups: counts }, this.clock.now());
  }

  private checkReachable(): void {
    if (!this.reachable) throw rpcError(Code.Unavailable, 'no answer', { reason: 'TEST_UNREACHABLE' });
  }
}
