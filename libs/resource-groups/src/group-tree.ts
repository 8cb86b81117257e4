// Decides which waiting query may start. Pure: an event and a time in, effects out. Here, and only here, a query is
// admitted.
//   G1. A query is queued, running or gone; never two of these, and never lost.
//   G2. A query starts only while, for its leaf and every ancestor: running here + running elsewhere + the claims that
//       come before its own < hardConcurrencyLimit. Claims of others come before by the order of the resource manager
//       that answered; our own come before by their round.
//   G3. A query starts only on a claim of a round that the answer knows, and only on an answer that was asked for after
//       the last start in its tree of groups (starts on one answer are one moment) and whose oldest data is at most
//       usageMaxAgeMs old now, counted from before the asking.
//   G4. When another resource manager answers than before, or another life of it, nothing starts for CHANGE_HOLD_MS: what
//       started on the answers of the former one is then known everywhere. Until usageMaxAgeMs have passed one answer
//       starts at most one query per tree, and ticks ask no more often than every UNSURE_TICK_MS: two resource managers
//       may have heard of two claims in different orders.
//   G5. What is queued can always claim when it could run: at most hardConcurrencyLimit - running here claims stand per
//       group, made in turns by the subgroups, first come first served in a leaf.
//   G6. Whether there is room to wait is decided once per query, on the first answer that was asked for after it came, in
//       the order in which queries came. What could start is never turned away. When a query comes, it is turned away only
//       if what is here alone leaves no room: until it is decided no more than that wait.
//   G7. Who makes room in a group that was full tells so at once, with a question: others may wait for it.
//
// Why one resource manager makes this exact: it takes in the claims of the asker before it answers, and keeps the order
// in which it first heard of them. Of all queries that run in a group at one moment, take the one with the last claim.
// When it started, each of the others either ran or was known as a claim before it, so G2 counted them all.
import { invariant, type Instant, instant, type QueryId, unreachable } from '@tutti/base';
import type { GroupConfig } from './group-config.js';
import { GroupForest } from './group-forest.js';
import type { GroupNode, RootState } from './group-node.js';
import type {
  GroupCounts,
  GroupEffect,
  GroupEvent,
  GroupTotalsHere,
  QuerySubmitted,
  QueuedQuery,
} from './group-events.js';
import { ClaimsBefore } from './group-usage.js';
import type { LiveQuery } from './leaf-queue.js';
import { UsageView } from './usage-view.js';
import { explainWait, type WaitExplanation } from './wait-explanation.js';

export type { GroupCounts, GroupEffect, GroupEvent } from './group-events.js';

export interface GroupTreeOptions {
  readonly config: GroupConfig;
  /** No query starts on older data. Must be more than the heartbeat interval, and less than the time after which
   * resource managers take a silent coordinator out of their answers. */
  readonly usageMaxAgeMs: number;
}

/** Longer than a report takes to reach all resource managers, also when it waits for its turn. */
const CHANGE_HOLD_MS = 250;

/** Enough for the news of a start to reach all resource managers when nothing is slow. */
const UNSURE_TICK_MS = 100;

export class GroupTree {
  private holding: GroupConfig;
  private readonly forest: GroupForest;
  private readonly usageMaxAgeMs: number;
  private readonly view: UsageView;
  private readonly live = new Map<QueryId, LiveQuery>();
  private readonly leavesInUse = new Set<GroupNode>();
  private unavailableSince: Instant | undefined;
  private asking = false;
  private lastClaimAt: Instant = instant(-Infinity);
  /** Claims are made in this round until it is reported. */
  private openRound = 1;
  private claimedInOpenRound = new Set<GroupNode>();

  constructor(options: GroupTreeOptions) {
    this.holding = options.config;
    this.forest = new GroupForest(options.config);
    this.usageMaxAgeMs = options.usageMaxAgeMs;
    this.view = new UsageView(this.forest, options.usageMaxAgeMs);
  }

