import { lineageOf } from '../group-path.js';
import type { CoordinatorLife } from '../usage-ledger.js';
import type { DealNode } from './deal-node.js';
import type { OwnerState } from './owner-state.js';

/** What one life of a coordinator has in a group and below it, as the owner books it. */
export interface HeldBy extends CoordinatorLife {
  /** Slots that are booked for it. */
  readonly held: number;
  /** Queries that it said it runs, or that workers report when it is silent. */
  readonly running: number;
  /** Nothing is heard of it any more: its slots become free as workers show that nothing of it runs. */
  readonly isSilent: boolean;
}

export function heldBy(owner: OwnerState, group: string): HeldBy[] {
  const found = new Map<string, HeldBy>();
  const add = (node: DealNode): void => {
    for (const { life, counted, running, onWorkers } of node.holdings) {
      const isSilent = life.standing === 'fenced';
      const before = found.get(life.key) ?? { ...life.id, held: 0, running: 0, isSilent };
      const runs = isSilent ? onWorkers : running;
      found.set(life.key, { ...before, held: before.held + counted, running: before.running + runs });
    }
    node.children.forEach(add);
  };
  const node = owner.tree.node(group);
  if (node !== undefined) add(node);
  return [...found.values()].filter(({ held, running }) => held + running > 0);
}

/** See LeaseOwner.overAdmission. */
export function overAdmission({ evidence, tree }: OwnerState): Map<string, number> {
  const running = new Map<string, number>();
  for (const [leaf, count] of evidence.runningByGroup())
    for (const group of lineageOf(leaf)) running.set(group, (running.get(group) ?? 0) + count);
  const excess = new Map<string, number>();
  for (const [group, count] of running) {
    const limit = tree.node(group)?.known?.hardConcurrencyLimit;
    if (limit !== undefined && count > limit) excess.set(group, count - limit);
  }
  return excess;
}
