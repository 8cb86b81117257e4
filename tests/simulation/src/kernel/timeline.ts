interface Timer {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** Time that moves from event to event. Events of one moment run in the order in which they were scheduled. */
export class Timeline {
  /** True time in milliseconds: nobody in the world can read it. */
  now = 0;
  /** How many events there were. */
  steps = 0;
  /** A binary heap. */
  private readonly heap: Timer[] = [];
  private order = 0;

  /** Runs `action` after `delayMs`. */
  after(delayMs: number, action: () => void): void {
    const timer = { at: this.now + (delayMs > 0 ? delayMs : 0), order: this.order++, action };
    const { heap } = this;
    let place = heap.push(timer) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Timer;
      if (parent.at < timer.at || (parent.at === timer.at && parent.order < timer.order)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = timer;
  }

  /** Runs everything until `endMs`, or until `isDone` says so after an event. */
  run(endMs: number, isDone: () => boolean): void {
    for (let first = this.heap[0]; first !== undefined && first.at <= endMs; first = this.heap[0]) {
      this.removeFirst();
      this.now = first.at;
      this.steps++;
      first.action();
      if (isDone()) return;
    }
    this.now = endMs;
  }

  private removeFirst(): void {
    const { heap } = this;
    const last = heap.pop();
    const { length } = heap;
    if (length === 0 || last === undefined) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= length) break;
      let child = heap[below] as Timer;
      const other = heap[below + 1];
      if (other !== undefined && (other.at < child.at || (other.at === child.at && other.order < child.order))) {
        child = other;
        below++;
      }
      if (last.at < child.at || (last.at === child.at && last.order < child.order)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }
}
