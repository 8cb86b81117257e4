// What other coordinators run and wait for, and how their claims count.
//   U1. Running and claims of a group count together up to its limit: what cannot run at once keeps nobody away.
import type { Instant } from '@tutti/base';
import type { GroupNode } from './group-node.js';

/** Claims of other coordinators that come before those that we made in `round` and later, or will make. */
export interface ClaimsAhead {
  readonly round: number;
  readonly count: number;
}

/** What other coordinators run and wait for in one leaf group. */
export interface GroupUsage {
  readonly running: number;
  readonly queued: number;
  /** Memory that the running ones hold. */
  readonly memoryBytes: number;
  readonly claimsAhead: readonly ClaimsAhead[];
}

/** Such claims, in the group of our tree where they count. */
export interface ClaimsElsewhere extends ClaimsAhead {
  readonly node: GroupNode;
}

/** One answer of a resource manager, with the time at which it was asked for. */
export interface UsageSnapshot {
  /** Taken on our clock before the request was sent. */
  readonly requestedAt: Instant;
  /** The resource manager and its life, for example its id and incarnation: two lives keep two orders of claims. */
  readonly answeredBy: string;
  /** The newest round of our claims that was known when the answer was made; 0 when none was. */
  readonly knownRound: number;
  /** By the path of the leaf group. */
  readonly groups: ReadonlyMap<string, GroupUsage>;
  /** CPU time in milliseconds that groups with a CPU limit used and did not get back yet, in the whole cluster, by path. */
  readonly cpu: ReadonlyMap<string, number>;
  /** Age of the oldest report in the answer, when the answer was made. */
  readonly oldestDataAgeMs: number;
  /** Of how many other coordinators this is the sum. */
  readonly coordinatorCount: number;
}

/** How many claims come before, group by group, while starts are decided. */
export class ClaimsBefore {
  private readonly counts = new Map<GroupNode, { known: number; counted: number }>();

  /** Adds claims of a group, and so to its ancestors. */
  add(group: GroupNode, count: number): void {
    this.of(group).known += count;
    for (const node of group.lineage) {
      const counts = this.of(node);
      const counted = Math.min(counts.known, Math.max(0, node.limit - node.running)); // U1
      if (node.parent !== undefined) this.of(node.parent).known += counted - counts.counted;
      counts.counted = counted;
    }
  }

  /**
   * Whether a query of the leaf may start after all that runs and all that comes before: in it and all its ancestors.
   * Where it may, the limit did not cut the claims short, so its start changes nothing in how they count.
   */
  leaveRoom(leaf: GroupNode): boolean {
    return leaf.lineage.every((node) => node.running + (this.counts.get(node)?.counted ?? 0) < node.limit);
  }

  private of(node: GroupNode): { known: number; counted: number } {
    let counts = this.counts.get(node);
    if (counts === undefined) this.counts.set(node, (counts = { known: 0, counted: 0 }));
    return counts;
  }
}
