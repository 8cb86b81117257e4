// The claims of one leaf group on this coordinator. A claim belongs to the group, never to a query.
//   Q1. At most as many as queries wait. The first of the queue use them, whoever these are by then.
//   Q2. Made claims are of one round, and grow only while that round is open: others count what was reported of it. What
//       is granted meanwhile is upcoming: it becomes claims of a new round when those that are made are used up.
import type { GroupNode } from './group-node.js';
import type { Link } from './linked-list.js';

export class LeafClaims {
  /** The round of the made claims. */
  round = 0;
  upcoming = 0;
  private links: Link<GroupNode>[] = [];
  private usedUp = 0;

  /** Those that others hear of. */
  get made(): number {
    return this.links.length - this.usedUp;
  }

  get all(): number {
    return this.made + this.upcoming;
  }

  /** Notes a claim of `round`, with its place in the order of the claims (Q2). */
  add(link: Link<GroupNode>, round: number): void {
    this.round = round;
    this.links.push(link);
  }

  /** Takes out the claim that was made first. */
  takeFirst(): Link<GroupNode> | undefined {
    const link = this.links[this.usedUp++];
    this.tidy();
    return link;
  }

  /** Takes out the claim that was made last. */
  takeLast(): Link<GroupNode> | undefined {
    const link = this.made > 0 ? this.links.pop() : undefined;
    this.tidy();
    return link;
  }

  private tidy(): void {
    if (this.usedUp < this.links.length) return;
    this.links = [];
    this.usedUp = 0;
  }
}
