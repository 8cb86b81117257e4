/** Milliseconds on a monotonic clock of this process: for measuring, never for showing, never sent to another machine. */
export type Instant = number & { readonly __brand: 'Instant' };

/** Reads a number as an Instant. For tests and for clocks; everything else gets its instants from a Clock. */
export const instant = (ms: number): Instant => ms as Instant;

/** Where time comes from. Pure code takes `now: Instant`; code that waits takes a Clock. */
export interface Clock {
  /** Monotonic time. */
  now(): Instant;
  /** Wall time in Unix milliseconds: for showing and for incarnations, never for ages. */
  wallMs(): number;
  /** Runs `action` once, `delayMs` from now; the returned function cancels it. */
  schedule(delayMs: number, action: () => void): () => void;
}

/** The clock of the machine. Its timers do not keep a process alive that has nothing else to do. */
export const systemClock: Clock = {
  now: () => instant(performance.now()),
  wallMs: () => Date.now(),
  schedule(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or at once when `signal` aborts. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
