// Which of the leased root groups an owner deals.
//   G1. One that becomes leased while it is owned is dealt only after every listed worker has reported with a list that names
//       it. From then on nothing begins in it without a lease, so that what was started without one stands in the reports,
//       or in what coordinators say that they run (A1).
import type { GroupSpec } from '../group-config.js';
import type { DealNode } from './deal-node.js';
import { NO_ROOTS, type RootNames } from './lease-roots.js';
import type { OwnerState } from './owner-state.js';

export class OwnerRoots {
  rootGroups: readonly GroupSpec[] = [];
  names: RootNames = NO_ROOTS;
  /** By name the first list that names it. */
  readonly opening = new Map<string, number>();
}

/** Goes on under another configuration; returns the groups whose limit or kind has changed. */
export function configureRoots(owner: OwnerState, rootGroups: readonly GroupSpec[], exempt: readonly string[]) {
  const { roots } = owner;
  const former = new Set(roots.names.leasedRootGroups);
  roots.rootGroups = rootGroups;
  roots.names = { leasedRootGroups: rootGroups.map(({ name }) => name), exemptRootGroups: exempt };
  const version = owner.fences.require(roots.names);
  const present = new Set(roots.names.leasedRootGroups);
  for (const name of roots.opening.keys()) if (!present.has(name)) roots.opening.delete(name);
  if (owner.phase !== 'idle') for (const name of present) if (!former.has(name)) roots.opening.set(name, version);
  return configureOpen(owner);
}

/** Deals those too that all workers know of (G1). */
export function openRoots(owner: OwnerState): DealNode[] {
  const { opening } = owner.roots;
  if (opening.size === 0 || owner.members === undefined) return [];
  const before = opening.size;
  for (const [name, version] of opening) if (owner.evidence.allKeep(version, 'listed')) opening.delete(name);
  return opening.size < before ? configureOpen(owner) : [];
}

const configureOpen = ({ tree, roots }: OwnerState): DealNode[] =>
  tree.configure(roots.rootGroups.filter(({ name }) => !roots.opening.has(name)));
