import type { Random } from '@tutti/base';

/** What goes wrong with messages. Rates are from 0 to 1. */
export interface Faults {
  readonly delayMs: number;
  /** Added to the delay, up to so much. */
  readonly spreadMs: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Some messages take up to so much longer, second copies up to three times that. */
  readonly slowRate: number;
  readonly slowMs: number;
}

export const CALM: Faults = {
  ...{ delayMs: 1, spreadMs: 0, lossRate: 0, duplicateRate: 0, slowRate: 0, slowMs: 0 },
};
export const GOOD: Faults = { ...CALM, spreadMs: 4 };
export const ROUGH: Faults = {
  ...{ delayMs: 1, spreadMs: 30, lossRate: 0.05, duplicateRate: 0.2, slowRate: 0.1, slowMs: 900 },
};

/** Says when each copy of a message arrives, if any does. */
export class SimNetwork {
  faults: Faults = CALM;
  private readonly cuts = new Set<string>();

  constructor(private readonly random: Random) {}

  /** These two cannot talk. */
  cut(a: string, b: string): void {
    this.cuts.add(`${a}>${b}`).add(`${b}>${a}`);
  }

  /** Nothing goes this way. */
  cutOneWay(from: string, to: string): void {
    this.cuts.add(`${from}>${to}`);
  }

  heal(): void {
    this.cuts.clear();
  }

  delaysMs(from: string, to: string): number[] {
    const { delayMs, spreadMs, lossRate, duplicateRate, slowRate, slowMs } = this.faults;
    if (this.cuts.has(`${from}>${to}`)) return [];
    const { random } = this;
    const usualMs = delayMs + spreadMs * random();
    const delays = random() < lossRate ? [] : [usualMs + (random() < slowRate ? slowMs * random() : 0)];
    if (random() < duplicateRate) delays.push(usualMs + 3 * slowMs * random());
    return delays;
  }
}
