// Mode gated: a query starts on a claim, and on an answer that knows it (G2 to G5 of group-tree.ts).
import type { Instant } from '@tutti/base';
import type { ClaimRounds } from './claim-rounds.js';
import type { GroupEffect } from './group-events.js';
import type { GroupNode } from './group-node.js';
import type { GroupRoot } from './group-root.js';
import type { LiveQuery } from './live-query.js';
import type { StartMode, TreeParts } from './start-mode.js';
import type { StartRules } from './start-rules.js';

export class GatedStarts implements StartMode {
  constructor(
    private readonly parts: TreeParts,
    private readonly rounds: ClaimRounds,
    private readonly rules: StartRules,
  ) {}

  enter(root: GroupRoot, now: Instant): void {
    this.claim(root, now);
  }

  leave(root: GroupRoot): void {
    this.rounds.withdrawAll(root);
    root.overclaimed.clear();
  }

  came(query: LiveQuery, now: Instant, effects: GroupEffect[]): void {
    const { root } = query.leaf;
    const rejected = this.parts.waits.rejectIfFullHere(query, now); // G6
    if (rejected !== undefined) {
      effects.push(rejected);
      return;
    }
    this.claim(root, now);
    this.askWhenUseful(root, effects);
  }

  ended({ root }: GroupNode, now: Instant, effects: GroupEffect[], wereFull: readonly GroupNode[]): void {
    this.limitsChanged(root, now, effects, wereFull);
  }

  gaveUp(root: GroupRoot, now: Instant): void {
    this.claim(root, now);
  }

  limitsChanged(root: GroupRoot, now: Instant, effects: GroupEffect[], wereFull: readonly GroupNode[]): void {
    this.startWhatMay(root, now, effects);
    this.claim(root, now);
    if (wereFull.some((node) => !node.isFull))
      this.parts.questions.ask(effects); // G7
    else this.askWhenUseful(root, effects);
  }

  heard(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    const { waits, view } = this.parts;
    this.startWhatMay(root, now, effects);
    effects.push(...waits.decide(root, view.usage, now)); // G6
    this.claim(root, now);
    this.askWhenUseful(root, effects);
  }

  isUsageDue(root: GroupRoot, now: Instant): boolean {
    return root.node.here.queued > 0 && !this.rules.isTooSoon(now);
  }

  private startWhatMay(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    this.rounds.withdraw(root); // First: what cannot be used any more need not count before the rest.
    this.rules.startWhatMay(root, now, (leaf) => {
      const { queryId } = this.parts.live.start(leaf, now);
      effects.push({ kind: 'start', queryId });
    });
  }

  /** Claims are in order again: none in excess, and whoever may has made one. */
  private claim(root: GroupRoot, now: Instant): void {
    this.rounds.withdraw(root);
    this.rounds.make(root, now);
  }

  /** A newer answer could decide more than the newest one. Otherwise a tick asks. */
  private askWhenUseful(root: GroupRoot, effects: GroupEffect[]): void {
    if (this.rules.couldStartMore(root) || this.parts.waits.couldDecideMore(root, this.parts.view.answeredUpTo))
      this.parts.questions.askUnlessAsked(effects);
  }
}
