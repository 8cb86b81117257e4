// Decides which waiting query may start. Pure: an event and a time in, effects out. Here, and only here, a query is
// admitted. How its limits are kept is the mode of a root group: leased-starts.ts (M1 to M6), gated-starts.ts (G2 to G5)
// or presto-starts.ts. What holds in all modes: G1, G6, G8, G9.
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
//   G8. A new configuration holds from one moment to the next, another mode too. It ends nothing that runs, and loses
//       nothing that waits.
//   G9. Whatever time has ended counts as ended before anything else: usage, leases, and all of it for a process that stood
//       still.
//
// Why one resource manager makes mode gated exact: it takes in the claims of the asker before it answers, and keeps the order
// in which it first heard of them. Of all queries that run in a group at one moment, take the one with the last claim, and
// of those of its coordinator and round the one that started last. When it started, each of the others either ran or was
// known as a claim before it, so G2 counted them all: claims that are made stand in the reports until they are used or
// withdrawn, and what is withdrawn is never used (R1 and R2 in claim-rounds.ts).
import { type Instant, type QueryId, unreachable } from '@tutti/base';
import { ClaimRounds } from './claim-rounds.js';
import { GatedStarts } from './gated-starts.js';
import type { AdmissionMode, GroupConfig } from './group-config.js';
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
import type { GroupRoot } from './group-root.js';
import { GroupsInUse } from './groups-in-use.js';
import { type LeaseFigure, leaseFigures, type ShardStamp } from './lease-figures.js';
import { LeasedStarts } from './leased-starts.js';
import { leaseFacts } from './leased-wait.js';
import type { LeaseHolderOptions } from './leases/lease-holder.js';
import { LiveQueries } from './live-queries.js';
import { PrestoStarts } from './presto-starts.js';
import type { StartMode, TreeParts } from './start-mode.js';
import { StartRules } from './start-rules.js';
import { UsageQuestions } from './usage-questions.js';
import { UsageView } from './usage-view.js';
import { explanationOf, type WaitExplanation } from './wait-explanation.js';
import { WaitRules } from './wait-rules.js';

export type { GroupCounts, GroupEffect, GroupEvent } from './group-events.js';

export interface GroupTreeOptions {
  readonly config: GroupConfig;
  /** No query starts on older data, in gated mode. Must be more than the heartbeat interval, and less than the time after
   * which resource managers take a silent coordinator out of their answers. */
  readonly usageMaxAgeMs: number;
  /** Who holds leases here. */
  readonly leases: LeaseHolderOptions;
}

export class GroupTree {
  private currentConfig: GroupConfig;
  private readonly parts: TreeParts;
  private readonly rules: StartRules;
  private readonly rounds = new ClaimRounds();
  private readonly leased: LeasedStarts;
  private readonly modes: Readonly<Record<AdmissionMode, StartMode>>;
  private unavailableSince: Instant | undefined;
  private hasBegun = false;

  constructor({ config, usageMaxAgeMs, leases }: GroupTreeOptions) {
    this.currentConfig = config;
    const forest = new GroupForest(config);
    const inUse = new GroupsInUse(forest);
    const live = new LiveQueries(inUse, this.rounds);
    const view = new UsageView(forest, usageMaxAgeMs);
    this.parts = { forest, inUse, live, view, waits: new WaitRules(live), questions: new UsageQuestions() };
    this.rules = new StartRules(view, usageMaxAgeMs);
    this.leased = new LeasedStarts(this.parts, leases);
    const gated = new GatedStarts(this.parts, this.rounds, this.rules);
    this.modes = { leased: this.leased, gated, presto: new PrestoStarts(this.parts, this.rounds) };
  }

  apply(event: GroupEvent, now: Instant): GroupEffect[] {
    const { view, inUse } = this.parts;
    const effects: GroupEffect[] = [];
    if (!this.hasBegun) this.begin(now);
    view.forgetOld(now); // G9
    if (event.kind === 'overslept') this.oversleep(now, effects);
    else this.leased.wake(now, effects);
    inUse.collect(now);
    this.handle(event, now, effects);
    this.leased.settle(now, effects);
    return effects;
  }

  /** The configuration that holds. Select a group from it and submit the query in the same turn. */
  get config(): GroupConfig {
    return this.currentConfig;
  }