  apply(event: GroupEvent, now: Instant): GroupEffect[] {
    this.view.forgetOld(now, this.refresh);
    const effects: GroupEffect[] = [];
    switch (event.kind) {
      case 'submitted':
        this.submit(event, now, effects);
        break;
      case 'finished':
        this.finish(event.queryId, now, effects);
        break;
      case 'usageArrived':
        this.asking = false;
        this.unavailableSince = undefined;
        this.view.take(event.usage, now, this.refresh);
        for (const root of this.forest.roots) {
          this.startWhatMay(root, now, effects);
          this.decideWhoWaits(root, effects);
          this.claim(root, now);
          this.askWhenUseful(root, effects);
        }
        break;
      case 'usageUnavailable':
        this.asking = false;
        this.unavailableSince = event.since;
        break;
      case 'tick':
        this.asking = this.someoneWaits() && !this.isTooSoon(now);
        if (this.asking) effects.push({ kind: 'askUsage' });
        break;
      case 'used':
      case 'clusterChanged':
        break;
      case 'configured':
        this.holding = event.config;
        break;
      default:
        return unreachable(event);
    }
    return effects;
  }

  /**
   * What to report: the leaf groups in use, and their ancestors with counts of zero.
   * Reading them closes the open round: what they hold of claims never grows, later claims are of a later round.
   */
  counts(): GroupCounts[] {
    this.closeRound();
    const reported = new Set<GroupNode>();
    for (const leaf of this.leavesInUse) for (const node of leaf.lineage) reported.add(node);
    return [...reported].map((node) => ({
      group: node.path,
      running: node.queue === undefined ? 0 : node.here.running,
      queued: node.queue === undefined ? 0 : node.here.queued,
      claimed: node.queue?.claimed ?? 0,
      claimRound: node.queue?.claimed ? node.queue.claimRound : 0,
      hardConcurrencyLimit: node.limit,
      maxQueued: node.maxQueued,
      memoryBytes: 0,
      cpuMs: 0,
      cpuQuotaMsPerSecond: node.spec.cpuQuotaMsPerSecond,
      template: '',
    }));
  }

  /** What runs and waits here, with what is below each group: for showing. Reading it changes nothing. */
  totals(): GroupTotalsHere[] {
    const inUse = new Set<GroupNode>();
    for (const leaf of this.leavesInUse) for (const node of leaf.lineage) inUse.add(node);
    return [...inUse].map(({ path, here: { running, queued } }) => ({ group: path, running, queued, memoryBytes: 0 }));
  }

  /** The queries that wait, group by group, in the order of each group. */
  queuedInOrder(): QueuedQuery[] {
    const queued = [...this.live.values()].filter(({ link }) => link !== undefined);
    return queued.map(({ queryId, leaf }) => ({ queryId, group: leaf.path }));
  }

  /** The configuration that holds. Select a group from it and submit the query in the same turn. */
  get config(): GroupConfig {
    return this.holding;
  }

  /** Whether any query is queued. */
  someoneWaits(): boolean {
    for (const root of this.forest.roots) if (root.node.here.queued > 0) return true;
    return false;
  }

  /** Why a query has not started; undefined when it is not queued. */
  explain(queryId: QueryId, now: Instant): WaitExplanation | undefined {
    const query = this.live.get(queryId);
    if (query?.link === undefined) return undefined;
    const { claims, claimsElsewhere } = this.forest.rootOf(query.leaf);
    return explainWait({
      query,
      claims,
      claimsElsewhere,
      knownRound: this.view.ageMs(now) === undefined ? 0 : (this.view.usage?.knownRound ?? 0),
      dataAgeMs: this.view.ageMs(now),
      refusedAgeMs: this.view.refusedAgeMs,
      isHeld: now - this.view.changedAt < CHANGE_HOLD_MS,
      unavailableMs: this.unavailableSince === undefined ? undefined : now - this.unavailableSince,
      claimIsKnown: this.isKnown(query),
    });
  }

