// Decides which waiting query may start. Pure: an event and a time in, effects out. Here, and only here, a query is
// admitted.
//   G1. A query is queued, running or gone; never two of these, and never lost.
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
//   G6. Whether there is room to wait is decided once per query, on the first answer that was asked for after it came, in
//       the order in which queries came. What could start is never turned away. When a query comes, it is turned away only
//       if what is here alone leaves no room: until it is decided no more than that wait.
//   G7. Who makes room in a group that was full tells so at once, with a question: others may wait for it.
//   G8. A new configuration holds from one moment to the next. It ends nothing that runs, and loses nothing that waits.
//
// Why one resource manager makes this exact: it takes in the claims of the asker before it answers, and keeps the order
// in which it first heard of them. Of all queries that run in a group at one moment, take the one with the last claim, and
// of those of its coordinator and round the one that started last. When it started, each of the others either ran or was
// known as a claim before it, so G2 counted them all: claims that are made stand in the reports until they are used or
// withdrawn, and what is withdrawn is never used (R1 and R2 in claim-rounds.ts).
import { type Instant, type QueryId, unreachable } from '@tutti/base';
import { ClaimRounds } from './claim-rounds.js';
import type { GroupConfig } from './group-config.js';
import { countsOf } from './group-counts.js';
import type {
  GroupCounts,
  GroupEffect,
  GroupEvent,
  GroupTotalsHere,
  QuerySubmitted,
  QueuedQuery,
} from './group-events.js';
import { GroupForest } from './group-forest.js';
import type { GroupNode } from './group-node.js';
import type { GroupRoot } from './group-root.js';
import { GroupsInUse } from './groups-in-use.js';
import { LiveQueries } from './live-queries.js';
import { StartRules } from './start-rules.js';
import { UsageView } from './usage-view.js';
import { explanationOf, type WaitExplanation } from './wait-explanation.js';
import { WaitRules } from './wait-rules.js';

export type { GroupCounts, GroupEffect, GroupEvent } from './group-events.js';

export interface GroupTreeOptions {
  readonly config: GroupConfig;
  /** No query starts on older data. Must be more than the heartbeat interval, and less than the time after which
   * resource managers take a silent coordinator out of their answers. */
  readonly usageMaxAgeMs: number;
}

export class GroupTree {
  private currentConfig: GroupConfig;
  private readonly forest: GroupForest;
  private readonly inUse: GroupsInUse;
  private readonly view: UsageView;
  private readonly rules: StartRules;
  private readonly rounds = new ClaimRounds();
  private readonly live: LiveQueries;
  private readonly waits: WaitRules;
  private unavailableSince: Instant | undefined;
  private asking = false;

  constructor({ config, usageMaxAgeMs }: GroupTreeOptions) {
    this.currentConfig = config;
    this.forest = new GroupForest(config);
    this.inUse = new GroupsInUse(this.forest);
    this.live = new LiveQueries(this.inUse, this.rounds);
    this.waits = new WaitRules(this.live);
    this.view = new UsageView(this.forest, usageMaxAgeMs);
    this.rules = new StartRules(this.view, usageMaxAgeMs);
  }

  apply(event: GroupEvent, now: Instant): GroupEffect[] {
    this.view.forgetOld(now);
    this.inUse.collect(now);
    const effects: GroupEffect[] = [];
    switch (event.kind) {
      case 'submitted':
        this.submit(event, now, effects);
        break;
      case 'finished':
        this.finish(event.queryId, now, effects);
        break;
      case 'used':
        this.use(event.queryId, event, now, effects);
        break;
      case 'usageArrived':
        this.asking = false;
        this.unavailableSince = undefined;
        this.view.take(event.usage, now);
        for (const root of this.forest.roots) {
          this.startWhatMay(root, now, effects);
          effects.push(...this.waits.decide(root, this.view.usage, now)); // G6
          this.claim(root, now);
          this.askWhenUseful(root, effects);
        }
        break;
      case 'usageUnavailable':
        this.asking = false;
        this.unavailableSince = event.since;
        break;
      case 'tick':
        this.endOverdue(now, effects);
        this.asking = this.someoneWaits() && !this.rules.isTooSoon(now);
        if (this.asking) effects.push({ kind: 'askUsage' });
        break;
      case 'clusterChanged':
        this.forest.resize(event);
        for (const root of this.forest.roots) this.advance(root, now, effects);
        break;
      case 'configured':
        this.configure(event.config, now, effects);
        break;
      default:
        return unreachable(event);
    }
    return effects;
  }

  /** The configuration that holds. Select a group from it and submit the query in the same turn. */
  get config(): GroupConfig {
    return this.currentConfig;
  }

  /**
   * What to report: the groups in use and those above them, each with its own queries only.
   * Reading them closes the open round: what they hold of claims never grows, later claims are of a later round.
   */
  counts(): GroupCounts[] {
    this.rounds.close();
    return Array.from(this.inUse, countsOf);
  }

  /** What runs and waits here, with what is below each group: for showing. Reading it changes nothing. */
  totals(): GroupTotalsHere[] {
    return Array.from(this.inUse, ({ path, here: { running, queued, memoryBytes } }) => ({
      ...{ group: path, running, queued, memoryBytes },
    }));
  }

