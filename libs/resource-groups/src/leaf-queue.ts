// The queries that wait in one leaf group, in the order of their arrival.
//   Q1. Those that hold a claim stand before those that hold none.
//   Q2. All claims of a queue are of one round. They grow only while that round is open.
import { type Instant, invariant, type QueryId } from '@tutti/base';
import type { GroupNode } from './group-node.js';
import { type Link, LinkedList } from './linked-list.js';

/** A query that is queued or running. */
export interface LiveQuery {
  readonly queryId: QueryId;
  readonly leaf: GroupNode;
  readonly submittedAt: Instant;
  /** Whether it is still open if there is room for it to wait. */
  isProvisional: boolean;
  /** Its place in the queue; undefined once it runs. */
  link: Link<LiveQuery> | undefined;
  claimed: boolean;
  /** Its number in the queue, see positionOf. */
  number: number;
}

export class LeafQueue {
  private readonly list = new LinkedList<LiveQuery>();
  private firstUnclaimed: Link<LiveQuery> | undefined;
  private lastNumber = 0;
  private numbersHaveGaps = false;
  /** How many queries hold a claim. */
  claimed = 0;
  /** The round of these claims. */
  claimRound = 0;

  append(query: LiveQuery): void {
    query.number = ++this.lastNumber;
    query.link = this.list.append(query);
    this.firstUnclaimed ??= query.link;
  }

  /** Takes out a query: because it starts, or because it ended before. */
  remove(query: LiveQuery): void {
    const { link } = query;
    invariant(link, 'only a queued query leaves the queue');
    if (link.previous !== undefined) this.numbersHaveGaps = true;
    if (this.firstUnclaimed === link) this.firstUnclaimed = link.next;
    if (query.claimed) this.claimed--;
    query.claimed = false;
    this.list.remove(link);
    query.link = undefined;
  }

  /** Whether another claim could be made in the round that is open (Q2). */
  canClaim(openRound: number): boolean {
    return this.firstUnclaimed !== undefined && (this.claimed === 0 || this.claimRound === openRound);
  }

  /** Gives a claim to the oldest query that holds none (Q1). */
  claimNext(openRound: number): void {
    invariant(this.firstUnclaimed && this.canClaim(openRound), 'Q2: claims of a reported round never grow');
    this.firstUnclaimed.value.claimed = true;
    this.firstUnclaimed = this.firstUnclaimed.next;
    this.claimed++;
    this.claimRound = openRound;
  }

  /** The query that starts next among those with a claim. */
  firstClaimed(): LiveQuery | undefined {
    return this.claimed > 0 ? this.list.first?.value : undefined;
  }

  /** How many queries of the queue stand before `query`. Costs a walk only after some left from the middle. */
  positionOf(query: LiveQuery): number {
    if (this.numbersHaveGaps) {
      this.lastNumber = 0;
      for (let link = this.list.first; link !== undefined; link = link.next) link.value.number = ++this.lastNumber;
      this.numbersHaveGaps = false;
    }
    return query.number - (this.list.first?.value.number ?? query.number);
  }
}
