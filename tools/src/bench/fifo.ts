import { type Instant, invariant, type QueryId } from '@tutti/base';
import type { GroupCounts, GroupEffect, GroupEvent } from '@tutti/resource-groups';
import type { Machine } from './group-load.js';

/** The least that admission can cost: one queue in an array, one counter, no groups, nobody else to ask. */
export class Fifo implements Machine {
  private queue: QueryId[] = [];
  private first = 0;
  private readonly running = new Set<QueryId>();

  constructor(private readonly runningMax: number) {}

  apply(event: GroupEvent, _now: Instant): GroupEffect[] {
    if (event.kind === 'submitted') this.queue.push(event.queryId);
    else if (event.kind === 'finished') this.running.delete(event.queryId);
    if (this.running.size >= this.runningMax || this.first === this.queue.length) return [];
    const queryId = this.queue[this.first++];
    invariant(queryId !== undefined, 'a query that waits');
    if (this.first > this.queue.length / 2) {
      this.queue = this.queue.slice(this.first);
      this.first = 0;
    }
    this.running.add(queryId);
    return [{ kind: 'start', queryId }];
  }

  counts(): readonly GroupCounts[] {
    return [];
  }
}
