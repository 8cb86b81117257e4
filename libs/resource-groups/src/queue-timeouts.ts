import type { GroupNode } from './group-node.js';
import { IndexedHeap } from './indexed-heap.js';
import type { LiveQuery } from './live-query.js';

/** The shortest queueTimeout of a group and those above it; of equal ones the nearest. */
export function queueTimeoutOf(leaf: GroupNode): { readonly group: GroupNode; readonly timeoutMs: number } | undefined {
  let shortest: { readonly group: GroupNode; readonly timeoutMs: number } | undefined;
  for (const group of leaf.lineage) {
    const timeoutMs = group.spec.queueTimeoutMs;
    if (timeoutMs !== undefined && timeoutMs < (shortest?.timeoutMs ?? Infinity)) shortest = { group, timeoutMs };
  }
  return shortest;
}

/** The queries that may not wait for ever, by when their time is over. */
export class QueueTimeouts {
  private readonly heap = new IndexedHeap<LiveQuery>((a, b) => a.deadlineAt < b.deadlineAt);

  enter(query: LiveQuery): void {
    query.deadlineAt = query.queuedSince + (queueTimeoutOf(query.leaf)?.timeoutMs ?? Infinity);
    if (query.deadlineAt < Infinity) this.heap.add(query);
  }

  leave(query: LiveQuery): void {
    this.heap.remove(query);
  }

  /** The query whose time has been over for longest. Take it out before you ask again. */
  overdue(now: number): LiveQuery | undefined {
    const { first } = this.heap;
    return first !== undefined && first.deadlineAt <= now ? first : undefined;
  }

  /** Times have changed. */
  restart(queued: Iterable<LiveQuery>): void {
    this.heap.drain();
    for (const query of queued) this.enter(query);
  }
}
