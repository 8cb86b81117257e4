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
  private readonly heap = new IndexedHeap<LiveQuery>((a, b) => deadlineOf(a) < deadlineOf(b));

  enter(query: LiveQuery): void {
    const timeout = queueTimeoutOf(query.leaf);
    if (timeout !== undefined) this.add(query, timeout.timeoutMs);
  }

  leave(query: LiveQuery): void {
    this.heap.remove(query);
  }

  /** The query whose time has been over for longest. Take it out before you ask again. */
  overdue(now: number): LiveQuery | undefined {
    const { first } = this.heap;
    return first !== undefined && deadlineOf(first) <= now ? first : undefined;
  }

  /** Times have changed. */
  restart(groups: Iterable<GroupNode>): void {
    for (const query of this.heap.drain()) query.deadlineAt = undefined;
    for (const group of groups) {
      const timeout = queueTimeoutOf(group);
      if (timeout === undefined) continue;
      for (const query of group.queue?.inOrder() ?? []) this.add(query, timeout.timeoutMs);
    }
  }

  private add(query: LiveQuery, timeoutMs: number): void {
    query.deadlineAt = query.queuedSince + timeoutMs;
    this.heap.add(query);
  }
}

const deadlineOf = ({ deadlineAt = Infinity }: LiveQuery): number => deadlineAt;