  private submit({ queryId, target }: QuerySubmitted, now: Instant, effects: GroupEffect[]): void {
    const leaf = this.forest.node(target.path);
    invariant(leaf?.queue, `"${target.path}" is no leaf group`);
    invariant(!this.live.has(queryId), `G1: ${queryId} was submitted before`);
    const root = this.forest.rootOf(leaf);
    const query: LiveQuery = {
      ...{ queryId, leaf, submittedAt: now, isProvisional: true, link: undefined, claimed: false, number: 0 },
    };
    leaf.queue.append(query);
    this.live.set(queryId, query);
    this.leavesInUse.add(leaf);
    leaf.count({ queued: 1, provisional: 1 }, this.openRound);
    root.provisional.add(query);
    root.lastSubmittedAt = now;
    if (this.rejectIfFull(query, (node) => node.isOverfullHere, effects)) return;
    this.claim(root, now);
    this.askWhenUseful(root, effects);
  }

  private finish(queryId: QueryId, now: Instant, effects: GroupEffect[]): void {
    const query = this.live.get(queryId);
    if (query === undefined) return;
    const root = this.forest.rootOf(query.leaf);
    const wereFull = query.leaf.lineage.filter((node) => node.running >= node.limit);
    this.remove(query);
    this.startWhatMay(root, now, effects);
    this.claim(root, now);
    if (wereFull.some((node) => node.running < node.limit))
      this.ask(effects); // G7
    else this.askWhenUseful(root, effects);
  }

  /** G6 */
  private decideWhoWaits(root: RootState, effects: GroupEffect[]): void {
    const { usage } = this.view;
    for (const query of root.provisional) {
      if (usage === undefined || query.submittedAt > usage.requestedAt) return;
      this.settle(query);
      this.rejectIfFull(query, (node) => node.isOverfull, effects);
    }
  }

  private rejectIfFull(query: LiveQuery, isFull: (node: GroupNode) => boolean, effects: GroupEffect[]): boolean {
    const full = query.leaf.lineage.find(isFull);
    if (full === undefined) return false;
    this.remove(query);
    effects.push({
      kind: 'reject',
      queryId: query.queryId,
      reason: 'queueFull',
      group: full.path,
      limit: full.maxQueued,
    });
    return true;
  }

  /** From here on the query counts among those that wait. */
  private settle(query: LiveQuery): void {
    if (!query.isProvisional) return;
    query.isProvisional = false;
    this.forest.rootOf(query.leaf).provisional.delete(query);
    query.leaf.count({ provisional: -1 }, this.openRound);
  }

  /** Takes a query out, from whatever state (G1). */
  private remove(query: LiveQuery): void {
    const { leaf, claimed } = query;
    this.settle(query);
    const wasQueued = query.link !== undefined;
    if (wasQueued) leaf.queue?.remove(query);
    leaf.count(wasQueued ? { queued: -1, claimed: claimed ? -1 : 0 } : { running: -1 }, this.openRound);
    this.live.delete(query.queryId);
    if (leaf.here.running + leaf.here.queued === 0) this.leavesInUse.delete(leaf);
    this.dropEmptyClaim(leaf);
  }

