// Carries messages between processes: late, twice, in another order, or never; and streams, which keep the order of what
// they carry, and break.
import type { Random } from '@tutti/base';
import type { SimProcess } from './sim-process.js';
import { SimStream, type StreamEnd } from './sim-stream.js';
import type { Timeline } from './timeline.js';

/** What goes wrong with messages. Rates are from 0 to 1. */
export interface NetworkFaults {
  readonly delayMs: number;
  /** Added to the delay, up to so much. */
  readonly spreadMs: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Some messages take up to `slowMs` longer, and so are overtaken by later ones. */
  readonly slowRate: number;
  readonly slowMs: number;
  /** How often a message is the last one of its stream. */
  readonly breakRate: number;
}

/** The second copy of a message may come when what it says is over. */
const SECOND_COPY_SLOWNESS = 3;
const PROCESSES_MAX = 256;

export class SimNetwork {
  /** How many cuts there are from one process to another. */
  private readonly cuts = new Map<number, number>();

  constructor(
    private readonly time: Timeline,
    private readonly random: Random,
    public faults: NetworkFaults,
  ) {}

  cut(from: readonly SimProcess[], to: readonly SimProcess[]): void {
    this.count(from, to, 1);
  }

  heal(from: readonly SimProcess[], to: readonly SimProcess[]): void {
    this.count(from, to, -1);
  }

  isCut(from: SimProcess, to: SimProcess): boolean {
    return this.cuts.size > 0 && this.cuts.has(from.index * PROCESSES_MAX + to.index);
  }

  /** Sends a message by itself. It reaches the process that lives there now, or nobody. */
  send(from: SimProcess, to: SimProcess, deliver: () => void): void {
    const { random } = this;
    const { lossRate, duplicateRate, slowRate, slowMs } = this.faults;
    if (this.isCut(from, to)) return;
    const { life } = to;
    const arrive = (): void => to.deliver(life, deliver);
    if (random() >= lossRate) this.time.after(this.delayMs() + (random() < slowRate ? slowMs * random() : 0), arrive);
    if (duplicateRate > 0 && random() < duplicateRate)
      this.time.after(this.delayMs() + SECOND_COPY_SLOWNESS * slowMs * random(), arrive);
  }

  /** Opens a stream; whoever it is opened to takes its end when it hears of it. */
  open(from: SimProcess, to: SimProcess, own: StreamEnd, accept: (stream: SimStream) => StreamEnd): SimStream {
    return new SimStream(this, this.time, [from, to], own, accept);
  }

  delayMs(): number {
    return this.faults.delayMs + this.faults.spreadMs * this.random();
  }

  /** The same for a stream: what was lost is sent again, and what is behind it waits. */
  streamDelayMs(): number {
    const { lossRate, slowRate, slowMs } = this.faults;
    const isLate = this.random() < lossRate + slowRate;
    return this.delayMs() + (isLate ? slowMs * this.random() : 0);
  }

  breaks(): boolean {
    const { breakRate } = this.faults;
    return breakRate > 0 && this.random() < breakRate;
  }

  private count(from: readonly SimProcess[], to: readonly SimProcess[], by: number): void {
    for (const a of from)
      for (const b of to) {
        if (a === b) continue;
        const pair = a.index * PROCESSES_MAX + b.index;
        const count = (this.cuts.get(pair) ?? 0) + by;
        if (count > 0) this.cuts.set(pair, count);
        else this.cuts.delete(pair);
      }
  }
}
