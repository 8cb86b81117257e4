// The queries that wait in one leaf group, in the order in which they will start.
//   Q3. fair: first come, first served. weighted_fair and query_priority: the highest priority first, of equal ones the
//       first that came. weighted: shares by priority, and nobody waits for ever.
import type { SchedulingPolicy } from './group-config.js';
import { LeafClaims } from './leaf-claims.js';
import type { LiveQuery } from './live-query.js';
import { SortedList } from './sorted-list.js';

export class LeafQueue {
  readonly claims = new LeafClaims();
  private list = new SortedList<LiveQuery>();
  /** For `weighted`: the key of the query that started last. */
  private virtualTime = 0;

  constructor(private policy: SchedulingPolicy) {}

  get size(): number {
    return this.list.size;
  }

  get first(): LiveQuery | undefined {
    return this.list.first;
  }

  /** The query that the next claim would be for. */
  get firstUnclaimed(): LiveQuery | undefined {
    return this.list.at(this.claims.all);
  }

  add(query: LiveQuery): void {
    query.orderKey = this.keyOf(query);
    this.list.add(query);
  }

  /** Takes back a query that has started: it has its old place, if the same policy orders them. */
  putBack(query: LiveQuery): void {
    if (this.policy !== 'weighted') query.orderKey = this.keyOf(query);
    else if (query.orderKey <= 0) query.orderKey = 1 / query.priority; // As if it had been there when the policy changed.
    this.list.add(query);
  }

  /** Takes out a query: it starts, or it ended before. */
  remove(query: LiveQuery): void {
    this.list.remove(query);
  }

  /** Notes that a query starts, before it is removed. */
  starts(query: LiveQuery): void {
    this.virtualTime = Math.max(this.virtualTime, query.orderKey);
  }

  /** How many queries stand before one. */
  positionOf(query: LiveQuery): number {
    return this.list.rankOf(query);
  }

  /** The first ones, at most so many. */
  firstOf(count: number): LiveQuery[] {
    return this.list.firstOf(count);
  }

  inOrder(): Iterable<LiveQuery> {
    return this.list;
  }

  /** Sorts anew by another policy; under the new one all came in the order in which they really did. */
  reorder(policy: SchedulingPolicy): void {
    if (policy === this.policy) return;
    this.policy = policy;
    this.virtualTime = 0;
    const all = [...this.list].sort((a, b) => a.number - b.number);
    this.list = new SortedList();
    for (const query of all) this.add(query);
  }

  /**
   * For `weighted`: weighted fair queueing of jobs of the same size (Demers, Keshav and Shenker, 1989). A query's key is
   * the virtual time at which it came plus the inverse of its priority; what starts moves the virtual time on.
   */
  private keyOf({ priority }: LiveQuery): number {
    switch (this.policy) {
      case 'fair':
        return 0;
      case 'weighted':
        return this.virtualTime + 1 / priority;
      default:
        return -priority;
    }
  }
}
