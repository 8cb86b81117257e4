import type { SimWorld } from './sim-world.js';

interface Departure {
  readonly since: number;
  readonly shards: ReadonlyMap<number, number>;
  /** It hands over, so that whoever answers after it deals from the first answer on. */
  readonly isOrderly: boolean;
}

/** How long it takes, after an owner died or began to leave, until slots are dealt that could not be dealt meanwhile. */
export class RedealWatch {
  readonly redealsMs: number[] = [];
  private pending: Departure | undefined;

  constructor(private readonly world: SimWorld) {}

  /** This one owned these shards, in these epochs, and is about to be no more. */
  ownerLeaves(shards: ReadonlyMap<number, number>, isOrderly: boolean): void {
    if (shards.size > 0 && this.pending === undefined) this.pending = { since: this.world.time.now, shards, isOrderly };
  }

  /**
   * A coordinator was answered, perhaps that it may run more. After a resignation an answer ends the watch, too, when each slot that
   * anybody could use is used: there is nothing to deal, and may be nothing for a second.
   */
  answered(shard: number, epoch: number, mayRunMore: boolean): void {
    const before = this.pending?.shards.get(shard);
    if (this.pending === undefined || before === undefined || epoch <= before) return;
    if (!mayRunMore && !(this.pending.isOrderly && this.world.checks.isAllUsed)) return;
    this.redealsMs.push(this.world.time.now - this.pending.since);
    this.pending = undefined;
  }
}
