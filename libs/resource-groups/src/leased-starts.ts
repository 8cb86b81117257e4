// Mode leased: slots are dealt by the owner of the groups, and who holds one starts a query without asking anybody.
//   M1. A query starts only while its leaf has a slot that is held and free, under a lease that holds now (S1 of
//       shard-leases.ts, H1 of lease-holder.ts); and while no group above it is closed for what is known here: its own
//       limit is never exceeded by one coordinator alone, whoever deals, nor memory, CPU or workers that are used up.
//   M2. The first query of a leaf starts: between leaves and coordinators the owner decides, by whom it deals to.
//   M3. The owner is the resource manager that says so with the highest epoch; what any other one grants does not count.
//   M4. There is a holder for each shard with leased root groups in the configuration, used or not: a new owner knows then
//       at once what everybody holds. It lasts as long as the process, for its demands are numbered.
//   M5. Renewals to one resource manager leave together.
//   M6. Usage decides only who may wait (G6), so it is asked for when somebody does, and never before a start.
import { type Instant, instant } from '@tutti/base';
import { hasSoftLimits } from './effective-limit.js';
import type { GroupConfig, GroupSpec } from './group-config.js';
import type { GroupEffect } from './group-events.js';
import type { GroupNode } from './group-node.js';
import type { GroupRoot } from './group-root.js';
import { LeaseRoutes, type OwnedShard } from './lease-routes.js';
import type { LeaseHolderOptions } from './leases/lease-holder.js';
import type { Grant } from './leases/lease-messages.js';
import type { LiveQuery } from './live-query.js';
import { SHARD_COUNT, type SeatId, shardOf } from './seats/shard.js';
import { ShardLeases } from './shard-leases.js';
import type { StartMode, TreeParts } from './start-mode.js';

/** How often usage is asked for: to decide who may wait or what soft limits allow, and otherwise for people to see. */
const DECIDE_MS = 100;
const SHOW_MS = 1_000;
/** Of so many that wait undecided one answer is enough work. */
const UNDECIDED_MAX = 256;

export class LeasedStarts implements StartMode {
  private readonly shards = new Map<number, ShardLeases>();
  private readonly busy = new Set<ShardLeases>();
  /** Those that have not heard of an owner. */
  private readonly begun: ShardLeases[] = [];
  private readonly routes = new LeaseRoutes();
  private readonly softSpecs = new WeakMap<GroupSpec, boolean>();

  constructor(
    private readonly parts: TreeParts,
    private readonly options: LeaseHolderOptions,
  ) {}

  enter(root: GroupRoot, now: Instant): void {
    root.leases = this.shard(shardOf(root.node.path), now);
    for (const leaf of this.inUseOf(root))
      if (leaf.own.running + (leaf.queue?.size ?? 0) > 0) root.leases.changed(leaf);
  }

  leave(root: GroupRoot): void {
    for (const leaf of this.inUseOf(root)) root.leases?.release(leaf);
    root.leases = undefined;
  }

  came(query: LiveQuery, now: Instant, effects: GroupEffect[]): void {
    const { root } = query.leaf;
    root.leases?.settle(now, effects);
    if (!query.isQueued) return;
    const rejected = this.parts.waits.rejectIfFullHere(query, now); // G6
    if (rejected !== undefined) effects.push(rejected);
    else this.askToDecide(root, now, effects);
  }

  ended(): void {
    // What has changed is told and used before the turn is over.
  }

  gaveUp(): void {
    // The same.
  }

  limitsChanged(root: GroupRoot): void {
    root.leases?.retryClosed();
  }

  heard(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    const { waits, view } = this.parts;
    if (root.node.here.queued === 0) return;
    this.limitsChanged(root);
    root.leases?.settle(now, effects);
    effects.push(...waits.decide(root, view.usage, now)); // G6
    this.askToDecide(root, now, effects);
  }

  isUsageDue(root: GroupRoot, now: Instant): boolean {
    if (root.node.here.queued === 0) return false;
    const mayDecide = root.undecided.size > 0 || this.isSoft(root.node.spec);
    return now - this.parts.view.answeredUpTo >= (mayDecide ? DECIDE_MS : SHOW_MS);
  }