  /** G2, over the claims in their order: an earlier round comes before a later one, leaves of one round take turns. */
  private startWhatMay(root: RootState, now: Instant, effects: GroupEffect[]): void {
    const { usage } = this.view;
    if (usage === undefined || usage.requestedAt <= root.lastStartAt) return; // G3
    const sinceChangeMs = now - this.view.changedAt;
    if (sinceChangeMs < CHANGE_HOLD_MS) return; // G4
    let startsLeft = sinceChangeMs < this.usageMaxAgeMs ? 1 : Infinity; // G4
    const before = new ClaimsBefore();
    let elsewhere = 0;
    let next = root.claims.first;
    while (next !== undefined && startsLeft > 0 && root.node.running < root.node.limit) {
      const round = next.value.queue?.claimRound ?? 0;
      if (round > usage.knownRound) return; // G3
      let leaves: GroupNode[] = [];
      for (; next !== undefined && next.value.queue?.claimRound === round; next = next.next) leaves.push(next.value);
      for (let claims; (claims = root.claimsElsewhere[elsewhere]) && claims.round <= round; elsewhere++)
        before.add(claims.node, claims.count);
      while (leaves.length > 0 && startsLeft > 0) {
        leaves = leaves.filter((leaf) => {
          if (startsLeft === 0 || !before.leaveRoom(leaf) || !this.startFirst(root, leaf, now, effects)) return false;
          startsLeft--;
          return true;
        });
      }
      // Claims of this round that could not start hang below a group that is full; they need not be counted for others.
    }
  }

  private startFirst(root: RootState, leaf: GroupNode, now: Instant, effects: GroupEffect[]): boolean {
    const query = leaf.queue?.firstClaimed();
    if (query === undefined) return false;
    this.settle(query);
    leaf.queue?.remove(query);
    leaf.count({ running: 1, queued: -1, claimed: -1 }, this.openRound);
    this.dropEmptyClaim(leaf);
    root.lastStartAt = now;
    effects.push({ kind: 'start', queryId: query.queryId });
    return true;
  }

  /** G5 */
  private claim(root: RootState, now: Instant): void {
    for (let leaf; (leaf = root.node.claimOne(this.openRound)) !== undefined;) {
      this.lastClaimAt = now;
      leaf.claimsLink ??= root.claims.append(leaf);
      this.claimedInOpenRound.add(leaf);
    }
  }

  private dropEmptyClaim(leaf: GroupNode): void {
    if (leaf.claimsLink === undefined || (leaf.queue?.claimed ?? 0) > 0) return;
    this.forest.rootOf(leaf).claims.remove(leaf.claimsLink);
    leaf.claimsLink = undefined;
  }

  private closeRound(): void {
    if (this.claimedInOpenRound.size === 0) return;
    this.openRound++;
    for (const leaf of this.claimedInOpenRound) leaf.refresh(this.openRound);
    this.claimedInOpenRound = new Set();
  }

  /** A newer answer could decide more than the newest one. Otherwise a tick asks. */
  private askWhenUseful(root: RootState, effects: GroupEffect[]): void {
    if (!this.asking && (this.couldStartMore(root) || this.couldDecideMore(root))) this.ask(effects);
  }

  /** G4 */
  private isTooSoon(now: Instant): boolean {
    return now - this.view.changedAt < this.usageMaxAgeMs && now - this.view.answeredUpTo < UNSURE_TICK_MS;
  }

  private ask(effects: GroupEffect[]): void {
    this.asking = true;
    effects.push({ kind: 'askUsage' });
  }

  /** Claims wait that the newest answer cannot know, or a start came after it was asked for. */
  private couldStartMore(root: RootState): boolean {
    const last = root.claims.last?.value.queue;
    if (last === undefined) return false;
    const { usage, answeredUpTo } = this.view;
    const allIsKnown = last.claimRound <= (usage?.knownRound ?? 0) || answeredUpTo > this.lastClaimAt;
    return !allIsKnown || answeredUpTo <= root.lastStartAt;
  }

  /** Queries came after the newest answer was asked for (G6). */
  private couldDecideMore(root: RootState): boolean {
    return root.provisional.size > 0 && root.lastSubmittedAt > this.view.answeredUpTo;
  }

  private isKnown(query: LiveQuery): boolean {
    const { usage } = this.view;
    const root = this.forest.rootOf(query.leaf);
    return (
      usage !== undefined &&
      usage.requestedAt > root.lastStartAt &&
      (!query.claimed || (query.leaf.queue?.claimRound ?? 0) <= usage.knownRound)
    );
  }

  private readonly refresh = (node: GroupNode): void => node.refresh(this.openRound);
}
