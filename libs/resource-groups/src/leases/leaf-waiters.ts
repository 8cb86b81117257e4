// Who gets the next slot of a leaf group: the coordinators whose queries wait there without one.
//   W1. Who has waited without any slot for longer than anybody should goes first, whatever the policy: the floor.
//   W2. Who was dealt much since it last spoke goes last: it may stand still (P5 in owner-dealing.ts).
//   W3. fair: the oldest query of the whole cluster. weighted_fair and query_priority: the highest priority, of equal ones
//       the oldest. weighted: shares by the priority of the first query of each, by stride scheduling (Waldspurger and
//       Weihl, 1995).
import { IndexedHeap } from '../indexed-heap.js';
import type { SchedulingPolicy } from '../group-config.js';
import type { Holding, Waiter } from './holding.js';

const NOBODY: Waiter = { since: Infinity, priority: 0 };

export class LeafWaiters {
  private heap = new IndexedHeap<Holding>((a, b) => this.comesBefore(a, b));
  private lastPass = 0;

  constructor(private policy: SchedulingPolicy) {}

  get first(): Holding | undefined {
    return this.heap.first;
  }

  get size(): number {
    return this.heap.size;
  }

  /** A holding may have begun to wait, or stopped, or its first query is another one. */
  update(holding: Holding, waits: boolean, wasDealt: boolean): void {
    if (wasDealt) {
      this.lastPass = Math.max(this.lastPass, holding.pass);
      holding.pass += 1 / Math.max(1, holding.head?.priority ?? 1);
      holding.isOverdue = false;
    }
    if (!waits) return this.heap.remove(holding);
    if (this.heap.has(holding)) return this.heap.moved(holding);
    holding.pass = Math.max(holding.pass, this.lastPass);
    this.heap.add(holding);
  }

  /** Sorts anew by another policy. */
  reorder(policy: SchedulingPolicy): void {
    if (policy === this.policy) return;
    const all = this.heap.drain();
    this.policy = policy;
    for (const holding of all) this.heap.add(holding);
  }

  /** Whether the order is not by age alone, so that somebody may wait for ever. */
  get mayStarve(): boolean {
    return this.policy !== 'fair';
  }

  private comesBefore(a: Holding, b: Holding): boolean {
    if (a.isOverdue !== b.isOverdue) return a.isOverdue;
    if (a.isPushed !== b.isPushed) return b.isPushed;
    const [first, second] = [a.head ?? NOBODY, b.head ?? NOBODY];
    if (this.policy === 'weighted') {
      if (a.pass !== b.pass) return a.pass < b.pass;
    } else if (this.policy !== 'fair' && first.priority !== second.priority) return first.priority > second.priority;
    return first.since < second.since;
  }
}
