// When a query may start, and when a new question could let one start: G2, G3 and G4 of gated-starts.ts.
import type { Instant } from '@tutti/base';
import { ClaimsBefore } from './claims-before.js';
import type { GroupNode } from './group-node.js';
import type { GroupRoot } from './group-root.js';
import type { LiveQuery } from './live-query.js';
import type { UsageView } from './usage-view.js';

/** Longer than a report takes to reach all resource managers, also when it waits for its turn. */
const CHANGE_HOLD_MS = 250;

/** Enough for the news of a start to reach all resource managers when nothing is slow. */
const UNSURE_TICK_MS = 100;

export class StartRules {
  constructor(
    private readonly view: UsageView,
    private readonly usageMaxAgeMs: number,
  ) {}

  /**
   * Starts what may, in the order of the claims. `start` starts the first query of a leaf and uses up its first claim.
   * A claim that cannot be used yet counts before those of later rounds, as it does for others.
   */
  startWhatMay(root: GroupRoot, now: Instant, start: (leaf: GroupNode) => void): void {
    const { usage } = this.view;
    if (usage === undefined || usage.requestedAt <= root.lastStartAt || this.isHeld(now)) return; // G3, G4
    let startsLeft = this.isUnsure(now) ? 1 : Infinity; // G4
    const before = new ClaimsBefore();
    let elsewhere = 0;
    let currentRound = 0;
    let unused: GroupNode[] = [];
    let link = root.claims.first;
    while (link !== undefined && startsLeft > 0) {
      const { value: leaf, next } = link;
      const round = leaf.queue?.claims.round ?? 0;
      if (round > usage.knownRound) return; // G3
      if (round > currentRound) {
        for (const earlier of unused) before.add(earlier, 1);
        [currentRound, unused] = [round, []];
      }
      for (let claims; (claims = root.claimsElsewhere[elsewhere]) && claims.round <= round; elsewhere++)
        before.add(claims.node, claims.count);
      if (!before.leaveRoomIn(root.node)) return;
      if (before.leaveRoom(leaf)) {
        start(leaf);
        startsLeft--;
      } else unused.push(leaf);
      link = next;
    }
  }

  /** Whether nothing starts because another resource manager has just begun to answer (G4). */
  isHeld(now: Instant): boolean {
    return now - this.view.changedAt < CHANGE_HOLD_MS;
  }

  /** Whether ticks should ask less often (G4). */
  isTooSoon(now: Instant): boolean {
    return this.isUnsure(now) && now - this.view.answeredUpTo < UNSURE_TICK_MS;
  }

  /** Claims wait that the newest answer cannot know, or a start came after it was asked for. */
  couldStartMore(root: GroupRoot): boolean {
    const last = root.claims.last?.value.queue;
    if (last === undefined) return false;
    const { usage, answeredUpTo } = this.view;
    const allIsKnown = last.claims.round <= (usage?.knownRound ?? 0) || answeredUpTo > root.lastClaimAt;
    return !allIsKnown || answeredUpTo <= root.lastStartAt;
  }

  /** Whether the newest answer could decide on a query. */
  isKnown({ leaf }: LiveQuery, hasClaim: boolean): boolean {
    const { usage } = this.view;
    if (usage === undefined || usage.requestedAt <= leaf.root.lastStartAt) return false;
    return !hasClaim || (leaf.queue?.claims.round ?? 0) <= usage.knownRound;
  }

  private isUnsure(now: Instant): boolean {
    return now - this.view.changedAt < this.usageMaxAgeMs;
  }
}
