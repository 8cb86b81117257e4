// Queries that have ended. Pure.
//   H1. The entries together hold at most `bytesMax`; the oldest go first.
//   H2. No entry stays longer than `keepMs` after it ended.
import type { Instant } from '@tutti/base';
import type { QuerySession, QuerySnapshot } from './query.js';

interface Entry {
  query: QuerySnapshot;
  readonly endedAt: Instant;
  readonly bytes: number;
}

/** What an entry costs besides its texts: the objects around them. */
const ENTRY_BYTES = 600;

/** About what an ended query costs in memory; texts are two bytes per character at worst. */
export const historyBytesOf = (query: QuerySnapshot): number =>
  ENTRY_BYTES +
  2 * (query.statement.length + query.group.length + (query.failure?.message.length ?? 0)) +
  2 * (query.wholeReason?.length ?? 0) +
  2 * sessionLengthOf(query.session);

/** Letters of the texts, and a little for each tag. */
const sessionLengthOf = ({ user, source, principal, clientInfo, clientTags }: QuerySession): number =>
  clientTags.reduce((sum, tag) => sum + tag.length + 16, 0) +
  user.length +
  source.length +
  principal.length +
  clientInfo.length;

export class QueryHistory {
  private readonly byId = new Map<string, Entry>();
  /** In the order of their ends; what lies before `head` has been forgotten. */
  private order: Entry[] = [];
  private head = 0;
  private heldBytes = 0;

  constructor(private readonly limits: { readonly bytesMax: number; readonly keepMs: number }) {}

  get bytes(): number {
    return this.heldBytes;
  }

  get size(): number {
    return this.byId.size;
  }

  add(query: QuerySnapshot, now: Instant): void {
    const entry = { query, endedAt: now, bytes: historyBytesOf(query) };
    if (entry.bytes > this.limits.bytesMax) return; // H1: it alone is more than all may hold.
    this.byId.set(query.queryId, entry);
    this.order.push(entry);
    this.heldBytes += entry.bytes;
    this.expire(now);
  }

  /** The last figures of a query that has ended; nothing when it is forgotten already. */
  amend({ queryId, use }: Pick<QuerySnapshot, 'queryId' | 'use'>): void {
    const entry = this.byId.get(queryId);
    if (entry) entry.query = { ...entry.query, use };
  }

  get(queryId: string): QuerySnapshot | undefined {
    return this.byId.get(queryId)?.query;
  }

  /** The newest first. */
  *newest(): Generator<QuerySnapshot> {
    for (const entry of this.newestEntries()) yield entry.query;
  }

  /** The newest first: at most `countMax`, that ended at `since` or later. */
  recent(since: Instant, countMax: number): QuerySnapshot[] {
    const found: QuerySnapshot[] = [];
    for (const entry of this.newestEntries()) {
      if (found.length >= countMax || entry.endedAt < since) break;
      found.push(entry.query);
    }
    return found;
  }

  expire(now: Instant): void {
    for (;;) {
      const oldest = this.order[this.head];
      if (oldest === undefined) break;
      if (this.heldBytes <= this.limits.bytesMax && now - oldest.endedAt <= this.limits.keepMs) break;
      this.head++;
      this.heldBytes -= oldest.bytes;
      this.byId.delete(oldest.query.queryId);
    }
    if (this.head > 1_000 && this.head * 2 > this.order.length) {
      this.order = this.order.slice(this.head);
      this.head = 0;
    }
  }

  private *newestEntries(): Generator<Entry> {
    for (let index = this.order.length - 1; index >= this.head; index--) yield this.order[index] as Entry;
  }
}
