// Mode presto: Presto's formula, to compare with and to accept its scenarios.
//   P1. A query starts while for its leaf and every ancestor: running here + running elsewhere, as last heard < limit. How
//       old that is does not matter, nor what others start at the same moment: so a burst on C coordinators runs up to C
//       times the limit.
//   P2. What runs elsewhere is asked for once a second, whether anybody waits or not.
// Formula: https://prestodb.io/docs/current/admin/resource-groups.html, with several coordinators.
import type { Instant } from '@tutti/base';
import type { ClaimRounds } from './claim-rounds.js';
import type { GroupEffect } from './group-events.js';
import type { GroupNode } from './group-node.js';
import type { GroupRoot } from './group-root.js';
import type { LiveQuery } from './live-query.js';
import type { StartMode, TreeParts } from './start-mode.js';

const POLL_MS = 1_000;

export class PrestoStarts implements StartMode {
  constructor(
    private readonly parts: TreeParts,
    private readonly rounds: ClaimRounds,
  ) {}

  enter(): void {
    // Whatever may start does so with what happens next.
  }

  leave(): void {
    // Nothing of it is left.
  }

  came(query: LiveQuery, now: Instant, effects: GroupEffect[]): void {
    this.startWhatMay(query.leaf.root, now, effects);
    const rejected = query.isQueued ? this.parts.waits.rejectIfFullHere(query, now) : undefined;
    if (rejected !== undefined) effects.push(rejected);
  }

  ended({ root }: GroupNode, now: Instant, effects: GroupEffect[]): void {
    this.startWhatMay(root, now, effects);
  }

  gaveUp(): void {
    // Whoever waits goes on waiting.
  }

  limitsChanged(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    this.startWhatMay(root, now, effects);
  }

  heard(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    this.startWhatMay(root, now, effects);
    effects.push(...this.parts.waits.decide(root, this.parts.view.usage, now));
  }

  isUsageDue(_root: GroupRoot, now: Instant): boolean {
    return now - this.parts.view.answeredUpTo >= POLL_MS; // P2
  }

  /** In the order in which claims would be made: each is used at once, and nobody else hears of it (N5 in group-node.ts). */
  private startWhatMay(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    for (let leaf; (leaf = this.rounds.makeOne(root, now)) !== undefined;) {
      const { queryId } = this.parts.live.start(leaf, now);
      effects.push({ kind: 'start', queryId });
    }
    root.overclaimed.clear();
  }
}