  /** When a `tick` is due for leases; Infinity: never, as it is now. Later is safe. */
  wakeAt(): Instant {
    return this.leased.wakeAt;
  }

  /**
   * What to report: the groups in use and those above them, each with its own queries only.
   * Reading them closes the open round: what they hold of claims never grows, later claims are of a later round.
   */
  counts(): GroupCounts[] {
    this.rounds.close();
    return Array.from(this.parts.inUse, countsOf);
  }

  /** What runs and waits here, with what is below each group: for showing. Reading it changes nothing. */
  totals(): GroupTotalsHere[] {
    return Array.from(this.parts.inUse, ({ path, here: { running, queued, memoryBytes } }) => ({
      ...{ group: path, running, queued, memoryBytes },
    }));
  }

  /** What is held, runs and waits in the leaf groups in leased mode. */
  leaseFigures(now: Instant): LeaseFigure[] {
    return leaseFigures(this.leased.all, now);
  }

  /** The queries that wait: group by group, in each in the order in which they will start. */
  queuedInOrder(): QueuedQuery[] {
    const queued: QueuedQuery[] = [];
    for (const { path, queue } of this.parts.inUse)
      for (const { queryId } of queue?.inOrder() ?? []) queued.push({ queryId, group: path });
    return queued;
  }

  /** Whether any query is queued. */
  someoneWaits(): boolean {
    return this.parts.live.queuedCount > 0;
  }

  /** Whether ticks are of use now and then, to ask for usage: somebody waits, or a group goes by what was last heard. */
  wantsUsage(): boolean {
    return this.someoneWaits() || this.parts.forest.roots.some(({ mode }) => mode === 'presto');
  }

  /**
   * What the tasks of a query carry that are made now. notNow: its group needs a lease that holds, and there is none at this
   * moment: wait. undefined: its group needs none.
   */
  taskStamp(queryId: QueryId, now: Instant): ShardStamp | 'notNow' | undefined {
    const leases = this.parts.live.get(queryId)?.leaf.root.leases;
    if (leases === undefined) return undefined;
    const stamp = leases.taskStamp(now);
    return stamp === undefined ? 'notNow' : { shard: leases.shard, stamp };
  }

  /** Why a query has not started; undefined when it is not queued. */
  explain(queryId: QueryId, now: Instant): WaitExplanation | undefined {
    const { live, view, forest } = this.parts;
    const query = live.get(queryId);
    if (!query?.isQueued) return undefined;
    const { rules, unavailableSince } = this;
    const { leaf } = query;
    return explanationOf({
      ...{ query, now },
      cluster: forest.size,
      dataAgeMs: view.ageMs(now),
      knownRound: view.ageMs(now) === undefined ? 0 : (view.usage?.knownRound ?? 0),
      refusedAgeMs: view.refusedAgeMs,
      isHeld: rules.isHeld(now),
      unavailableMs: unavailableSince === undefined ? undefined : now - unavailableSince,
      isKnown: (hasClaim) => rules.isKnown(query, hasClaim),
      mode: leaf.root.mode ?? leaf.root.node.spec.admissionMode,
      lease: leaf.root.leases && leaseFacts(leaf.root.leases, leaf, now),
    });
  }

  private handle(event: GroupEvent, now: Instant, effects: GroupEffect[]): void {
    const { forest, view, live, questions } = this.parts;
    switch (event.kind) {
      case 'submitted':
        return this.submit(event, now, effects);
      case 'finished':
        return this.finish(event.queryId, now, effects);
      case 'used':
        return this.use(event.queryId, event, now, effects);
      case 'sent': {
        const query = live.get(event.queryId);
        if (query?.isQueued === false) query.leaf.root.leases?.sent(query);
        return;
      }
      case 'usageArrived':
        questions.close();
        this.unavailableSince = undefined;
        view.take(event.usage, now);
        for (const root of forest.roots) this.modeOf(root).heard(root, now, effects);
        return;
      case 'usageUnavailable':
        questions.close();
        this.unavailableSince = event.since;
        return;
      case 'leaseOwners':
        return this.leased.setOwners(event.seat, event.shards, now, effects);
      case 'leaseStreamLost':
        return this.leased.setOwners(event.seat, [], now, effects);
      case 'leaseGranted':
        return this.leased.hear(event.seat, event.shard, event.grant, now, effects);
      case 'overslept':
        return;
      case 'tick':
        this.endOverdue(now, effects);
        questions.close();
        if (forest.roots.some((root) => this.modeOf(root).isUsageDue(root, now))) questions.ask(effects);
        return;
      case 'clusterChanged':
        forest.resize(event);
        for (const root of forest.roots) this.modeOf(root).limitsChanged(root, now, effects, []);
        return;
      case 'configured':
        return this.configure(event.config, now, effects);
      default:
        return unreachable(event);
    }
  }

