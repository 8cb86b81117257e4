// A bidirectional stream over one connection.
//   B1. What one end sends arrives at the other in its order, or not at all; nothing after something that is lost.
//   B2. While the way is cut messages wait; who gets nothing through for too long gives the stream up.
//   B3. An end that closed hears nothing more. The other end hears that it closed after all that was sent before, or, when
//       that does not come through, by its keepalive.
import type { SimNetwork } from './sim-network.js';
import type { SimProcess } from './sim-process.js';
import type { Timeline } from './timeline.js';

/** What an end does when the stream is over; it hears so once, and not when it closed the stream itself. */
export interface StreamEnd {
  readonly onClosed: () => void;
}

interface Way {
  lastAt: number;
  /** What waits until the way is free. */
  readonly waiting: (() => void)[];
  cutSince: number;
}

const PROBE_MS = 250;
const GIVEN_UP_MS = 9_000;

/** 0 is the end that opened it, 1 the other. */
export type EndIndex = 0 | 1;

export class SimStream {
  private readonly ends: [StreamEnd, StreamEnd | undefined];
  private readonly isOpen: [boolean, boolean] = [true, false];
  private readonly lives: readonly [number, number];
  private readonly ways: readonly [Way, Way] = [newWay(), newWay()];
  private isBroken = false;

  constructor(
    private readonly network: SimNetwork,
    private readonly time: Timeline,
    private readonly processes: readonly [SimProcess, SimProcess],
    own: StreamEnd,
    accept: (stream: SimStream) => StreamEnd,
  ) {
    this.ends = [own, undefined];
    this.lives = [processes[0].life, processes[1].life];
    if (!processes[1].isAlive) {
      // Nobody listens there.
      this.time.after(network.delayMs() * 2, () => this.tell(0));
      return;
    }
    this.carry(0, () => {
      if (this.isBroken) return;
      this.isOpen[1] = true;
      this.ends[1] = accept(this);
    });
  }

  /** Whether this end may still send. */
  isOpenAt(end: EndIndex): boolean {
    return this.isOpen[end];
  }

  /** B1 */
  send(from: EndIndex, deliver: () => void): void {
    if (!this.isOpen[from]) return;
    if (this.network.breaks()) return this.break();
    this.carry(from, () => {
      if (this.isOpen[other(from)]) deliver();
    });
  }

  close(end: EndIndex): void {
    if (!this.isOpen[end]) return;
    this.isOpen[end] = false;
    this.carry(end, () => this.hearClosed(other(end)));
  }

  /** The process at one end is gone; its machine says so when it still stands. */
  died(end: EndIndex, isLoud: boolean): void {
    this.isOpen[end] = false;
    if (isLoud) this.carry(end, () => this.hearClosed(other(end)));
    else this.tell(other(end), GIVEN_UP_MS);
  }

  private break(): void {
    this.isBroken = true;
    for (const end of [0, 1] as const) this.tell(end, this.network.delayMs());
  }

  private tell(end: EndIndex, delayMs = 0): void {
    this.time.after(delayMs, () => this.processes[end].deliver(this.lives[end], () => this.hearClosed(end)));
  }

  private hearClosed(end: EndIndex): void {
    if (!this.isOpen[end]) return;
    this.isOpen[end] = false;
    this.ends[end]?.onClosed();
  }

  private carry(from: EndIndex, deliver: () => void): void {
    const way = this.ways[from];
    if (this.isBroken) return;
    if (way.waiting.length > 0) {
      way.waiting.push(deliver);
      return;
    }
    if (this.network.isCut(this.processes[from], this.processes[other(from)])) {
      way.waiting.push(deliver);
      way.cutSince = this.time.now;
      this.probe(from);
      return;
    }
    this.transmit(from, deliver);
  }

  private transmit(from: EndIndex, deliver: () => void): void {
    const way = this.ways[from];
    const to = other(from);
    way.lastAt = Math.max(way.lastAt, this.time.now + this.network.streamDelayMs());
    this.time.after(way.lastAt - this.time.now, () => {
      if (!this.isBroken) this.processes[to].deliver(this.lives[to], deliver);
    });
  }

  /** B2 */
  private probe(from: EndIndex): void {
    this.time.after(PROBE_MS, () => {
      const way = this.ways[from];
      if (this.isBroken) return;
      if (!this.network.isCut(this.processes[from], this.processes[other(from)])) {
        for (const deliver of way.waiting.splice(0)) this.transmit(from, deliver);
      } else if (this.time.now - way.cutSince > GIVEN_UP_MS) {
        this.break();
      } else this.probe(from);
    });
  }
}

const newWay = (): Way => ({ lastAt: 0, waiting: [], cutSince: 0 });
const other = (end: EndIndex): EndIndex => (end === 0 ? 1 : 0);
