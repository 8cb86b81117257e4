import type { Random } from '@tutti/base';
import type { SeatId } from '../shard.js';

/** What goes wrong with messages. Rates are from 0 to 1. */
export interface NetworkFaults {
  readonly delayMs: number;
  /** Added to the delay, up to so much. */
  readonly spreadMs: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Some messages take up to so much longer, second copies up to five times that. */
  readonly slowRate: number;
  readonly slowMs: number;
}

export const CALM: NetworkFaults = {
  ...{ delayMs: 10, spreadMs: 0, lossRate: 0, duplicateRate: 0, slowRate: 0, slowMs: 0 },
};
export const GOOD: NetworkFaults = { ...CALM, delayMs: 1, spreadMs: 5 };
export const ROUGH: NetworkFaults = {
  ...{ delayMs: 1, spreadMs: 40, lossRate: 0.05, duplicateRate: 0.3, slowRate: 0.15, slowMs: 900 },
};

/** Says when each copy of a message arrives, if any does. */
export class SeatNetwork {
  faults: NetworkFaults = CALM;
  /** Pairs `from>to` that cannot talk. */
  private readonly cuts = new Set<string>();

  constructor(private readonly random: Random) {}

  /** Only seats of the same part can talk. Seats in no part are alone. */
  split(seats: readonly SeatId[], parts: readonly (readonly SeatId[])[]): void {
    this.heal();
    for (const from of seats) {
      for (const to of seats) if (!parts.some((part) => part.includes(from) && part.includes(to))) this.cut(from, to);
    }
  }

  /** Nothing goes this way any more. */
  cut(from: SeatId, to: SeatId): void {
    if (from !== to) this.cuts.add(`${from}>${to}`);
  }

  heal(): void {
    this.cuts.clear();
  }

  delaysMs(from: SeatId, to: SeatId): number[] {
    const { delayMs, spreadMs, lossRate, duplicateRate, slowRate, slowMs } = this.faults;
    if (this.cuts.has(`${from}>${to}`)) return [];
    const { random } = this;
    const delayedMs = delayMs + spreadMs * random();
    const delays = random() < lossRate ? [] : [delayedMs + (random() < slowRate ? slowMs * random() : 0)];
    // A second copy may come long after: what it says is over by then.
    if (random() < duplicateRate) delays.push(delayedMs + 5 * slowMs * random());
    return delays;
  }
}
