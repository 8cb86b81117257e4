import type { Clock, Instant } from '../clock.js';
import { instant } from '../clock.js';

/** A clock that moves when it is told. Timers run in the order of their time, then of their creation. */
export class FakeClock implements Clock {
  private timers: { readonly at: number; readonly order: number; readonly action: () => void }[] = [];
  private order = 0;

  constructor(
    private nowMs = 0,
    private readonly wallStartMs = 1_700_000_000_000,
  ) {}

  now(): Instant {
    return instant(this.nowMs);
  }

  wallMs(): number {
    return this.wallStartMs + this.nowMs;
  }

  schedule(delayMs: number, action: () => void): () => void {
    const timer = { at: this.nowMs + Math.max(0, delayMs), order: this.order++, action };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Moves time forward while nothing runs: timers that are due ring at the next `advance`, late. */
  standStill(ms: number): void {
    this.nowMs += ms;
  }

  /** Moves time forward, runs the timers that are due, and lets promises settle after each of them. */
  async advance(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await settle();
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.nowMs = Math.max(this.nowMs, due.at);
      due.action();
      await settle();
    }
    this.nowMs = end;
    await settle();
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
