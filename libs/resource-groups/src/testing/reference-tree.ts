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
  /** When those came of which it is open whether they may wait. */
  readonly provisional = new Map<string, number>();
  private readonly limits = new Map<string, number>();
  private readonly maxQueued = new Map<string, number>();

  constructor(config: GroupConfig) {
    const add = (spec: GroupSpec, above: string): void => {
      const path = above === '' ? spec.name : `${above}.${spec.name}`;
      this.limits.set(path, spec.hardConcurrencyLimit);
      this.maxQueued.set(path, spec.maxQueued);
      if (spec.subGroups.length === 0) this.leaves.set(path, { path, queued: [], running: new Set() });
      for (const child of spec.subGroups) add(child, path);
    };
    for (const spec of config.rootGroups) add(spec, '');
  }

  /** Takes a query out of wherever it is. */
  remove(queryId: string): void {
    this.provisional.delete(queryId);
    for (const { queued, running } of this.leaves.values()) {
      running.delete(queryId);
      const place = queued.indexOf(queryId);
      if (place >= 0) queued.splice(place, 1);
    }
  }

  start(queryId: string): void {
    this.provisional.delete(queryId);
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

  /** Whether what is here alone leaves no room for the oldest of the leaf to wait, as G6 says. */
  isFullHere(path: string): boolean {
    return lineage(path).some((group) => {
      const own = [...this.leaves.values()].filter((leaf) => isIn(leaf.path, group));
      const queued = own.reduce((sum, leaf) => sum + leaf.queued.length, 0);
      const room = Math.max(0, this.limitOf(group) - this.runningIn(group, undefined));
      return queued - room > (this.maxQueued.get(group) ?? 0);
    });
  }

  /** Who must go on an answer, as G6 says: each is decided after those that came before it. */
  turnedAwayOn(usage: UsageSnapshot): string[] {
    const turnedAway: string[] = [];
    for (const [id, submittedAt] of this.provisional) {
      if (submittedAt > usage.requestedAt) continue;
      const leaf = [...this.leaves.values()].find(({ queued }) => queued.includes(id));
      this.provisional.delete(id);
      if (leaf === undefined || !lineage(leaf.path).some((group) => this.isFull(group, usage))) continue;
      this.remove(id);
      turnedAway.push(id);
    }
    return turnedAway;
  }

  private isFull(group: string, usage: UsageSnapshot): boolean {
    let waiting = 0;
    for (const path of this.leaves.keys()) if (isIn(path, group)) waiting += this.waitingIn(path, usage);
    return waiting - this.startable(group, usage) > (this.maxQueued.get(group) ?? 0);
  }

  /** How many of those that wait in a group there is room for. */
  private startable(group: string, usage: UsageSnapshot): number {
    const children = [...this.limits.keys()].filter((path) => path.slice(0, path.lastIndexOf('.')) === group);
    const below = children.reduce((sum, child) => sum + this.startable(child, usage), 0);
    const room = Math.max(0, this.limitOf(group) - this.runningIn(group, usage));
    return Math.min(room, below + this.waitingIn(group, usage));
  }

  private waitingIn(path: string, usage: UsageSnapshot): number {
    const here = (this.leaves.get(path)?.queued ?? []).filter((id) => !this.provisional.has(id));
    return here.length + (usage.groups.get(path)?.queued ?? 0);
  }

  private limitOf(group: string): number {
    return this.limits.get(group) ?? 0;
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
