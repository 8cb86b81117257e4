// Submitted queries whose rows wait for FetchResults.
//   S1. A query that nobody asks for within the client timeout is abandoned; who waits for a page asks for it.
//   S2. After its end the last page may be asked again for a while, so that an answer that got lost loses nothing; all
//       such pages together are bounded, the oldest go first.
import type { Clock } from '@tutti/base';
import { formatDuration } from '@tutti/base';
import { failure } from './core/query.js';
import type { LiveQuery } from './live-query.js';
import { type PageOutcome, PagedResults } from './paged-results.js';
import { wireBytesOfLines } from './row-codec.js';

interface Submitted {
  readonly results: PagedResults;
  askers: number;
  cancelTimer: () => void;
}

/** A page is about this big on the wire. */
const PAGE_BYTES = 1 << 20;
const LAST_PAGE_KEPT_MS = 60_000;
const LAST_PAGES_BYTES_MAX = 16 << 20;

export class SubmittedQueries {
  private readonly submitted = new Map<string, Submitted>();

  private clientTimeoutMs: number;

  constructor(private readonly options: { readonly clientTimeoutMs: number; readonly clock: Clock }) {
    this.clientTimeoutMs = options.clientTimeoutMs;
  }

  /** From now on a client has only this long: a coordinator that goes away does not wait for one that has left. */
  hurry(clientTimeoutMs: number): void {
    this.clientTimeoutMs = Math.min(this.clientTimeoutMs, clientTimeoutMs);
    for (const entry of this.submitted.values()) this.awaitClient(entry);
  }

  add(query: LiveQuery): void {
    const { clock } = this.options;
    const results = new PagedResults(query, { weigh: wireBytesOfLines, pageBytes: PAGE_BYTES, clock });
    const entry: Submitted = { results, askers: 0, cancelTimer: () => {} };
    this.submitted.set(query.queryId, entry);
    this.awaitClient(entry);
  }

  find(queryId: string): LiveQuery | undefined {
    return this.submitted.get(queryId)?.results.query;
  }

  /** A page of a query that `find` knows; undefined when it does not. */
  async fetch(
    queryId: string,
    token: string,
    maxWaitMs: number,
    signal: AbortSignal,
  ): Promise<PageOutcome | undefined> {
    const entry = this.submitted.get(queryId);
    if (entry === undefined) return undefined;
    entry.askers++;
    entry.cancelTimer();
    try {
      return await entry.results.fetch(token, maxWaitMs, signal);
    } finally {
      entry.askers--;
      this.awaitClient(entry);
      if (entry.results.query.ended) this.boundLastPages();
    }
  }

  /** S1. */
  private awaitClient(entry: Submitted): void {
    if (entry.askers > 0) return;
    const { clientTimeoutMs } = this;
    const { clock } = this.options;
    const { query } = entry.results;
    entry.cancelTimer();
    entry.cancelTimer = clock.schedule(query.ended ? LAST_PAGE_KEPT_MS : clientTimeoutMs, () => {
      this.submitted.delete(query.queryId);
      const message = `Nobody fetched the results of the query for ${formatDuration(clientTimeoutMs)}.`;
      query.apply({ kind: 'canceled', failure: failure('ABANDONED_QUERY', message) });
    });
  }

  /** S2. */
  private boundLastPages(): void {
    const ended = [...this.submitted].filter(([, { results }]) => results.query.ended);
    let bytes = ended.reduce((sum, [, { results }]) => sum + results.keptBytes, 0);
    for (const [queryId, { results, askers, cancelTimer }] of ended) {
      if (bytes <= LAST_PAGES_BYTES_MAX) return;
      if (askers > 0) continue;
      bytes -= results.keptBytes;
      cancelTimer();
      this.submitted.delete(queryId);
    }
  }
}