  /** There is a holder for each shard that may have leased groups (M4). */
  configure({ rootGroups }: GroupConfig, now: Instant): void {
    for (const { admissionMode, isDynamic } of rootGroups) {
      if (admissionMode !== 'leased' || !isDynamic) continue;
      for (let shard = 0; shard < SHARD_COUNT; shard++) this.shard(shard, now);
      return;
    }
  }

  /** Everything that is due by time: before anything else, so that a lease that is over counts as lost (H4). */
  wake(now: Instant, effects: GroupEffect[]): void {
    for (const shard of this.shards.values()) if (now >= shard.wakeAt) shard.tick(now, effects);
  }

  /** M3 */
  setOwners(seat: SeatId, shards: readonly OwnedShard[], now: Instant, effects: GroupEffect[]): void {
    this.routes.set(seat, shards);
    for (const leases of this.shards.values()) leases.follow(this.routes.of(leases.shard), now, effects);
  }

  /** M3 */
  hear(seat: SeatId, shard: number, grant: Grant, now: Instant, effects: GroupEffect[]): void {
    const leases = this.shards.get(shard);
    if (leases?.route?.seat === seat) leases.hear(grant, now, effects);
  }

  oversleep(now: Instant, effects: GroupEffect[]): void {
    for (const leases of this.shards.values()) leases.oversleep(now, effects);
  }

  /** The turn is almost over: whatever has changed is told, and what may start does. */
  settle(now: Instant, effects: GroupEffect[]): void {
    for (const leases of this.busy) leases.settle(now, effects);
    // Now they know what runs, and tell it with the first demand.
    for (const leases of this.begun.splice(0)) leases.follow(this.routes.of(leases.shard), now, effects);
    if (this.busy.size === 0) return;
    this.renewTogether(now, effects);
    for (const leases of this.busy) leases.settle(now, effects);
    this.busy.clear();
  }

  get wakeAt(): Instant {
    let at = Infinity;
    for (const { wakeAt } of this.shards.values()) at = Math.min(at, wakeAt);
    return instant(at);
  }

  get all(): Iterable<ShardLeases> {
    return this.shards.values();
  }

  /** M5 */
  private renewTogether(now: Instant, effects: GroupEffect[]): void {
    const seats = new Set<SeatId>();
    for (const { hasSent, route } of this.busy) if (hasSent && route !== undefined) seats.add(route.seat);
    if (seats.size > 0)
      for (const leases of this.shards.values())
        if (!leases.hasSent && leases.route !== undefined && seats.has(leases.route.seat))
          leases.renewSoon(now, effects);
    for (const leases of this.busy) leases.hasSent = false;
  }

  private askToDecide(root: GroupRoot, now: Instant, effects: GroupEffect[]): void {
    const { waits, view, questions } = this.parts;
    const isTooSoon = root.undecided.size < UNDECIDED_MAX && now - view.answeredUpTo < DECIDE_MS;
    if (!isTooSoon && waits.couldDecideMore(root, view.answeredUpTo)) questions.askUnlessAsked(effects);
  }

  private shard(shard: number, now: Instant): ShardLeases {
    let leases = this.shards.get(shard);
    if (leases !== undefined) return leases;
    leases = new ShardLeases(shard, this.parts.live, this.options, this.busy, now);
    this.shards.set(shard, leases);
    this.begun.push(leases);
    return leases;
  }

  /** Whether anything but slots limits a group or one below it. */
  private isSoft(spec: GroupSpec): boolean {
    let isSoft = this.softSpecs.get(spec);
    if (isSoft === undefined) {
      isSoft = hasSoftLimits(spec) || spec.subGroups.some((below) => this.isSoft(below));
      this.softSpecs.set(spec, isSoft);
    }
    return isSoft;
  }

  private inUseOf(root: GroupRoot): GroupNode[] {
    return [...this.parts.inUse].filter((node) => node.root === root);
  }
}
