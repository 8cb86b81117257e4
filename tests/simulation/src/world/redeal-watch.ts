import type { SimWorld } from './sim-world.js';

/** How long it takes, after an owner died or began to leave, until slots are dealt that could not be dealt meanwhile. */
export class RedealWatch {
  readonly redealsMs: number[] = [];
  private pending: { readonly since: number; readonly shards: ReadonlyMap<number, number> } | undefined;

  constructor(private readonly world: SimWorld) {}

  /** This one owned these shards, in these epochs, and is about to be no more. */
  ownerLeaves(shards: ReadonlyMap<number, number>): void {
    if (shards.size > 0 && this.pending === undefined) this.pending = { since: this.world.time.now, shards };
  }

  /** A coordinator was told that it may run more. */
  raised(shard: number, epoch: number): void {
    const before = this.pending?.shards.get(shard);
    if (this.pending === undefined || before === undefined || epoch <= before) return;
    this.redealsMs.push(this.world.time.now - this.pending.since);
    this.pending = undefined;
  }
}
