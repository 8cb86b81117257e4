import type { LiveQuery } from './live-query.js';

const SLACK = 64;

/**
 * Provisional queries, in the order in which they came. Those that were decided elsewhere, because they started or ended,
 * are skipped; what is skipped never takes more room than the rest.
 */
export class UndecidedQueries {
  private queries: LiveQuery[] = [];
  private skipped = 0;
  /** How many are provisional. */
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(query: LiveQuery): void {
    if (this.queries.length > 2 * this.count + SLACK) this.tidy();
    this.queries.push(query);
    this.count++;
  }

  /** Note that a query is not provisional any more. */
  leave(): void {
    this.count--;
  }

  /** The one that came first. */
  first(): LiveQuery | undefined {
    while (this.skipped < this.queries.length && !this.queries[this.skipped]?.isProvisional) this.skipped++;
    const first = this.queries[this.skipped];
    if (first === undefined) this.tidy();
    return first;
  }

  private tidy(): void {
    this.queries = this.queries.filter(({ isProvisional }) => isProvisional);
    this.skipped = 0;
  }
}