  /** The queries that wait: group by group, in each in the order in which they will start. */
  queuedInOrder(): QueuedQuery[] {
    const queued: QueuedQuery[] = [];
    for (const { path, queue } of this.inUse)
      for (const { queryId } of queue?.inOrder() ?? []) queued.push({ queryId, group: path });
    return queued;
  }

  /** Whether any query is queued. */
  someoneWaits(): boolean {
    return this.live.queuedCount > 0;
  }

  /** Why a query has not started; undefined when it is not queued. */
  explain(queryId: QueryId, now: Instant): WaitExplanation | undefined {
    const query = this.live.get(queryId);
    if (!query?.isQueued) return undefined;
    const { view, rules, unavailableSince } = this;
    return explanationOf({
      ...{ query, now },
      cluster: this.forest.size,
      dataAgeMs: view.ageMs(now),
      knownRound: view.ageMs(now) === undefined ? 0 : (view.usage?.knownRound ?? 0),
      refusedAgeMs: view.refusedAgeMs,
      isHeld: rules.isHeld(now),
      unavailableMs: unavailableSince === undefined ? undefined : now - unavailableSince,
      isKnown: (hasClaim) => rules.isKnown(query, hasClaim),
    });
  }

  private submit(event: QuerySubmitted, now: Instant, effects: GroupEffect[]): void {
    const reached = this.forest.reach(event.target);
    if (reached.kind === 'refused') {
      effects.push({ ...reached, kind: 'reject', queryId: event.queryId });
      return;
    }
    const query = this.live.add(event, reached.leaf, now);
    const rejected = this.waits.rejectIfFullHere(query, now); // G6
    if (rejected !== undefined) {
      effects.push(rejected);
      return;
    }
    this.claim(query.leaf.root, now);
    this.askWhenUseful(query.leaf.root, effects);
  }

  private finish(queryId: QueryId, now: Instant, effects: GroupEffect[]): void {
    const query = this.live.get(queryId);
    if (query === undefined) return;
    const wereFull = query.leaf.lineage.filter((node) => node.isFull);
    this.live.remove(query, now);
    this.advance(query.leaf.root, now, effects, wereFull);
  }

  private use(
    queryId: QueryId,
    use: { memoryBytes: number; cpuMs: number },
    now: Instant,
    effects: GroupEffect[],
  ): void {
    const query = this.live.get(queryId);
    if (query === undefined || query.isQueued) return;
    const { lineage, root } = query.leaf;
    const wereFull = lineage.filter((node) => node.isFull);
    const { limitChanges } = root;
    this.live.use(query, use.memoryBytes, use.cpuMs);
    if (root.limitChanges !== limitChanges) this.advance(root, now, effects, wereFull);
  }

  /** G8 */
  private configure(config: GroupConfig, now: Instant, effects: GroupEffect[]): void {
    this.currentConfig = config;
    const specs = this.forest.specsUnder(config);
    for (const [{ queue }, spec] of specs) {
      if (queue === undefined || spec?.subGroups.length === 0) continue;
      for (const query of [...queue.inOrder()]) {
        this.live.remove(query, now);
        effects.push({ kind: 'reselect', queryId: query.queryId, queuedSince: query.queuedSince });
      }
    }
    const policies = Array.from(this.forest.all, (node) => ({ node, policy: node.policy }));
    this.forest.configure(config, specs);
    for (const { node, policy } of policies) if (node.policy !== policy) this.rounds.withdrawAll(node.root);
    this.view.spreadAnew();
    this.live.timeouts.restart(this.forest.all);
    for (const root of this.forest.roots) this.advance(root, now, effects);
  }

  /** Ends what has waited for too long. */
  private endOverdue(now: Instant, effects: GroupEffect[]): void {
    for (let overdue; (overdue = this.waits.endOverdue(now)) !== undefined;) {
      effects.push(overdue.effect);
      this.claim(overdue.root, now);
    }
  }

  /** Something may be possible now that was not before. */
  private advance(root: GroupRoot, now: Instant, effects: GroupEffect[], wereFull: readonly GroupNode[] = []): void {
    this.startWhatMay(root, now, effects);
    this.claim(root, now);
    if (wereFull.some((node) => !node.isFull))
      this.ask(effects); // G7
    else this.askWhenUseful(root, effects);
  }

  private startWhatMay(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    this.rounds.withdraw(root); // First: what cannot be used any more need not count before the rest.
    this.rules.startWhatMay(root, now, (leaf) => {
      const { queryId } = this.live.start(leaf, now);
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
    if (!this.asking && (this.rules.couldStartMore(root) || this.couldDecideMore(root))) this.ask(effects);
  }

  private ask(effects: GroupEffect[]): void {
    this.asking = true;
    effects.push({ kind: 'askUsage' });
  }

  /** Queries came after the newest answer was asked for (G6). */
  private couldDecideMore(root: GroupRoot): boolean {
    return root.undecided.size > 0 && root.lastSubmittedAt > this.view.answeredUpTo;
  }
}
