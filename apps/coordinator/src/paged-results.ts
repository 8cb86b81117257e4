// The rows of a submitted query, page by page.
//   R1. Page tokens count: '0', '1', ...; '' is the first page too. A token stands until the end. One page is kept: its token may be asked again until the
//       next one has been asked.
//   R2. A page is made once, whoever asks for it at the same time.
//   R3. The last page is the end: with it everything has been delivered.
import type { Clock } from '@tutti/base';
import type { LiveQuery } from './live-query.js';

export interface ResultPage {
  /** Whole JSON lines. */
  readonly lines: readonly Uint8Array[];
  readonly nextPageToken: string;
}

export type PageOutcome =
  | { readonly kind: 'page'; readonly page: ResultPage }
  /** The token is neither that of the kept page nor that of the next. */
  | { readonly kind: 'gone' }
  /** The query ended badly; `query.failure` says why. */
  | { readonly kind: 'failed' };

export class PagedResults {
  private kept: { readonly number: number; readonly page: ResultPage } | undefined;
  private making: Promise<PageOutcome> | undefined;

  constructor(
    readonly query: LiveQuery,
    private readonly options: {
      /** What a batch of lines weighs in an answer, in bytes. */
      readonly weigh: (lines: Uint8Array) => number;
      /** A page is closed when it weighs this much; the last batch in it may go beyond. */
      readonly pageBytes: number;
      readonly clock: Clock;
    },
  ) {}

  /** What the kept page holds. */
  get keptBytes(): number {
    return (this.kept?.page.lines ?? []).reduce((sum, lines) => sum + lines.length, 0);
  }

  /** The page of `token`; an empty one with the same token when there is nothing within `maxWaitMs`. */
  async fetch(token: string, maxWaitMs: number, signal: AbortSignal): Promise<PageOutcome> {
    const asked = token === '' ? tokenOf(0) : token;
    if (this.kept && asked === tokenOf(this.kept.number)) return { kind: 'page', page: this.kept.page }; // R1
    const number = (this.kept?.number ?? -1) + 1;
    if (asked !== tokenOf(number)) return { kind: 'gone' };
    this.making ??= this.make(number, maxWaitMs, signal).finally(() => (this.making = undefined)); // R2
    return this.making;
  }

  private async make(number: number, maxWaitMs: number, signal: AbortSignal): Promise<PageOutcome> {
    const { query } = this;
    const { clock, weigh, pageBytes } = this.options;
    const until = clock.now() + maxWaitMs;
    const first = await this.nextLines(until, signal);
    if (query.failure) return { kind: 'failed' };
    if (first === undefined && !this.complete) {
      return { kind: 'page', page: { lines: [], nextPageToken: tokenOf(number) } };
    }
    const lines: Uint8Array[] = [];
    const gatherUntil = Math.min(until, clock.now() + GATHER_MS);
    for (let weight = 0, next = first; next !== undefined; next = await this.nextLines(gatherUntil, signal)) {
      lines.push(next);
      weight += weigh(next);
      if (weight >= pageBytes) break;
    }
    if (query.failure) return { kind: 'failed' };
    const isLast = this.complete;
    if (isLast && !query.ended) query.apply({ kind: 'delivered' }); // R3
    const page = { lines, nextPageToken: isLast ? '' : tokenOf(number + 1) };
    this.kept = { number, page };
    return { kind: 'page', page };
  }

  /** The next batch; undefined when there is none by `until`, or when there will be none. */
  private async nextLines(until: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { query } = this;
    const { clock } = this.options;
    for (;;) {
      const next = query.rows.take();
      const leftMs = until - clock.now();
      if (next !== undefined || this.complete || query.ended || leftMs <= 0 || signal.aborted) return next;
      await query.bell.wait(signal, { clock, ms: leftMs });
    }
  }

  /** All rows have been taken, and the task has said that there are no more. */
  private get complete(): boolean {
    return this.query.rows.drained && (this.query.ended || this.query.state === 'finishing');
  }
}

/** How long a page that is not full waits for more: a small result should be one page, and the last one. */
const GATHER_MS = 50;

const tokenOf = (number: number): string => String(number);
