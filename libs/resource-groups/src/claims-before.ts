// How claims count that come before a query.
//   U1. Running and claims of a group count together up to its hardConcurrencyLimit: what cannot run at once keeps nobody
//       away. Never up to a lower limit: memory and CPU may look different to the coordinator that made the claims.
import type { GroupNode } from './group-node.js';
import type { ClaimsAhead } from './group-usage.js';

/** Claims of other coordinators, in the group of our tree where they count. */
export interface ClaimsElsewhere extends ClaimsAhead {
  readonly node: GroupNode;
}

/** How many claims come before, group by group, while starts are decided. */
export class ClaimsBefore {
  private readonly counts = new Map<GroupNode, { known: number; counted: number }>();

  /** Adds claims of a group, and so to its ancestors. */
  add(group: GroupNode, count: number): void {
    let more = count;
    for (const node of group.lineage) {
      const counts = this.of(node);
      counts.known += more;
      const counted = Math.min(counts.known, Math.max(0, node.spec.hardConcurrencyLimit - node.running)); // U1
      more = counted - counts.counted;
      counts.counted = counted;
    }
  }

  /**
   * Whether a query of the leaf may start after all that runs and all that comes before: in it and all its ancestors.
   * Where it may, the limit did not cut the claims short, so its start changes nothing in how they count.
   */
  leaveRoom(leaf: GroupNode): boolean {
    for (const node of leaf.lineage) if (!this.leaveRoomIn(node)) return false;
    return true;
  }

  leaveRoomIn(node: GroupNode): boolean {
    return node.running + (this.counts.get(node)?.counted ?? 0) < node.limit;
  }

  private of(node: GroupNode): { known: number; counted: number } {
    let counts = this.counts.get(node);
    if (counts === undefined) this.counts.set(node, (counts = { known: 0, counted: 0 }));
    return counts;
  }
}
