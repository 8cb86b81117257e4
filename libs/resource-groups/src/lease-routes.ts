// Which resource manager owns which shard, as they say themselves.
//   L1. Of several that say so the one with the highest epoch counts: it is the newest owner.
//   L2. Whoever cannot be reached owns nothing here. Another one may then count that was an owner before: it hears of the
//       higher epoch, and owns the shard anew or not at all.
import type { SeatId } from './seats/shard.js';

export interface OwnedShard {
  readonly shard: number;
  readonly epoch: number;
}

/** The owner of a shard. */
export interface LeaseRoute {
  readonly seat: SeatId;
  readonly epoch: number;
}

export class LeaseRoutes {
  private readonly bySeat = new Map<SeatId, ReadonlyMap<number, number>>();

  /** Takes in all that a resource manager owns, or nothing when it cannot be reached. */
  set(seat: SeatId, shards: readonly OwnedShard[]): void {
    if (shards.length === 0) this.bySeat.delete(seat);
    else this.bySeat.set(seat, new Map(shards.map(({ shard, epoch }) => [shard, epoch])));
  }

  /** The owner of a shard; undefined when none is known. */
  of(shard: number): LeaseRoute | undefined {
    let best: LeaseRoute | undefined;
    for (const [seat, epochs] of this.bySeat) {
      const epoch = epochs.get(shard);
      if (epoch !== undefined && epoch > (best?.epoch ?? -1)) best = { seat, epoch };
    }
    return best;
  }
}
