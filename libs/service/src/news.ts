import type { Clock } from '@tutti/base';

/** Wakes those who wait for something to change. Many changes within `coalesceMs` are one piece of news. */
export class News {
  private editionCount = 0;
  private pending = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly clock: Clock,
    private readonly coalesceMs: number,
  ) {}

  /** Number of the newest edition. Take it before you read what the news is about, then wait for a later one. */
  get edition(): number {
    return this.editionCount;
  }

  /** Something changed: there will be a new edition within `coalesceMs`. */
  tell(): void {
    if (this.pending) return;
    this.pending = true;
    this.clock.schedule(this.coalesceMs, () => {
      this.pending = false;
      this.editionCount++;
      for (const wake of [...this.waiting]) wake();
    });
  }

  /** Resolves when there is an edition later than `seen`, after `waitMaxMs`, or when `signal` aborts. Never rejects. */
  next(seen: number, waitMaxMs: number, signal: AbortSignal): Promise<void> {
    if (this.editionCount > seen || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.clock.schedule(waitMaxMs, done);
      this.waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
