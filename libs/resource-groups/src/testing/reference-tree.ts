import type { GroupConfig, GroupSpec } from '../group-config.js';
import type { GroupCounts } from '../group-tree.js';
import type { UsageSnapshot } from '../group-usage.js';

interface Leaf {
  readonly path: string;
  readonly queued: string[];
  readonly running: Set<string>;
}

/** The rules of admission once more, slow and obvious: everything is counted anew for each question. */
export class ReferenceTree {
  readonly leaves = new Map<string, Leaf>();
  private readonly limits = new Map<string, number>();

  constructor(config: GroupConfig) {
    const add = (spec: GroupSpec, above: string): void => {
      const path = above === '' ? spec.name : `${above}.${spec.name}`;
      this.limits.set(path, spec.hardConcurrencyLimit);
      if (spec.subGroups.length === 0) this.leaves.set(path, { path, queued: [], running: new Set() });
      for (const child of spec.subGroups) add(child, path);
    };
    for (const spec of config.rootGroups) add(spec, '');
  }

  /** Takes a query out of wherever it is. */
  remove(queryId: string): void {
    for (const { queued, running } of this.leaves.values()) {
      running.delete(queryId);
      const place = queued.indexOf(queryId);
      if (place >= 0) queued.splice(place, 1);
    }
  }

  start(queryId: string): void {
    for (const { queued, running } of this.leaves.values()) {
      if (queued[0] !== queryId) continue;
      queued.shift();
      running.add(queryId);
    }
  }

  /** Whether the oldest query of a leaf may start, as G2 says, when its claim is of `round`. */
  mayStart(path: string, round: number, claims: readonly GroupCounts[], usage: UsageSnapshot | undefined): boolean {
    return lineage(path).every((group) => this.taken(group, round, claims, usage) < (this.limits.get(group) ?? 0));
  }

  runningIn(group: string, usage: UsageSnapshot | undefined): number {
    let running = 0;
    for (const leaf of this.leaves.values()) if (isIn(leaf.path, group)) running += leaf.running.size;
    for (const [path, use] of usage?.groups ?? []) if (isIn(path, group)) running += use.running;
    return running;
  }

  /** Running in a group, and claims before `round` as far as their groups let them run. */
  private taken(
    group: string,
    round: number,
    claims: readonly GroupCounts[],
    usage: UsageSnapshot | undefined,
  ): number {
    const running = this.runningIn(group, usage);
    const children = [...this.limits.keys()].filter((path) => path.slice(0, path.lastIndexOf('.')) === group);
    let before = 0;
    for (const child of children) before += this.taken(child, round, claims, usage) - this.runningIn(child, usage);
    for (const own of claims)
      if (own.group === group && own.claimed > 0 && own.claimRound < round) before += own.claimed;
    for (const ahead of usage?.groups.get(group)?.claimsAhead ?? []) if (ahead.round <= round) before += ahead.count;
    return running + Math.min(before, Math.max(0, (this.limits.get(group) ?? 0) - running));
  }
}

const isIn = (path: string, group: string): boolean => path === group || path.startsWith(`${group}.`);

const lineage = (path: string): string[] => {
  const steps = path.split('.');
  return steps.map((_, index) => steps.slice(0, index + 1).join('.'));
};
