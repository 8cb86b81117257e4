// The leased groups of one shard at this coordinator: what it may run of them, and what it started.
//   S1. The holder (lease-holder.ts) hears of each start before the next one is decided, of each end before what it makes
//       room for, and of what ran before its group was in leased mode before anything starts: so nothing starts unless
//       running < held while the lease holds, and what must be given back is not used.
//   S2. It hears of every change in the same turn, before that turn is over.
//   S3. When the lease is over, whatever was started and not sent waits again: its place was counted under that lease
//       only. What was sent goes on, and is counted until it has ended, or until nothing of it is left on workers.
import { type Instant, instant } from '@tutti/base';
import type { GroupEffect } from './group-events.js';
import type { GroupNode } from './group-node.js';
import { LeasedLeaf } from './leased-leaf.js';
import type { LeaseRoute } from './lease-routes.js';
import type { HolderEvent } from './leases/holder-events.js';
import { LeaseHolder, type LeaseHolderOptions } from './leases/lease-holder.js';
import type { Grant, TaskStamp } from './leases/lease-messages.js';
import type { LiveQueries } from './live-queries.js';
import type { LiveQuery } from './live-query.js';

/** Names of groups that nobody uses are forgotten after so long. */
const TIDY_MS = 10_000;
/** Who renews within this time does so together with others. */
const TOGETHER_MS = 300;

export class ShardLeases {
  route: LeaseRoute | undefined;
  /** Since when no owner is known. */
  unroutedSince: Instant | undefined;
  /** When the next `tick` is due. */
  wakeAt: Instant = instant(Infinity);
  /** Whether a demand has left in this turn. */
  hasSent = false;
  readonly holder: LeaseHolder;
  private readonly leaves = new Map<string, LeasedLeaf>();
  /** Leaves of which the holder does not know everything, or that may start something. */
  private readonly open = new Set<LeasedLeaf>();
  /** Leaves with a free slot, below a group that is closed. */
  private readonly closedOut = new Set<LeasedLeaf>();
  /** Started under the lease, and nothing of it sent, or nothing left of what was. */
  private readonly unsent = new Set<LiveQuery>();
  private tidiedAt: Instant = instant(0);

  constructor(
    readonly shard: number,
    private readonly live: LiveQueries,
    options: LeaseHolderOptions,
    /** Those with something to settle, this one too when it has. */
    private readonly busy: Set<ShardLeases>,
    now: Instant,
  ) {
    this.holder = new LeaseHolder(options);
    this.unroutedSince = now;
  }

  /** A query has come to a leaf. */
  came(leaf: GroupNode): void {
    this.of(leaf).arrived++;
    this.changed(leaf);
  }

  started(query: LiveQuery): void {
    this.unsent.add(query);
    this.changed(query.leaf);
  }

  /** A query is gone. */
  left(query: LiveQuery): void {
    this.unsent.delete(query);
    this.changed(query.leaf);
    this.retryClosed();
  }

  /** Another policy orders the queries of a leaf: an old place is none any more. */
  reordered(leaf: GroupNode): void {
    for (const query of this.unsent) if (query.leaf === leaf) query.orderKey = 0;
  }

  /** From now on it is on a worker, for all that is known. */
  sent(query: LiveQuery): void {
    this.unsent.delete(query);
  }

  /** It is on no worker any more, as if nothing had been sent. */
  nowhere(query: LiveQuery, now: Instant, effects: GroupEffect[]): void {
    this.unsent.add(query);
    query.orderKey = 0; // Its place was not looked after since it was sent.
    if (!this.holder.isValid(now)) this.requeue(now, effects);
  }

  used(leaf: GroupNode, cpuMs: number): void {
    const leased = this.of(leaf);
    leased.used(cpuMs);
    if (leased.isNews) this.reopen(leased);
  }

  /** What runs or waits in a leaf is not what it was. */
  changed(leaf: GroupNode): void {
    const leased = this.of(leaf);
    leased.isNews = true;
    this.reopen(leased);
  }

  /** Groups may not be closed any more. */
  retryClosed(): void {
    for (const leased of this.closedOut) this.reopen(leased);
    this.closedOut.clear();
  }

  /** Has nothing to do with a leaf any more: its tree is in another mode. */
  release(leaf: GroupNode): void {
    const { leased } = leaf;
    if (leased === undefined) return;
    leaf.leased = undefined;
    leased.isNews = true;
    this.reopen(leased);
    for (const query of this.unsent) if (query.leaf === leaf) this.unsent.delete(query);
  }

