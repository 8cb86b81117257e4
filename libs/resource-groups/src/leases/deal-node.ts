// One group as its owner sees it: what is booked in it and below it, in the whole cluster.
//   N1. booked is the sum of what all holdings below count for (Holding.counted); an increase needs booked < limit here
//       and in every ancestor (A1).
//   N2. `turns` holds exactly the children with somebody who waits without a slot and could have one as far as the child
//       and the groups below it go. `waiters` the same for the holdings of a leaf.
import type { Instant } from '@tutti/base';
import { effectiveLimit, type ClusterSize, type LimitedBy, type ResourceUse } from '../effective-limit.js';
import { groupSpec, type GroupSpec, type SchedulingPolicy } from '../group-config.js';
import { newTurn, TurnOrder, type TurnTaker } from '../turn-order.js';
import { CpuMeter } from './deal-cpu.js';
import { DealShares } from './deal-shares.js';
import { type Holding, NO_SHARE, type Share, type Waiter } from './holding.js';
import { LeafWaiters } from './leaf-waiters.js';

/** This part of a limit is kept for whoever needs it next, rather than dealt for queries to come. */
export const RESERVE_PART = 1 / 16;
/** Who was pushed so much of a limit goes after others, until its coordinator is heard again. */
const PUSHED_PART = 1 / 8;

const UNKNOWN = groupSpec({ name: 'unknown', hardConcurrencyLimit: 0, maxQueued: 0 });

export class DealNode implements TurnTaker {
  /** This group and its ancestors, up to the root. */
  readonly lineage: readonly DealNode[];
  readonly children = new Set<DealNode>();
  readonly holdings = new Set<Holding>();
  /** Undefined: the configuration does not know it, or not yet. Nothing more is dealt in it. */
  known: GroupSpec | undefined;
  limit = 0;
  limitedBy: LimitedBy = 'concurrency';
  use: ResourceUse = { memoryBytes: 0, cpuUsedMs: 0 };
  booked = 0;
  /** Of what is booked, what runs or is about to. */
  busy = 0;
  unmet = 0;
  /** Slots below that could be called back. */
  idle = 0;
  /** Slots below that were called back and need not wait for a query to end. */
  called = 0;
  /** Slots that are wanted below for queries to come. */
  slack = 0;
  /** Its part of the group above while that is full, and what it had less than that (deal-shares.ts). */
  part = 0;
  owed = 0;
  readonly shares = new DealShares();
  /** CPU time that was vended below and not used, as far as is known; and the holdings of which it is not. */
  cpuOutMs = 0;
  withUnknownBudget = 0;
  readonly cpu = new CpuMeter();
  /** Everybody below was asked to give back what ends, since somebody waits for it. */
  hasCalledAll = false;
  readonly waiters: LeafWaiters;
  readonly here = { claimed: 0 };
  private readonly turns: TurnOrder<DealNode>;
  private readonly turn = newTurn<DealNode>(this);

  constructor(
    readonly path: string,
    readonly parent: DealNode | undefined,
    private readonly cluster: ClusterSize,
  ) {
    this.lineage = parent === undefined ? [this] : [this, ...parent.lineage];
    this.turns = new TurnOrder<DealNode>(this.policy);
    this.waiters = new LeafWaiters(this.policy);
    parent?.children.add(this);
  }

  /** Goes on by another spec. Configure parents before children, then refresh children before parents. */
  configure(spec: GroupSpec | undefined, now: Instant): void {
    this.known = spec;
    this.turns.reorder(this.policy);
    this.waiters.reorder(this.policy);
    this.limitAnew(now);
  }

  get spec(): GroupSpec {
    return this.known ?? UNKNOWN;
  }

  get policy(): SchedulingPolicy {
    return this.parent?.policy === 'query_priority' ? 'query_priority' : this.spec.schedulingPolicy;
  }

  /** Whether holdings here can be raised. */
  get isLeaf(): boolean {
    return this.known !== undefined && this.known.subGroups.length === 0;
  }

  /** For the order of turns: what runs or is about to, not what is held for queries to come. */
  get running(): number {
    return this.busy;
  }

