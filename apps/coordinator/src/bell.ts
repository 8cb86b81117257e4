import type { Clock } from '@tutti/base';

/**
 * Wakes those who wait for a change. It carries nothing: whoever wakes looks again. On one event loop nothing is
 * missed between looking and calling `wait`, as long as there is no await between them.
 */
export class Bell {
  private waiting = new Set<() => void>();

  ring(): void {
    const woken = this.waiting;
    this.waiting = new Set();
    for (const wake of woken) wake();
  }

  get hasWaiters(): boolean {
    return this.waiting.size > 0;
  }

  /** Resolves at the next ring, when `signal` aborts, or after `limit.ms`. Never rejects. */
  wait(signal?: AbortSignal, limit?: { readonly clock: Clock; readonly ms: number }): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      let cancelTimer: (() => void) | undefined = undefined;
      const done = () => {
        this.waiting.delete(done);
        signal?.removeEventListener('abort', done);
        cancelTimer?.();
        resolve();
      };
      this.waiting.add(done);
      signal?.addEventListener('abort', done, { once: true });
      if (limit) cancelTimer = limit.clock.schedule(limit.ms, done);
    });
  }
}
