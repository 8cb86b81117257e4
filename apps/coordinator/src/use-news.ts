import type { Clock } from '@tutti/base';
import type { LiveQuery } from './live-query.js';

/** What a query uses is told this long after it changed, and so at most this often. */
const GATHER_MS = 100;

/** Tells what running queries use now and then, however often that changes. */
export class UseNews {
  private readonly running = new Set<LiveQuery>();
  private readonly changed = new Set<LiveQuery>();
  private pending = false;

  constructor(
    private readonly clock: Clock,
    private readonly tell: (query: LiveQuery) => void,
  ) {}

  /** From now on it is told what `query` uses. */
  watch(query: LiveQuery): void {
    this.running.add(query);
  }

  onUse(query: LiveQuery): void {
    if (!this.running.has(query)) return;
    this.changed.add(query);
    if (this.pending) return;
    this.pending = true;
    this.clock.schedule(GATHER_MS, () => {
      this.pending = false;
      const changed = [...this.changed];
      this.changed.clear();
      for (const one of changed) this.tell(one);
    });
  }

  /** The query is over: tells the last figures at once. */
  end(query: LiveQuery): void {
    this.forget(query);
    this.tell(query);
  }

  /** The query does not run any more, and has used nothing. */
  forget(query: LiveQuery): void {
    this.running.delete(query);
    this.changed.delete(query);
  }
}
