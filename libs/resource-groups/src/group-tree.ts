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
import { invariant, type Instant, type QueryId, unreachable } from '@tutti/base';
import { ClaimRounds } from './claim-rounds.js';
import { explanationOf, type WaitExplanation } from './wait-explanation.js';
import type { GroupConfig } from './group-config.js';
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
import { LiveQuery } from './live-query.js';
import { QueueTimeouts, queueTimeoutOf } from './queue-timeouts.js';
import { StartRules } from './start-rules.js';
import { UsageView } from './usage-view.js';

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
  private readonly timeouts = new QueueTimeouts();
  private readonly live = new Map<QueryId, LiveQuery>();
  private queuedCount = 0;
  private lastNumber = 0;
  private unavailableSince: Instant | undefined;
  private asking = false;

  constructor({ config, usageMaxAgeMs }: GroupTreeOptions) {
    this.currentConfig = config;
    this.forest = new GroupForest(config);
    this.inUse = new GroupsInUse(this.forest);
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
          this.decideWhoWaits(root, now, effects);
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
    return Array.from(this.inUse, (node) => node.counts());
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
    return this.queuedCount > 0;
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
    const { queryId, target, priority, queuedSince = now } = event;
    invariant(!this.live.has(queryId), `G1: ${queryId} was submitted before`);
    const reached = this.forest.reach(target);
    if (reached.kind === 'refused') {
      const { reason, group, limit } = reached;
      effects.push({ kind: 'reject', queryId, reason, group, limit });
      return;
    }
    const { leaf } = reached;
    const { root } = leaf;
    const query = new LiveQuery(queryId, leaf, priority, ++this.lastNumber, now, queuedSince);
    leaf.queue?.add(query);
    this.live.set(queryId, query);
    this.queuedCount++;
    this.timeouts.enter(query);
    this.inUse.enter(leaf);
    leaf.count({ queued: 1, provisional: 1 });
    root.undecided.add(query);
    root.lastSubmittedAt = now;
    if (this.rejectIfFull(query, (node) => node.isOverfullHere, now, effects)) return;
    this.claim(root, now);
    this.askWhenUseful(root, effects);
  }

  private finish(queryId: QueryId, now: Instant, effects: GroupEffect[]): void {
    const query = this.live.get(queryId);
    if (query === undefined) return;
    const wereFull = query.leaf.lineage.filter((node) => node.isFull);
    this.remove(query, now);
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
    const { leaf } = query;
    const { root } = leaf;
    const moreMemory = use.memoryBytes - query.memoryBytes;
    leaf.own.cpuMs += Math.max(0, use.cpuMs - query.cpuMs);
    leaf.own.memoryBytes += moreMemory;
    query.memoryBytes = use.memoryBytes;
    query.cpuMs = Math.max(query.cpuMs, use.cpuMs);
    if (moreMemory === 0) return;
    const wereFull = leaf.lineage.filter((node) => node.isFull);
    const { limitChanges } = root;
    leaf.count({ memoryBytes: moreMemory });
    if (root.limitChanges !== limitChanges) this.advance(root, now, effects, wereFull);
  }

  /** G8 */
  private configure(config: GroupConfig, now: Instant, effects: GroupEffect[]): void {
    this.currentConfig = config;
    const specs = this.forest.specsUnder(config);
    for (const [{ queue }, spec] of specs) {
      if (queue === undefined || spec?.subGroups.length === 0) continue;
      for (const query of [...queue.inOrder()]) {
        this.remove(query, now);
        effects.push({ kind: 'reselect', queryId: query.queryId, queuedSince: query.queuedSince });
      }
    }
    this.forest.configure(config, specs);
    this.view.spreadAnew();
    this.timeouts.restart(this.forest.all);
    for (const root of this.forest.roots) this.advance(root, now, effects);
  }

  /** Ends what has waited for too long. */
  private endOverdue(now: Instant, effects: GroupEffect[]): void {
    for (let query; (query = this.timeouts.overdue(now)) !== undefined;) {
      const timeout = queueTimeoutOf(query.leaf);
      this.remove(query, now);
      this.claim(query.leaf.root, now);
      const [group, limit] = [timeout?.group.path ?? query.leaf.path, timeout?.timeoutMs ?? 0];
      effects.push({ kind: 'reject', queryId: query.queryId, reason: 'queueTimeout', group, limit });
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
    this.rules.startWhatMay(root, now, (leaf) => this.start(leaf, now, effects));
  }

  private start(leaf: GroupNode, now: Instant, effects: GroupEffect[]): void {
    const query = leaf.queue?.first;
    invariant(leaf.queue && query, 'Q1: a claim has a query');
    leaf.queue.starts(query);
    this.leaveQueue(query);
    this.rounds.use(leaf, now);
    leaf.own.running++;
    leaf.count({ running: 1, queued: -1, claimed: -1, provisional: this.settle(query) });
    for (const node of leaf.lineage) node.starts.add(now);
    leaf.root.lastStartAt = now;
    effects.push({ kind: 'start', queryId: query.queryId });
  }

  /** Claims are in order again: none in excess, and whoever may has made one. */
  private claim(root: GroupRoot, now: Instant): void {
    this.rounds.withdraw(root);
    this.rounds.make(root, now);
  }

  /** G6 */
  private decideWhoWaits(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    const { usage } = this.view;
    if (usage === undefined) return;
    for (let query; (query = root.undecided.first()) !== undefined && query.submittedAt <= usage.requestedAt;) {
      query.leaf.count({ provisional: this.settle(query) });
      this.rejectIfFull(query, (node) => node.isOverfull, now, effects);
    }
  }

  private rejectIfFull(
    query: LiveQuery,
    isFull: (node: GroupNode) => boolean,
    now: Instant,
    effects: GroupEffect[],
  ): boolean {
    const full = query.leaf.lineage.find(isFull);
    if (full === undefined) return false;
    this.remove(query, now);
    const { path: group, spec } = full;
    effects.push({ kind: 'reject', queryId: query.queryId, reason: 'queueFull', group, limit: spec.maxQueued });
    return true;
  }

  /** From here on the query counts among those that wait. Returns by how much fewer are provisional: count that. */
  private settle(query: LiveQuery): number {
    if (!query.isProvisional) return 0;
    query.isProvisional = false;
    query.leaf.root.undecided.leave();
    return -1;
  }

  /** Takes a query out, from whatever state (G1). */
  private remove(query: LiveQuery, now: Instant): void {
    const { leaf, memoryBytes } = query;
    this.live.delete(query.queryId);
    if (query.isQueued) {
      this.leaveQueue(query);
      leaf.count({ queued: -1, provisional: this.settle(query) });
      this.rounds.dropSpare(leaf);
    } else {
      leaf.own.running--;
      leaf.own.memoryBytes -= memoryBytes;
      leaf.count({ running: -1, memoryBytes: -memoryBytes });
    }
    if (leaf.own.running + (leaf.queue?.size ?? 0) === 0) this.inUse.leave(leaf, now);
  }

  private leaveQueue(query: LiveQuery): void {
    query.leaf.queue?.remove(query);
    query.isQueued = false;
    this.queuedCount--;
    this.timeouts.leave(query);
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
