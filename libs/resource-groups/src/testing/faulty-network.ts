import type { Random } from '@tutti/base';

/** What goes wrong with messages. Rates are from 0 to 1. */
export interface NetworkFaults {
  readonly delayMs: number;
  /** Added to the delay, up to so much. */
  readonly spreadMs: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Some messages take up to so much longer. */
  readonly slowRate: number;
  readonly slowMs: number;
  /** A second copy may come long after, when what it says is over: up to so many times slowMs. */
  readonly secondCopySlowness: number;
}

/** Says when each copy of a message arrives, if any does. */
export class FaultyNetwork {
  /** Pairs `from>to` that cannot talk. */
  private readonly cuts = new Set<string>();

  constructor(
    private readonly random: Random,
    public faults: NetworkFaults,
  ) {}

  /** Nothing goes this way any more. */
  cutOneWay(from: string, to: string): void {
    if (from !== to) this.cuts.add(`${from}>${to}`);
  }

  /** These two cannot talk. */
  cut(a: string, b: string): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  /** Only those of the same part can talk. Who is in no part is alone. */
  split(everybody: readonly string[], parts: readonly (readonly string[])[]): void {
    this.heal();
    for (const from of everybody)
      for (const to of everybody)
        if (!parts.some((part) => part.includes(from) && part.includes(to))) this.cutOneWay(from, to);
  }

  heal(): void {
    this.cuts.clear();
  }

  delaysMs(from: string, to: string): number[] {
    const { delayMs, spreadMs, lossRate, duplicateRate, slowRate, slowMs, secondCopySlowness } = this.faults;
    if (this.cuts.has(`${from}>${to}`)) return [];
    const { random } = this;
    const delayedMs = delayMs + spreadMs * random();
    const delays = random() < lossRate ? [] : [delayedMs + (random() < slowRate ? slowMs * random() : 0)];
    if (random() < duplicateRate) delays.push(delayedMs + secondCopySlowness * slowMs * random());
    return delays;
  }
}
