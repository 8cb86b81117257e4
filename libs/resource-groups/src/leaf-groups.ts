// Groups without subgroups: only those take queries.
import type { GroupSpec } from './group-config.js';

const LEAVES_TOLD_MAX = 5;

export const isLeaf = ({ subGroups }: GroupSpec): boolean => subGroups.length === 0;

/**
 * Why a group with subgroups takes no queries, in Presto's words, and which groups do. `path` names it; `group` is how
 * selectors write it, which differs when it has variables.
 */
export function notLeafProblem(path: string, group: string, spec: GroupSpec): string {
  const leaves: string[] = [];
  for (const leaf of leavesBelow(group, spec)) if (leaves.push(leaf) > LEAVES_TOLD_MAX) break;
  const told = leaves.slice(0, LEAVES_TOLD_MAX).join(', ') + (leaves.length > LEAVES_TOLD_MAX ? ' and others' : '');
  return `Cannot add queries to ${path}. It is not a leaf group; queries go to groups without subgroups: ${told}`;
}

/** As selectors write them: names joined with dots, without quotation marks. */
function* leavesBelow(group: string, { subGroups }: GroupSpec): IterableIterator<string> {
  for (const spec of subGroups) {
    const path = `${group}.${spec.name}`;
    if (isLeaf(spec)) yield path;
    else yield* leavesBelow(path, spec);
  }
}
