import type { DeskWorld } from './desk-world.js';
import type { SimProcess } from './sim-process.js';

type Side = SimProcess<DeskWorld>;

/** How long it takes at most until a side notices that a stream is broken. */
const NOTICE_MS = 300;

/** Messages between two processes come in their order, or the stream breaks. Both sides notice some time later. */
export class DeskStream<From extends Side, To extends Side> {
  private isBroken = false;
  private readonly lastAt = new Map<Side, number>();
  private readonly onBreak = new Map<Side, () => void>();

  constructor(
    private readonly world: DeskWorld,
    readonly from: From,
    readonly to: To,
  ) {
    world.streams.add(this);
  }

  /** From now on a side wants to know when the stream breaks. */
  watch(side: Side, onBreak: () => void): void {
    if (this.isBroken) this.notice(side, onBreak);
    else this.onBreak.set(side, onBreak);
  }

  up(deliver: () => void): void {
    this.carry(this.from, this.to, deliver);
  }

  down(deliver: () => void): void {
    this.carry(this.to, this.from, deliver);
  }

  break(): void {
    if (this.isBroken) return;
    this.isBroken = true;
    this.world.streams.delete(this);
    for (const [side, onBreak] of this.onBreak) this.notice(side, onBreak);
  }

  private carry(from: Side, to: Side, deliver: () => void): void {
    const { time, network } = this.world;
    if (this.isBroken) return;
    const [delayMs] = network.delaysMs(from.name, to.name);
    if (delayMs === undefined) return this.break();
    const at = Math.max(time.now + delayMs, this.lastAt.get(to) ?? 0);
    this.lastAt.set(to, at);
    time.after(at - time.now, () => {
      if (!to.isAlive) this.break();
      if (!this.isBroken) to.run(deliver);
    });
  }

  private notice(side: Side, onBreak: () => void): void {
    side.after(NOTICE_MS * this.world.random(), onBreak);
  }
}
