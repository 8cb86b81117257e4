// Mode gated: a query starts on a claim, and on an answer that knows it. When it may: start-rules.ts.
//   G2. A query starts only while, for its leaf and every ancestor: running here + running elsewhere + the claims that
//       come before its own < limit, which is at most hardConcurrencyLimit (effective-limit.ts). Claims of others come
//       before by the order of the resource manager that answered; our own come before by their round.
//   G3. A query starts only on a claim of a round that the answer knows, and only on an answer that was asked for after
//       the last start in its tree of groups (starts on one answer are one moment) and whose oldest data is at most
//       usageMaxAgeMs old now, counted from before the asking.
//   G4. When another resource manager answers than before, or another life of it, nothing starts for a quarter of a
//       second: what started on the answers of the former one is then known everywhere. Until usageMaxAgeMs have passed
//       one answer starts at most one query per tree, and ticks ask less often: two resource managers may have heard of
//       two claims in different orders.
//   G5. Who waits without a claim waits below a group whose usable claims fill its room (N1 to N3 in group-node.ts): claims
//       are made in the order of turn-order.ts, and the first queries of a leaf (leaf-queue.ts) use those of the leaf.
//   G7. Who makes room in a group that was full tells so at once, with a question: others may wait for it.
//
// Why one resource manager makes mode gated exact: it takes in the claims of the asker before it answers, and keeps the order
// in which it first heard of them. Of all queries that run in a group at one moment, take the one with the last claim, and
// of those of its coordinator and round the one that started last. When it started, each of the others either ran or was
// known as a claim before it, so G2 counted them all: claims that are made stand in the reports until they are used or
// withdrawn, and what is withdrawn is never used (R1 and R2 in claim-rounds.ts).
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
