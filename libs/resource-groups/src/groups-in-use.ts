// Which groups are in use on this coordinator, and so reported.
//   I1. A group is in use while a query of its own is queued or running; with a CPU quota in its lineage for IDLE_KEPT_MS
//       more, so that the last CPU of its queries is reported.
//   I2. Its CPU is counted from when it came into use.
import type { Instant } from '@tutti/base';
import type { GroupForest } from './group-forest.js';
import type { GroupNode } from './group-node.js';

/** Longer than resource managers may be away without anybody noticing. */
const IDLE_KEPT_MS = 10_000;

export class GroupsInUse {
  /** Groups in use and their ancestors, the latter while any below is. */
  private readonly reported = new Set<GroupNode>();
  /** Groups without queries, with the time since when, the oldest first. */
  private readonly idle = new Map<GroupNode, Instant>();

  constructor(private readonly forest: GroupForest) {}

  [Symbol.iterator](): IterableIterator<GroupNode> {
    return this.reported.values();
  }

  /** The group has a query of its own. */
  enter(node: GroupNode): void {
    if (this.idle.size > 0) this.idle.delete(node);
    if (node.isInUse) return;
    node.isInUse = true;
    for (const above of node.lineage) if (above.inUseBelow++ === 0) this.reported.add(above);
  }

  /** The group has no query of its own any more. */
  leave(node: GroupNode, now: Instant): void {
    if (node.lineage.some(({ spec }) => spec.cpuQuotaMsPerSecond > 0)) this.idle.set(node, now);
    else this.forget(node);
  }

  /** Forgets what has been idle for long enough. */
  collect(now: Instant): void {
    for (const [node, since] of this.idle) {
      if (now - since < IDLE_KEPT_MS) return;
      this.idle.delete(node);
      this.forget(node);
    }
  }

  private forget(node: GroupNode): void {
    node.isInUse = false;
    node.own.cpuMs = 0;
    for (const above of node.lineage) if (--above.inUseBelow === 0) this.reported.delete(above);
    this.forest.collect(node);
  }
}