  /** Tells the holder what has changed, and starts what may (S1, S2). */
  settle(now: Instant, effects: GroupEffect[]): void {
    for (const leased of this.open) {
      this.open.delete(leased);
      if (leased.isNews && leased.runsOthers) this.tell(leased, now, effects);
      const { node } = leased;
      while (node.leased === leased && node.queue?.first !== undefined && this.mayStart(leased, now)) {
        const { queryId } = this.live.start(node, now);
        effects.push({ kind: 'start', queryId });
        this.tell(leased, now, effects);
      }
      if (leased.isNews) this.tell(leased, now, effects);
    }
  }

  /** Follows the owner. */
  follow(route: LeaseRoute | undefined, now: Instant, effects: GroupEffect[]): void {
    if (route?.seat === this.route?.seat && route?.epoch === this.route?.epoch) return;
    if (this.route !== undefined) this.apply({ kind: 'streamLost' }, now, effects);
    if (route === undefined) this.unroutedSince ??= now;
    else this.unroutedSince = undefined;
    this.route = route;
    if (route !== undefined) this.apply({ kind: 'streamOpened', epoch: route.epoch }, now, effects);
  }

  hear(grant: Grant, now: Instant, effects: GroupEffect[]): void {
    this.apply({ kind: 'grant', grant }, now, effects);
  }

  oversleep(now: Instant, effects: GroupEffect[]): void {
    this.apply({ kind: 'overslept' }, now, effects);
  }

  /** Others speak to the same owner now. */
  renewSoon(now: Instant, effects: GroupEffect[]): void {
    this.apply({ kind: 'tick', renewWithinMs: TOGETHER_MS }, now, effects);
  }

  tick(now: Instant, effects: GroupEffect[]): void {
    this.apply({ kind: 'tick' }, now, effects);
    if (now - this.tidiedAt < TIDY_MS) return;
    this.tidiedAt = now;
    for (const [group, leased] of this.leaves) {
      if (!leased.isEmpty || leased.isNews || this.holder.explain(group, now) !== undefined) continue;
      this.leaves.delete(group);
      if (leased.node.leased === leased) leased.node.leased = undefined;
    }
  }

  /** What the tasks carry that are made now; undefined while the lease does not hold. */
  taskStamp(now: Instant): TaskStamp | undefined {
    return this.holder.isValid(now) ? this.holder.taskStamp() : undefined;
  }

  /** The leaves in which something runs, waits or is held. */
  get inUse(): Iterable<LeasedLeaf> {
    return this.leaves.values();
  }

  /** How much is held in a group and everything below it. */
  heldBelow(group: GroupNode, now: Instant): number {
    let held = 0;
    for (const { node, group: path } of this.leaves.values())
      if (node.lineage.includes(group)) held += this.holder.explain(path, now)?.held ?? 0;
    return held;
  }

  private reopen(leased: LeasedLeaf): void {
    this.open.add(leased);
    this.busy.add(this);
  }

  private mayStart(leased: LeasedLeaf, now: Instant): boolean {
    if (!this.holder.mayStart(leased.group, now)) return false;
    for (const node of leased.node.lineage) {
      if (!node.isClosed) continue;
      this.closedOut.add(leased);
      return false;
    }
    return true;
  }

  private tell(leased: LeasedLeaf, now: Instant, effects: GroupEffect[]): void {
    leased.refresh();
    this.apply({ kind: 'wants', leaves: [leased] }, now, effects);
  }

  private apply(event: HolderEvent, now: Instant, effects: GroupEffect[]): void {
    for (const effect of this.holder.apply(event, now))
      switch (effect.kind) {
        case 'send':
          if (this.route === undefined) break; // Nobody is there to hear it: the next owner is told everything.
          this.hasSent = true;
          this.busy.add(this);
          effects.push({ kind: 'demand', seat: this.route.seat, shard: this.shard, demand: effect.demand });
          break;
        case 'startable':
          for (const group of effect.groups) {
            const leased = this.leaves.get(group);
            if (leased !== undefined) this.reopen(leased);
          }
          break;
        case 'lapsed':
          this.requeue(now, effects);
          break;
      }
    this.wakeAt = this.holder.wakeAt();
  }

  /** S3 */
  private requeue(now: Instant, effects: GroupEffect[]): void {
    for (const query of this.unsent) {
      this.unsent.delete(query);
      const { queryId, queuedSince, leaf } = query;
      effects.push({ kind: 'requeue', queryId });
      if (leaf.queue !== undefined && !leaf.isGone) {
        this.live.requeue(query);
        continue;
      }
      this.live.remove(query, now);
      effects.push({ kind: 'reselect', queryId, queuedSince });
    }
    this.retryClosed();
  }

  private of(leaf: GroupNode): LeasedLeaf {
    if (leaf.leased !== undefined) return leaf.leased;
    let leased = this.leaves.get(leaf.path);
    // A group of the same path was there before; what it held is known by that path.
    if (leased === undefined) this.leaves.set(leaf.path, (leased = new LeasedLeaf(leaf)));
    leased.node = leaf;
    return (leaf.leased = leased);
  }
}
