interface Timer {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** Time that moves from event to event. Events of one moment run in the order in which they were scheduled. */
export class VirtualTime {
  /** A binary heap. */
  private readonly timers: Timer[] = [];
  private order = 0;
  now = 0;

  after(delayMs: number, action: () => void): void {
    const timer = { at: this.now + Math.max(0, delayMs), order: this.order++, action };
    const { timers } = this;
    let place = timers.push(timer) - 1;
    for (let above; place > 0 && isSooner(timer, timers[(above = (place - 1) >> 1)]); place = above)
      timers[place] = timers[above] as Timer;
    timers[place] = timer;
  }

  /** Runs everything up to a time, and then it is that time. */
  runUntil(endMs: number): void {
    for (let first = this.timers[0]; first !== undefined && first.at <= endMs; first = this.timers[0]) {
      this.removeFirst();
      this.now = first.at;
      first.action();
    }
    this.now = endMs;
  }

  private removeFirst(): void {
    const { timers } = this;
    const last = timers.pop();
    if (last === undefined || timers.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (isSooner(timers[below + 1], timers[below])) below++;
      if (!isSooner(timers[below], last)) break;
      timers[place] = timers[below] as Timer;
      place = below;
    }
    timers[place] = last;
  }
}

const isSooner = (a: Timer | undefined, b: Timer | undefined): boolean =>
  a !== undefined && (b === undefined || a.at < b.at || (a.at === b.at && a.order < b.order));
