import type { Instant, QueryId } from '@tutti/base';
import type { GroupNode } from './group-node.js';
import type { HeapItem } from './indexed-heap.js';
import type { Sortable } from './sorted-list.js';

/** A query that is queued or running. Its `number` tells the order in which queries came to this coordinator. */
export interface LiveQuery extends HeapItem, Sortable {
  readonly queryId: QueryId;
  readonly leaf: GroupNode;
  readonly priority: number;
  readonly submittedAt: Instant;
  /** When it began to wait, in this group or in one before. */
  readonly queuedSince: Instant;
  /** Its place in the queue of its leaf, set by that. */
  orderKey: number;
  isQueued: boolean;
  /** Whether it is still open if there is room for it to wait. */
  isProvisional: boolean;
  /** When it has waited too long; Infinity without a limit. */
  deadlineAt: number;
  /** What it holds, while it runs. */
  memoryBytes: number;
  /** What it used so far. */
  cpuMs: number;
}
