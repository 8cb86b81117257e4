import type { Instant } from '@tutti/base';
import type { TaskStamp } from './leases/lease-messages.js';
import type { SeatId } from './seats/shard.js';
import type { ShardLeases } from './shard-leases.js';

/** What a task carries of a lease. */
export interface ShardStamp {
  readonly shard: number;
  readonly stamp: TaskStamp;
}

/** A leaf group in leased mode, as this coordinator has it. */
export interface LeaseFigure {
  readonly group: string;
  readonly shard: number;
  /** The resource manager that owns it; undefined when none is known. */
  readonly seat: SeatId | undefined;
  /** The highest epoch of an owner that is known. */
  readonly epoch: number;
  /** How many queries may run here. */
  readonly held: number;
  readonly running: number;
  readonly waiting: number;
  /** Whether the lease holds. */
  readonly isValid: boolean;
  /** Since the last demand that was answered was sent; undefined before the first. */
  readonly leaseAgeMs: number | undefined;
}

/** Of all leaf groups in which something is held, runs or waits. */
export function leaseFigures(shards: Iterable<ShardLeases>, now: Instant): LeaseFigure[] {
  const figures: LeaseFigure[] = [];
  for (const { shard, route, holder, inUse } of shards)
    for (const { group, waiting } of inUse) {
      const lease = holder.explain(group, now);
      if (lease === undefined) continue;
      const { held, running, isValid, leaseAgeMs, epoch } = lease;
      figures.push({
        ...{ group, shard, seat: route?.seat, epoch },
        ...{ held, running, waiting, isValid, leaseAgeMs },
      });
    }
  return figures;
}
