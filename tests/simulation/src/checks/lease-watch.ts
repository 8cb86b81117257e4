import type { FenceList } from '@tutti/resource-groups';
import type { SimWorld } from '../world/sim-world.js';

interface Lease {
  readonly incarnation: number;
  readonly epoch: number;
  readonly seq: number;
}

/**
 * A4: when an owner ends a lease because of time, its holder knows already that it is over, by its own clock. Workers would
 * refuse what is started late, so that A1 holds all the same. Not for worlds in which machines are suspended: a short
 * suspension makes a lease longer than anybody knows.
 */
export class LeaseWatch {
  private readonly leases = new Map<string, Lease>();
  private readonly seen = new Set<string>();
  private readonly isUseful: boolean;

  constructor(private readonly world: SimWorld) {
    this.isUseful = !world.plan.faults.some((fault) => fault.kind === 'pause' && fault.isSuspended);
  }

  /** A coordinator has heard that its lease of a shard holds. */
  renewed(coordinatorId: string, shard: number, lease: Lease): void {
    this.leases.set(`${coordinatorId}/${shard}`, lease);
  }

  /** An owner has told a worker what to refuse. */
  fencesTold(shard: number, { epoch, fences }: FenceList): void {
    if (!this.isUseful) return;
    for (const fence of fences) {
      const { coordinatorId, incarnation } = fence;
      const name = `${shard}/${coordinatorId}/${incarnation}/${fence.epoch}/${fence.seq}`;
      if (this.seen.has(name)) continue;
      this.seen.add(name);
      const lease = this.leases.get(`${coordinatorId}/${shard}`);
      if (lease === undefined || lease.incarnation !== incarnation) continue;
      if (lease.epoch > fence.epoch || (lease.epoch === fence.epoch && lease.seq > fence.seq)) continue;
      const coordinator = this.world.coordinators.find((each) => each.name === coordinatorId);
      if (!coordinator?.isAlive || coordinator.incarnation !== incarnation || !coordinator.reliesOn(shard)) continue;
      this.world.checks.violate('A4', `the lease of ${coordinatorId} is ended in epoch ${epoch} while it relies on it`);
    }
  }
}
