import { type Instant, instant } from '@tutti/base';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** Time that moves from event to event. Events of one moment run in the order in which they were scheduled. */
export class VirtualTime {
  private readonly heap: Timer[] = [];
  private order = 0;
  private nowMs = 0;

  now(): Instant {
    return instant(this.nowMs);
  }

  /** Runs `action` after `delayMs`. */
  after(delayMs: number, action: () => void): void {
    const timer = { at: this.nowMs + Math.max(0, delayMs), order: this.order++, action };
    let index = this.heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, this.at(parent))) break;
      this.heap[index] = this.at(parent);
      index = parent;
    }
    this.heap[index] = timer;
  }

  /** Runs events until `endMs`, or until `isDone` says so after one. */
  run(endMs: number, isDone: () => boolean): void {
    while (this.heap.length > 0 && this.at(0).at <= endMs && !isDone()) {
      const timer = this.pop();
      this.nowMs = timer.at;
      timer.action();
    }
  }

  private pop(): Timer {
    const top = this.at(0);
    const last = this.heap.pop();
    if (this.heap.length === 0 || last === undefined) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.heap.length) break;
      if (child + 1 < this.heap.length && isBefore(this.at(child + 1), this.at(child))) child++;
      if (!isBefore(this.at(child), last)) break;
      this.heap[index] = this.at(child);
      index = child;
    }
    this.heap[index] = last;
    return top;
  }

  private at(index: number): Timer {
    const timer = this.heap[index];
    if (timer === undefined) throw new RangeError(`no timer at ${index}`);
    return timer;
  }
}

const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
