// One group of the tree, with its counts. All counts include everything below the group.
//   N1. here.claimed <= here.queued; a group claims no more than could run: a claim is made only while
//       here.running + here.claimed < hardConcurrencyLimit.
//   N2. `claimable` holds exactly the children that could make a claim, in the order of their turn.
import type { Instant } from '@tutti/base';
import { instant } from '@tutti/base';
import type { GroupSpec } from './group-config.js';
import type { ClaimsElsewhere } from './group-usage.js';
import { LeafQueue, type LiveQuery } from './leaf-queue.js';
import { type Link, LinkedList } from './linked-list.js';

/** A change of the counts of a leaf group. */
export interface CountChange {
  readonly running?: number;
  readonly queued?: number;
  readonly claimed?: number;
  readonly provisional?: number;
}

export class GroupNode {
  readonly path: string;
  readonly limit: number;
  readonly maxQueued: number;
  /** This group and its ancestors, up to the root. */
  readonly lineage: readonly GroupNode[];
  /** What waits here when this is a leaf. */
  readonly queue: LeafQueue | undefined;
  readonly here = { running: 0, queued: 0, claimed: 0, provisional: 0 };
  /** What other coordinators run and wait for, as of the last usage. */
  readonly elsewhere = { running: 0, queued: 0 };
  /** Waiting elsewhere in this very group, or in subgroups that are unknown here. */
  queuedElsewhereDirectly = 0;
  readonly claimable = new LinkedList<GroupNode>();
  /** Its place among the leaves that hold claims, see RootState. */
  claimsLink: Link<GroupNode> | undefined;
  private turn: Link<GroupNode> | undefined;
  private startable = 0;
  private startableBelow = 0;

  constructor(
    readonly spec: GroupSpec,
    readonly parent: GroupNode | undefined,
  ) {
    this.path = parent === undefined ? spec.name : `${parent.path}.${spec.name}`;
    this.limit = spec.hardConcurrencyLimit;
    this.maxQueued = spec.maxQueued;
    this.lineage = [this, ...(parent?.lineage ?? [])];
    this.queue = spec.subGroups.length === 0 ? new LeafQueue() : undefined;
  }

  get running(): number {
    return this.here.running + this.elsewhere.running;
  }

  /** Changes the counts from this leaf up to the root. */
  count(change: CountChange, openRound: number): void {
    for (const node of this.lineage) {
      node.here.running += change.running ?? 0;
      node.here.queued += change.queued ?? 0;
      node.here.claimed += change.claimed ?? 0;
      node.here.provisional += change.provisional ?? 0;
    }
    this.refresh(openRound);
  }

  /** Works out anew what follows from the counts, from this group up to the root. */
  refresh(openRound: number): void {
    for (const node of this.lineage) {
      node.refreshStartable();
      node.refreshTurn(openRound);
    }
  }

  /** Gives a claim to a query below this root: the children of each group take turns. False when none may claim. */
  claimOne(openRound: number): GroupNode | undefined {
    if (!this.isClaimable(openRound)) return undefined;
    let leaf: GroupNode = this as GroupNode;
    while (leaf.claimable.first !== undefined) leaf = leaf.claimable.first.value;
    leaf.queue?.claimNext(openRound);
    for (const node of leaf.lineage) node.leaveTurn(); // Counting puts those that may claim again at the end.
    leaf.count({ claimed: 1 }, openRound);
    return leaf;
  }

  /** Whether more wait, here and elsewhere, than may: without those that could start, and the provisional ones here. */
  get isOverfull(): boolean {
    return this.queuedForGood + this.elsewhere.queued - this.startable > this.maxQueued;
  }

  /** Whether more wait here alone than may, whatever there is elsewhere. */
  get isOverfullHere(): boolean {
    return this.here.queued - Math.max(0, this.limit - this.here.running) > this.maxQueued;
  }

  private get queuedForGood(): number {
    return this.here.queued - this.here.provisional;
  }

  private refreshStartable(): void {
    const candidates =
      (this.queue === undefined ? this.startableBelow : this.queuedForGood) + this.queuedElsewhereDirectly;
    const startable = Math.min(candidates, Math.max(0, this.limit - this.running));
    if (this.parent !== undefined) this.parent.startableBelow += startable - this.startable;
    this.startable = startable;
  }

  private isClaimable(openRound: number): boolean {
    if (this.here.running + this.here.claimed >= this.limit) return false; // N1
    return this.queue === undefined ? this.claimable.first !== undefined : this.queue.canClaim(openRound);
  }

  private refreshTurn(openRound: number): void {
    const claimable = this.isClaimable(openRound);
    if (!claimable) this.leaveTurn();
    else if (this.turn === undefined) this.turn = this.parent?.claimable.append(this);
  }

  private leaveTurn(): void {
    if (this.turn !== undefined) this.parent?.claimable.remove(this.turn);
    this.turn = undefined;
  }
}

/** What belongs to a whole tree of groups. */
export class RootState {
  /** The leaves that hold claims, by round. */
  readonly claims = new LinkedList<GroupNode>();
  lastStartAt: Instant = instant(-Infinity);
  /** The queries of which it is open whether there is room for them to wait, in the order in which they came. */
  readonly provisional = new Set<LiveQuery>();
  lastSubmittedAt: Instant = instant(-Infinity);
  /** Claims of other coordinators, by the round of ours that they come before. */
  claimsElsewhere: readonly ClaimsElsewhere[] = [];

  constructor(readonly node: GroupNode) {}
}
