import { shardOfGroup } from '../seats/shard.js';
import type { DeskMembership } from './desk-events.js';
import type { GroupLevel } from './deal-tree.js';
import type { OwnerEvent } from './owner-events.js';

type Measured = Extract<OwnerEvent, { kind: 'measured' }>;

/** What was last measured, by shard. */
export class DeskMeasures {
  private cluster: Measured['cluster'] | undefined;
  private levels = new Map<number, GroupLevel[]>();

  take({ cluster, levels }: Measured): void {
    this.cluster = cluster;
    this.levels = new Map();
    for (const level of levels) {
      const shard = shardOfGroup(level.group);
      const among = this.levels.get(shard);
      if (among === undefined) this.levels.set(shard, [level]);
      else among.push(level);
    }
  }

  /** What the owner of a shard is told; undefined when nothing was measured yet. */
  of(shard: number): Measured | undefined {
    const { cluster } = this;
    return cluster && { kind: 'measured', cluster, levels: this.levels.get(shard) ?? [] };
  }
}

/** Whether nobody has come, gone or begun anew; lists in another order count as changed. */
export function isSameMembership(a: DeskMembership, b: DeskMembership): boolean {
  if (a.coordinators.length !== b.coordinators.length || a.workers.length !== b.workers.length) return false;
  const areCoordinatorsSame = a.coordinators.every(({ coordinatorId, incarnation }, index) => {
    const other = b.coordinators[index];
    return coordinatorId === other?.coordinatorId && incarnation === other.incarnation;
  });
  return (
    areCoordinatorsSame &&
    a.workers.every(({ workerId, incarnation }, index) => {
      const other = b.workers[index];
      return workerId === other?.workerId && incarnation === other.incarnation;
    })
  );
}
