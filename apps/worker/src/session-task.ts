// A session task: an executor and the exchange files of one query on this worker, and the fragments that run there.
import type { Clock, Instant } from '@tutti/base';
import type { ExecutorSession } from '@tutti/engine';
import type { ExchangeSession, SessionFetches } from '@tutti/exchange';
import { FragmentQueue } from './fragment-queue.js';
import { type FragmentPart, type FragmentRequest, FragmentTask, sessionCrashed } from './fragment-run.js';
import { withTicks } from './with-ticks.js';

export interface SessionTaskOptions {
  readonly executor: Promise<ExecutorSession>;
  readonly exchange: ExchangeSession;
  readonly fetches: SessionFetches;
  /** Aborts when the task is stopped. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface SessionCounts {
  readonly exchangeBytes: number;
  readonly fetchedBytes: number;
  readonly fragmentsDone: number;
  readonly fragmentsOpen: number;
}

/** Why a fragment was not taken. */
export type FragmentRefusal = 'knownFragment' | 'queueFull';

/** Fragments that wait in a session. */
export const FRAGMENTS_QUEUED_MAX = 64;
/** Fragments whose inputs are fetched before it is their turn to run. */
const FETCH_AHEAD = 2;
const STATUS_INTERVAL_MS = 300;

export class SessionTask {
  private readonly queue = new FragmentQueue({ queuedMax: FRAGMENTS_QUEUED_MAX, fetchAhead: FETCH_AHEAD });
  private readonly fragments = new Map<string, FragmentTask>();
  private readonly over = new AbortController();
  private freeSince: Instant;
  private done = 0;
  /** Resolves when the executor is ready; rejects when there is none. */
  readonly opened: Promise<unknown>;
  /** Rejects when the session is over, with what ended it. Never resolves. */
  readonly failed: Promise<never>;

  constructor(private readonly options: SessionTaskOptions) {
    const { executor, signal, clock } = options;
    this.freeSince = clock.now();
    this.opened = executor.then((session) => session.opened);
    this.opened.catch(() => undefined); // What follows tells of it.
    this.failed = new Promise((_, reject) => {
      this.over.signal.addEventListener('abort', () => reject(this.over.signal.reason as Error), { once: true });
    });
    this.failed.catch(() => undefined); // Whoever reads the session hears of it.
    const end = (error: unknown) => this.over.abort(error);
    signal.addEventListener('abort', () => end(signal.reason), { once: true });
    executor.then((session) => {
      session.opened.catch(end);
      void session.ended.then(() => end(sessionCrashed()));
    }, end);
  }

  get counts(): SessionCounts {
    const { heldBytes: exchangeBytes, fetchedBytes } = this.options.exchange;
    return { exchangeBytes, fetchedBytes, fragmentsDone: this.done, fragmentsOpen: this.queue.size };
  }

  /** Takes a fragment; its parts must be read to the end, or `signal` aborted. Returns why not, if it is refused. */
  run(request: FragmentRequest, signal: AbortSignal): FragmentRefusal | AsyncIterable<FragmentPart> {
    const { executor, exchange, fetches, clock } = this.options;
    if (exchange.hasFragment(request.id)) return 'knownFragment';
    const host = {
      ...{ executor, exchange, fetches, clock },
      fetched: (id: string) => this.apply({ kind: 'fetched', id }),
      freed: (id: string) => this.freed(id),
      ended: (id: string, isDone: boolean) => this.ended(id, isDone),
      freeSince: () => this.freeSince,
    };
    const fragment = new FragmentTask(request, host, AbortSignal.any([signal, this.over.signal]));
    const refusal = this.apply({ kind: 'asked', id: request.id }, fragment);
    if (refusal !== undefined) return refusal;
    const tick = (): FragmentPart => ({ kind: 'status', status: fragment.report() });
    return withTicks(fragment.parts(), { clock, intervalMs: STATUS_INTERVAL_MS, tick });
  }

  private apply(event: Parameters<FragmentQueue['apply']>[0], fragment?: FragmentTask): FragmentRefusal | undefined {
    const effects = this.queue.apply(event);
    for (const effect of effects) if (effect.kind === 'refuse') return effect.reason;
    if (fragment !== undefined) this.fragments.set(event.id, fragment);
    for (const effect of effects) {
      if (effect.kind === 'fetch') this.fragments.get(effect.id)?.mayFetch();
      if (effect.kind === 'run') this.fragments.get(effect.id)?.mayRun();
    }
    return undefined;
  }

  private freed(id: string): void {
    this.freeSince = this.options.clock.now();
    this.apply({ kind: 'ended', id });
  }

  private ended(id: string, isDone: boolean): void {
    this.fragments.delete(id);
    if (isDone) this.done++;
    else this.freed(id);
  }
}
