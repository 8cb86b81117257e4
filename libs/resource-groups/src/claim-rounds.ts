// The claims of this coordinator: how they are made, used, given on and withdrawn. Made in numbered rounds; a report closes
// the round. Others must count every claim that could still be used, so
//   R1. what was reported of a round never grows: later claims are of a later round,
//   R2. a claim that is withdrawn is gone before the next report is made, and never used again.
import type { Instant } from '@tutti/base';
import type { GroupNode } from './group-node.js';
import type { GroupRoot } from './group-root.js';

export class ClaimRounds {
  /** Claims are made in this round until it is reported. */
  private open = 1;
  private hasClaimsInOpen = false;

  /** Gives claims to whoever may, in turns. */
  make(root: GroupRoot, now: Instant): void {
    while (this.makeOne(root, now) !== undefined);
  }

  /** The leaf that would get the next claim gets one; undefined when none may. */
  makeOne(root: GroupRoot, now: Instant): GroupNode | undefined {
    const leaf = root.node.nextToClaim();
    if (leaf !== undefined) this.grant(leaf, now);
    return leaf;
  }

  /** A query of the leaf starts: its first claim, if there is any, is used up. The caller counts it. */
  use(leaf: GroupNode, now: Instant): boolean {
    const claims = leaf.queue?.claims;
    if (claims === undefined || claims.made === 0) return false;
    const link = claims.takeFirst();
    if (link === undefined) return false;
    leaf.root.claims.remove(link);
    if (claims.made > 0) return true;
    for (; claims.upcoming > 0; claims.upcoming--) this.append(leaf, now);
    return true;
  }

  /** Drops claims that no query is left for; a claim of a query that went passes on to the next one. */
  dropSpare(leaf: GroupNode): void {
    while (leaf.queue !== undefined && leaf.queue.claims.all > leaf.queue.size) this.drop(leaf);
  }

  /** Withdraws what N2 forbids, the claims that were made last first. */
  withdraw(root: GroupRoot): void {
    if (root.overclaimed.size === 0) return;
    for (const node of root.overclaimed) {
      let link = root.claims.last;
      while (link !== undefined && node.hasClaimsInExcess) {
        const { value: leaf, previous } = link;
        if (leaf.lineage[leaf.depth - node.depth] === node) {
          while (node.hasClaimsInExcess && (leaf.queue?.claims.upcoming ?? 0) > 0) this.drop(leaf);
          if (node.hasClaimsInExcess) this.drop(leaf);
        }
        link = previous;
      }
    }
    root.overclaimed.clear();
  }

  /** Withdraws all claims: the order in which they were made does not hold any more. */
  withdrawAll(root: GroupRoot): void {
    for (let link; (link = root.claims.last) !== undefined;) {
      const { value: leaf } = link;
      while ((leaf.queue?.claims.all ?? 0) > 0) this.drop(leaf);
    }
  }

  /** The claims are about to be reported (R1). */
  close(): void {
    if (this.hasClaimsInOpen) this.open++;
    this.hasClaimsInOpen = false;
  }

  private grant(leaf: GroupNode, now: Instant): void {
    const claims = leaf.queue?.claims;
    if (claims === undefined) return;
    if (claims.made > 0 && claims.round !== this.open) claims.upcoming++;
    else this.append(leaf, now);
    leaf.countClaim();
  }

  private append(leaf: GroupNode, now: Instant): void {
    leaf.queue?.claims.add(leaf.root.claims.append(leaf), this.open);
    leaf.root.lastClaimAt = now;
    this.hasClaimsInOpen = true;
  }

  private drop(leaf: GroupNode): void {
    const claims = leaf.queue?.claims;
    if (claims === undefined) return;
    if (claims.upcoming > 0) claims.upcoming--;
    else {
      const link = claims.takeLast();
      if (link !== undefined) leaf.root.claims.remove(link);
    }
    leaf.count({ claimed: -1 });
  }
}
