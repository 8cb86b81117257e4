// Which child of a group claims next. Counts of a child are those of the whole cluster, and the claims that it holds here:
// so the order is by what will run, and whoever could not start is not in it at all.
//   T1. Whatever the policy: who has fewer than its guarantee goes before all others.
//   T2. fair: in turns, in the order of becoming able to claim; who has claimed goes to the back.
//   T3. weighted: who is below its softConcurrencyLimit first. Among these by stride scheduling (Waldspurger and Weihl,
//       1995): each claim moves a child on by the inverse of its weight, and who is furthest behind is next. Who becomes
//       able to claim starts at the place of the last one, so that it neither gains nor loses by having waited for nothing.
//   T4. weighted_fair: who has the least in proportion to its weight; of equal ones who is there for longest.
//   T5. query_priority: the child with the best query that holds no claim, anywhere below it; of equal ones the oldest.
import type { GroupSpec, SchedulingPolicy } from './group-config.js';
import type { GroupNode } from './group-node.js';
import { type HeapItem, IndexedHeap } from './indexed-heap.js';

/** A group that takes turns with its siblings: what its place follows from. */
export interface TurnTaker {
  readonly spec: Pick<GroupSpec, 'guarantee' | 'softConcurrencyLimit' | 'schedulingWeight'>;
  readonly running: number;
  readonly here: { readonly claimed: number };
  /** The query below it whose turn would be next: of two with one priority the smaller number goes first. */
  readonly bestUnclaimed: { readonly priority: number; readonly number: number } | undefined;
}

/** The place of a group among its siblings. The smaller comes first: by tier, then by rank, then by age. */
export interface Turn<N extends TurnTaker = GroupNode> extends HeapItem {
  readonly node: N;
  tier: number;
  rank: number;
  age: number;
  /** How far it is with its share, under `weighted`. */
  pass: number;
}

export const newTurn = <N extends TurnTaker>(node: N): Turn<N> => ({
  ...{ node, tier: 0, rank: 0, age: 0, pass: 0, heapIndex: -1 },
});

/** What a policy does to the place of a child. */
interface TurnPolicy {
  /** The child became able to claim. */
  enters(turn: AnyTurn): void;
  /** The child has claimed. */
  claimed(turn: AnyTurn): void;
  /** Works out tier and rank from the counts. */
  place(turn: AnyTurn): void;
}

type AnyTurn = Turn<TurnTaker>;

export class TurnOrder<N extends TurnTaker = GroupNode> {
  private readonly heap = new IndexedHeap<Turn<N>>(goesFirst);
  private policy: TurnPolicy;

  constructor(private policyName: SchedulingPolicy) {
    this.policy = newPolicy(policyName);
  }

  /** The child that claims next. */
  get first(): N | undefined {
    return this.heap.first?.node;
  }

  /** A child's counts may have changed. */
  update(turn: Turn<N>, canClaim: boolean, hasClaimed: boolean): void {
    if (hasClaimed) this.policy.claimed(turn);
    if (!canClaim) return this.heap.remove(turn);
    if (!this.heap.has(turn)) {
      if (!hasClaimed) this.policy.enters(turn);
      this.policy.place(turn);
      return this.heap.add(turn);
    }
    const { tier, rank, age } = turn;
    this.policy.place(turn);
    if (hasClaimed || tier !== turn.tier || rank !== turn.rank || age !== turn.age) this.heap.moved(turn);
  }

  /** Goes on under another policy: the children enter it in the order that they had. */
  reorder(policyName: SchedulingPolicy): void {
    if (policyName === this.policyName) return;
    this.policyName = policyName;
    this.policy = newPolicy(policyName);
    for (const turn of this.heap.drain()) this.update(turn, true, false);
  }
}

function newPolicy(name: SchedulingPolicy): TurnPolicy {
  switch (name) {
    case 'fair':
      return new Fair();
    case 'weighted':
      return new Weighted();
    case 'weighted_fair':
      return new WeightedFair();
    case 'query_priority':
      return new QueryPriority();
  }
}

/** T2 */
class Fair implements TurnPolicy {
  private lastAge = 0;

  enters(turn: AnyTurn): void {
    turn.age = ++this.lastAge;
  }

  claimed(turn: AnyTurn): void {
    turn.age = ++this.lastAge;
  }

  place(turn: AnyTurn): void {
    turn.tier = tierOf(turn.node);
    turn.rank = 0;
  }
}

/** T3 */
class Weighted extends Fair {
  private lastPass = 0;

  override enters(turn: AnyTurn): void {
    super.enters(turn);
    turn.pass = Math.max(turn.pass, this.lastPass);
  }

  override claimed(turn: AnyTurn): void {
    super.claimed(turn);
    this.lastPass = Math.max(this.lastPass, turn.pass);
    turn.pass += 1 / turn.node.spec.schedulingWeight;
  }

  override place(turn: AnyTurn): void {
    const { node } = turn;
    turn.tier = 2 * tierOf(node) + (promised(node) < node.spec.softConcurrencyLimit ? 0 : 1);
    turn.rank = turn.pass;
  }
}

/** T4 */
class WeightedFair extends Fair {
  override place(turn: AnyTurn): void {
    super.place(turn);
    turn.rank = promised(turn.node) / turn.node.spec.schedulingWeight;
  }
}

/** T5 */
class QueryPriority implements TurnPolicy {
  enters(): void {
    // Its place follows from its queries alone.
  }

  claimed(): void {
    // The next query may be worse: place() sees to it.
  }

  place(turn: AnyTurn): void {
    const best = turn.node.bestUnclaimed;
    turn.tier = tierOf(turn.node);
    turn.rank = best === undefined ? Infinity : -best.priority;
    turn.age = best?.number ?? Infinity;
  }
}

/** What runs in the whole cluster, and what is about to start from here. */
const promised = (node: TurnTaker): number => node.running + node.here.claimed;

/** T1 */
const tierOf = (node: TurnTaker): number => (promised(node) < node.spec.guarantee ? 0 : 1);

const goesFirst = (a: AnyTurn, b: AnyTurn): boolean =>
  a.tier !== b.tier ? a.tier < b.tier : a.rank !== b.rank ? a.rank < b.rank : a.age < b.age;
