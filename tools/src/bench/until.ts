import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Asks until there is an answer, for what a cluster reaches in its own time. */
export async function until<T>(what: string, withinMs: number, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await delay(POLL_MS);
  }
}
