// Ends a server so that its clients can tell what happened to their calls.
//   D1. A client never hears INTERNAL or CANCELED for a call that the drain ended: handlers are aborted first, with
//       UNAVAILABLE, and connections are cut a moment later.
//   D2. A drain ends, whatever clients do: at last the sockets themselves are destroyed.
//   D3. Probes and metrics answer until the end.
import { Code } from '@connectrpc/connect';
import { type Clock, sleep } from '@tutti/base';
import { rpcError } from './errors.js';
import type { HealthState } from './health.js';
import type { Log } from './log.js';

/** The moment between aborting the handlers and cutting the connections. */
const ABORT_MS = 1_000;
/** When a caller that was cut off may try again, elsewhere or here. */
const RETRY_AFTER_MS = 1_000;

interface Closable {
  /** Takes no more work; resolves when all connections are closed. */
  close(): Promise<void>;
  destroy(): void;
}

export function createDrain(options: {
  readonly health: HealthState;
  readonly draining: AbortController;
  readonly shutdown: AbortController;
  readonly servers: readonly Closable[];
  /** Closed when all the others are. */
  readonly last: readonly Closable[];
  readonly graceMs: number;
  readonly reason: string;
  readonly clock: Clock;
  readonly log: Log;
}): () => Promise<void> {
  let drained: Promise<void> | undefined;
  return () => (drained ??= drain(options));
}

async function drain(options: Parameters<typeof createDrain>[0]): Promise<void> {
  const { health, draining, shutdown, servers, last, graceMs, clock, log } = options;
  const startedAt = clock.now();
  health.setReady(false, 'draining');
  draining.abort(rpcError(Code.Unavailable, 'the server is draining', { reason: options.reason }));
  const closed = Promise.all(servers.map((server) => server.close()));
  let outcome = 'finished';
  if (!(await within(clock, closed, graceMs))) {
    outcome = 'aborted';
    const details = { reason: options.reason, retryAfterMs: RETRY_AFTER_MS };
    shutdown.abort(rpcError(Code.Unavailable, 'the server is shutting down', details));
    if (!(await within(clock, closed, ABORT_MS))) outcome = 'cut';
  }
  for (const server of servers) server.destroy();
  await closed;
  const lastClosed = Promise.all(last.map((server) => server.close()));
  for (const server of last) server.destroy();
  await lastClosed;
  log.info('drained', { outcome, durationMs: Math.round(clock.now() - startedAt) });
}

/** Whether `work` ends within a time. */
async function within(clock: Clock, work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const over = new AbortController();
  const ended = work.then(() => true);
  const late = sleep(clock, limitMs, over.signal).then(() => false);
  const result = await Promise.race([ended, late]);
  over.abort();
  return result;
}
