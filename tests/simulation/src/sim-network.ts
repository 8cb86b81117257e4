import type { Random } from '@tutti/base';
import type { VirtualTime } from './virtual-time.js';

export interface NetworkFaults {
  /** Usual delay of a message, one way; single ones take up to ten times as long. */
  readonly delayMs: number;
  /** Part of the messages that takes up to slowMs, and so is overtaken by later ones. */
  readonly slowRate: number;
  readonly slowMs: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
}

export const calmNetwork: NetworkFaults = { delayMs: 1, slowRate: 0, slowMs: 0, lossRate: 0, duplicateRate: 0 };

/** Carries messages: late, twice, in another order, or never. */
export class SimNetwork {
  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
    private readonly faults: NetworkFaults,
  ) {}

  send(deliver: () => void): void {
    const { lossRate, duplicateRate } = this.faults;
    if (this.random() >= lossRate) this.time.after(this.delay(), deliver);
    if (this.random() < duplicateRate) this.time.after(this.delay(), deliver);
  }

  private delay(): number {
    const { delayMs, slowRate, slowMs } = this.faults;
    if (this.random() < slowRate) return this.random() * slowMs;
    // Exponential, cut at ten times the usual.
    return Math.min(10, -Math.log(1 - this.random())) * delayMs;
  }
}
