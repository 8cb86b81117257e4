// The rows of a submitted query, page by page.
//   R1. Page tokens count: '' is page 0, then '1', '2', ... One page is kept: its token may be asked again until the
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
    if (this.kept && token === tokenOf(this.kept.number)) return { kind: 'page', page: this.kept.page }; // R1
    const number = (this.kept?.number ?? -1) + 1;
    if (token !== tokenOf(number)) return { kind: 'gone' };
    this.making ??= this.make(number, maxWaitMs, signal).finally(() => (this.making = undefined)); // R2
    return this.making;
  }

  private async make(number: number, maxWaitMs: number, signal: AbortSignal): Promise<PageOutcome> {
    const { query } = this;
    const { clock, weigh, pageBytes } = this.options;
    const until = clock.now() + maxWaitMs;
    let next = query.rows.take();
    while (next === undefined && !query.rows.drained && !query.ended) {
      const leftMs = until - clock.now();
      if (leftMs <= 0 || signal.aborted) {
        return { kind: 'page', page: { lines: [], nextPageToken: tokenOf(number) } };
      }
      await query.bell.wait(signal, { clock, ms: leftMs });
      next = query.rows.take();
    }
    if (query.failure) return { kind: 'failed' };
    const lines: Uint8Array[] = [];
    for (let weight = 0; next !== undefined; next = weight < pageBytes ? query.rows.take() : undefined) {
      lines.push(next);
      weight += weigh(next);
    }
    // The rows may be complete while the task is still saying so: then an empty last page follows.
    const isLast = query.rows.drained && (query.ended || query.state === 'finishing');
    if (isLast && !query.ended) query.apply({ kind: 'delivered' }); // R3
    const page = { lines, nextPageToken: isLast ? '' : tokenOf(number + 1) };
    this.kept = { number, page };
    return { kind: 'page', page };
  }
}

const tokenOf = (number: number): string => (number === 0 ? '' : String(number));
