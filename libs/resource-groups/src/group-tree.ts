// Decides which waiting query may start. Pure: an event and a time in, effects out. Here, and only here, a query is
// admitted. How its limits are kept is the mode of a root group: leased-starts.ts (M1 to M6), gated-starts.ts (G2
// to G5, G7) or presto-starts.ts. What holds in all modes:
//   G1. A query is queued, running or gone; never two of these, and never lost.
//   G6. Whether there is room to wait is decided once per query, on the first answer that was asked for after it came, in
//       the order in which queries came. What could start is never turned away. When a query comes, it is turned away only
//       if what is here alone leaves no room: until it is decided no more than that wait.
//   G8. A new configuration holds from one moment to the next, another mode too. It ends nothing that runs, and loses
//       nothing that waits.
//   G9. Whatever time has ended counts as ended before anything else: usage, leases, and all of it for a process that stood
//       still.
//   G10. A query is told to others first by the question that decides whether it may wait. So those count before it that a
//       resource manager heard of before, in its one order: were it told earlier, two coordinators with queries for the
//       last place would each count the other's, and the place would stay free.
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
import { reload } from './group-reload.js';
import { GroupsInUse } from './groups-in-use.js';
import { type LeaseFigure, leaseFigures, type ShardStamp } from './lease-figures.js';
import type { LeaseHolderOptions } from './leases/lease-holder.js';
import { LiveQueries } from './live-queries.js';
import type { TreeParts } from './start-mode.js';
import { StartModes } from './start-modes.js';
import { StartRules } from './start-rules.js';
import { UsageQuestions } from './usage-questions.js';
import { UsageView } from './usage-view.js';
import { explanationOf, type WaitExplanation } from './wait-explanation.js';
import { waitFacts } from './wait-facts.js';
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
  private readonly modes: StartModes;
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
    this.modes = new StartModes(this.parts, this.rounds, this.rules, leases);
  }

  apply(event: GroupEvent, now: Instant): GroupEffect[] {
    const { view, inUse } = this.parts;
    const effects: GroupEffect[] = [];
    if (!this.hasBegun) this.begin(now);
    view.forgetOld(now); // G9
    if (event.kind === 'overslept') this.oversleep(now, effects);
    else this.modes.leased.wake(now, effects);
    inUse.collect(now);
    this.handle(event, now, effects);
    this.modes.leased.settle(now, effects);
    return effects;
  }

  /** The configuration that holds. Select a group from it and submit the query in the same turn. */
  get config(): GroupConfig {
    return this.currentConfig;
  }

  /** When a `tick` is due for leases; Infinity: never, as it is now. Later is safe. */
  wakeAt(): Instant {
    return this.modes.leased.wakeAt;
  }

  /**
   * What a question reports: the groups in use and those above them, each with its own queries only.
   * Reading them closes the open round: what they hold of claims never grows, later claims are of a later round.
   */
  counts(): GroupCounts[] {
    this.parts.live.asked();
    return this.countsBetweenQuestions();
  }

  /** What any other report says: the same without the queries that a question must tell of first (G10). */
  countsBetweenQuestions(): GroupCounts[] {
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
    return leaseFigures(this.modes.leased.all, now);
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
    const query = this.parts.live.get(queryId);
    if (!query?.isQueued) return undefined;
    return explanationOf(waitFacts(query, this.parts, this.rules, this.unavailableSince, now));
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
      case 'nowhere': {
        const query = live.get(event.queryId);
        if (query?.isQueued === false) query.leaf.root.leases?.nowhere(query, now, effects);
        return;
      }
      case 'usageArrived':
        questions.close();
        this.unavailableSince = undefined;
        view.take(event.usage, now);
        for (const root of forest.roots) this.modes.of(root).heard(root, now, effects);
        return;
      case 'usageUnavailable':
        questions.close();
        this.unavailableSince = event.since;
        return;
      case 'leaseOwners':
        return this.modes.leased.setOwners(event.seat, event.shards, now, effects);
      case 'leaseStreamLost':
        return this.modes.leased.setOwners(event.seat, [], now, effects);
      case 'leaseGranted':
        return this.modes.leased.hear(event.seat, event.shard, event.grant, now, effects);
      case 'overslept':
        return;
      case 'tick':
        this.endOverdue(now, effects);
        questions.close();
        if (forest.roots.some((root) => this.modes.of(root).isUsageDue(root, now))) questions.ask(effects);
        return;
      case 'clusterChanged':
        forest.resize(event);
        for (const root of forest.roots) this.modes.of(root).limitsChanged(root, now, effects, []);
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
    this.modes.follow(leaf.root, now);
    const query = this.parts.live.add(event, leaf, now);
    this.modes.of(leaf.root).came(query, now, effects);
  }

  private finish(queryId: QueryId, now: Instant, effects: GroupEffect[]): void {
    const { live } = this.parts;
    const query = live.get(queryId);
    if (query === undefined) return;
    const { leaf } = query;
    const wereFull = leaf.lineage.filter((node) => node.isFull);
    live.remove(query, now);
    this.modes.of(leaf.root).ended(leaf, now, effects, wereFull);
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
    if (root.limitChanges !== limitChanges) this.modes.of(root).limitsChanged(root, now, effects, wereFull);
  }

  /** G8 */
  private configure(config: GroupConfig, now: Instant, effects: GroupEffect[]): void {
    const { forest, live, view } = this.parts;
    this.currentConfig = config;
    reload(config, this.parts, this.rounds, now, effects);
    this.modes.leased.configure(config, now);
    for (const root of forest.roots) this.modes.follow(root, now);
    view.spreadAnew();
    live.timeouts.restart(forest.all);
    for (const root of forest.roots) this.modes.of(root).limitsChanged(root, now, effects, []);
  }

  /** Ends what has waited for too long. */
  private endOverdue(now: Instant, effects: GroupEffect[]): void {
    for (let overdue; (overdue = this.parts.waits.endOverdue(now)) !== undefined;) {
      effects.push(overdue.effect);
      this.modes.of(overdue.root).gaveUp(overdue.root, now);
    }
  }

  private begin(now: Instant): void {
    this.hasBegun = true;
    this.modes.leased.configure(this.currentConfig, now);
    for (const root of this.parts.forest.roots) this.modes.follow(root, now);
  }

  /** G9 */
  private oversleep(now: Instant, effects: GroupEffect[]): void {
    this.parts.view.forgetAll(now);
    this.modes.leased.oversleep(now, effects);
  }
}
