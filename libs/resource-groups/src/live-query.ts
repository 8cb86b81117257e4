import type { Instant, QueryId } from '@tutti/base';
import type { GroupNode } from './group-node.js';
import type { HeapItem } from './indexed-heap.js';
import type { Sortable } from './sorted-list.js';

/** A query that is queued or running. There are many: a field here counts a hundred thousand times. */
export class LiveQuery implements HeapItem, Sortable {
  /** Its place in the queue of its leaf, set by that. */
  orderKey = 0;
  isQueued = true;
  /** Whether it has started before, and waits again since the lease of its slot ended. */
  hasLostSlot = false;
  /** Whether it is still open if there is room for it to wait. */
  isProvisional = true;
  /** When it has waited too long; undefined without a limit. */
  deadlineAt: number | undefined = undefined;
  heapIndex = -1;
  /** What it holds, while it runs. */
  memoryBytes = 0;
  /** What it used so far. */
  cpuMs = 0;

  constructor(
    readonly queryId: QueryId,
    readonly leaf: GroupNode,
    readonly priority: number,
    /** Tells the order in which queries came to this coordinator. */
    readonly number: number,
    readonly submittedAt: Instant,
    /** When it began to wait, in this group or in one before. */
    readonly queuedSince: Instant,
  ) {}
}