  private submit(event: QuerySubmitted, now: Instant, effects: GroupEffect[]): void {
    const reached = this.parts.forest.reach(event.target);
    if (reached.kind === 'refused') {
      effects.push({ ...reached, kind: 'reject', queryId: event.queryId });
      return;
    }
    const { leaf } = reached;
    this.followMode(leaf.root, now);
    const query = this.parts.live.add(event, leaf, now);
    this.modeOf(leaf.root).came(query, now, effects);
  }

  private finish(queryId: QueryId, now: Instant, effects: GroupEffect[]): void {
    const { live } = this.parts;
    const query = live.get(queryId);
    if (query === undefined) return;
    const { leaf } = query;
    const wereFull = leaf.lineage.filter((node) => node.isFull);
    live.remove(query, now);
    this.modeOf(leaf.root).ended(leaf, now, effects, wereFull);
  }

  private use(
    queryId: QueryId,
    use: { memoryBytes: number; cpuMs: number },
    now: Instant,
    effects: GroupEffect[],
  ): void {
    const { live } = this.parts;
    const query = live.get(queryId);
    if (query === undefined || query.isQueued) return;
    const { lineage, root } = query.leaf;
    const wereFull = lineage.filter((node) => node.isFull);
    const { limitChanges } = root;
    live.use(query, use.memoryBytes, use.cpuMs);
    if (root.limitChanges !== limitChanges) this.modeOf(root).limitsChanged(root, now, effects, wereFull);
  }

  /** G8 */
  private configure(config: GroupConfig, now: Instant, effects: GroupEffect[]): void {
    const { forest, live, view } = this.parts;
    this.currentConfig = config;
    const specs = forest.specsUnder(config);
    for (const [{ queue }, spec] of specs) {
      if (queue === undefined || spec?.subGroups.length === 0) continue;
      for (const query of [...queue.inOrder()]) {
        live.remove(query, now);
        effects.push({ kind: 'reselect', queryId: query.queryId, queuedSince: query.queuedSince });
      }
    }
    const policies = Array.from(forest.all, (node) => ({ node, policy: node.policy }));
    forest.configure(config, specs);
    for (const { node, policy } of policies) if (node.policy !== policy) this.rounds.withdrawAll(node.root);
    this.leased.configure(config, now);
    for (const root of forest.roots) this.followMode(root, now);
    view.spreadAnew();
    live.timeouts.restart(forest.all);
    for (const root of forest.roots) this.modeOf(root).limitsChanged(root, now, effects, []);
  }

  /** Ends what has waited for too long. */
  private endOverdue(now: Instant, effects: GroupEffect[]): void {
    for (let overdue; (overdue = this.parts.waits.endOverdue(now)) !== undefined;) {
      effects.push(overdue.effect);
      this.modeOf(overdue.root).gaveUp(overdue.root, now);
    }
  }

  private begin(now: Instant): void {
    this.hasBegun = true;
    this.leased.configure(this.currentConfig, now);
    for (const root of this.parts.forest.roots) this.followMode(root, now);
  }

  /** G9 */
  private oversleep(now: Instant, effects: GroupEffect[]): void {
    this.parts.view.forgetAll(now);
    this.leased.oversleep(now, effects);
  }

  /** Operates a tree of groups by the mode that its configuration says. */
  private followMode(root: GroupRoot, now: Instant): void {
    const mode = root.node.spec.admissionMode;
    if (root.mode === mode) return;
    if (root.mode !== undefined) this.modes[root.mode].leave(root);
    root.mode = mode;
    this.modes[mode].enter(root, now);
  }

  private modeOf(root: GroupRoot): StartMode {
    return this.modes[root.mode ?? root.node.spec.admissionMode];
  }
}