  get bestUnclaimed(): { readonly priority: number; readonly number: number } | undefined {
    const head: Waiter | undefined = this.waiters.first?.head;
    if (head !== undefined) return { priority: head.priority, number: head.since };
    return this.turns.first?.bestUnclaimed;
  }

  get room(): number {
    return this.limit - this.booked;
  }

  /** Whether somebody waits below for room here or above. */
  get hasTaker(): boolean {
    return this.waiters.first !== undefined || this.turns.first !== undefined;
  }

  /** The child whose turn is next. */
  get nextChild(): DealNode | undefined {
    return this.turns.first;
  }

  /** Who gets the next slot below this group. */
  next(now: Instant): Holding | undefined {
    if (this.room <= 0) return undefined;
    return this.waiters.first ?? this.nextBelow(now)?.next(now);
  }

  /** Where slots are divided into parts the child that is furthest behind, otherwise the one whose turn it is. */
  private nextBelow(now: Instant): DealNode | undefined {
    return (this.hasParts ? this.shares.furthestBehind(this, now) : undefined) ?? this.turns.first;
  }

  /** Whether the policy says which part each child has: not by the queries that wait there. */
  get hasParts(): boolean {
    return this.policy !== 'query_priority' && this.children.size > 1;
  }

  /** The part of what is wanted below for queries to come that can be had, when some room is to be left. */
  get slackPart(): number {
    const left = this.limit * (1 - RESERVE_PART) - this.busy;
    return this.slack === 0 ? 1 : Math.max(0, Math.min(1, left / this.slack));
  }

  /** What it has used of its quota (V2). */
  cpuUsedMs(now: Instant): number {
    return Math.max(this.use.cpuUsedMs, this.cpu.usedMs(this.spec.cpuQuotaMsPerSecond, now));
  }

  /** Works out the limit anew; true when it has changed. */
  limitAnew(now: Instant): boolean {
    const before = this.limit;
    const use = { memoryBytes: this.use.memoryBytes, cpuUsedMs: this.cpuUsedMs(now) };
    const { limit, limitedBy } = effectiveLimit(this.spec, use, this.cluster);
    this.limit = limit;
    this.limitedBy = limitedBy;
    return before !== limit;
  }

  /** Its counts or its limit may have changed. */
  refresh(wasDealt = false): void {
    if (!this.hasTaker) this.hasCalledAll = false;
    this.parent?.turns.update(this.turn, this.room > 0 && this.hasTaker, wasDealt);
  }

  /** A holding here has changed: counts follow, up to the root. */
  settle(holding: Holding, mayTake: boolean, wasDealt = false): void {
    const share = this.isLeaf || holding.counted > 0 ? shareOf(holding, mayTake && this.isLeaf) : NO_SHARE;
    const before = holding.share;
    holding.share = share;
    holding.isPushed = isPushed(holding);
    this.waiters.update(holding, share.unmet > 0, wasDealt);
    for (const node of this.lineage) {
      node.booked += share.booked - before.booked;
      node.busy += share.busy - before.busy;
      node.unmet += share.unmet - before.unmet;
      node.idle += share.idle - before.idle;
      node.called += share.called - before.called;
      node.slack += share.slack - before.slack;
      node.cpuOutMs += share.cpuOutMs - before.cpuOutMs;
      node.withUnknownBudget += share.withUnknownBudget - before.withUnknownBudget;
      node.refresh(wasDealt);
    }
  }
}

/** P5 */
const isPushed = ({ pushed, leaf }: Holding): boolean =>
  pushed > 0 && pushed >= Math.min(...leaf.lineage.map(({ limit }) => limit)) * PUSHED_PART;

function shareOf(holding: Holding, mayTake: boolean): Share {
  const { counted, held, running, waiting, slack, life } = holding;
  const isLeased = life.standing === 'leased';
  const idle = isLeased ? holding.recallable : 0;
  return {
    booked: counted,
    busy: Math.min(counted, running + waiting),
    unmet: mayTake ? holding.unmet : 0,
    idle,
    called: Math.max(0, Math.min(counted, held) - running - waiting) - idle,
    slack: isLeased ? slack : 0,
    cpuOutMs: isLeased ? holding.cpuOutMs : 0,
    withUnknownBudget: held > 0 && !life.areBudgetsKnown && (isLeased || life.standing === 'unheard') ? 1 : 0,
  };
}
