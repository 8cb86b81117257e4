// The owner of some root groups: deals their slots to coordinators. Pure: an event and a time in, effects out.
//   O1. For every group, what is booked for all coordinators is at most its limit, but for what was booked before the limit
//       fell; and what a coordinator may start is at most what is booked for it (A1). Read with H1 and H2 of the holder.
//   O2. No increase leaves before a second seat keeps it: the next owner finds it (A5).
//   O3. What a silent coordinator held becomes free by the evidence of workers only, never by time alone (A4).
//   O4. With somebody waiting, and room in its group and all above, it is dealt to in the same step (A3); where there is
//       no room others are asked to give back what they do not need.
//   O5. A demand costs in proportion to the leaf groups that it names, and to what is dealt.
// Whoever runs it tells it `lost` before anything else once ownership is over: ask the seats before each event.
import { type Instant, unreachable } from '@tutti/base';
import type { Demand } from './lease-messages.js';
import { LEASE_RULES, LEASE_TIMING, later, type LeaseRules, type LeaseTiming } from './lease-timing.js';
import { flush } from './owner-answers.js';
import { aimAt, aimBelow, deal, keepFloor, noteSilence, serve, serveAll } from './owner-dealing.js';
import { isUnused, readDemand } from './owner-demands.js';
import type { DealtGroup, OwnerCounters, OwnerEffect, OwnerEvent } from './owner-events.js';
import { readReport, weighEvidence } from './owner-fences.js';
import { heldBy, type HeldBy, overAdmission } from './owner-reads.js';
import { configureRoots, openRoots } from './owner-roots.js';
import { type Phase, OwnerState } from './owner-state.js';
import { acquire, expireLeases, goOnLearning, readMembership } from './owner-takeover.js';
import { writeOff, writeOffWorkers } from './owner-write-offs.js';
import type { DealNode } from './deal-node.js';

const TICK_MS = 250;
/** Copies that are higher than need be are lowered after so long, so many at a time. */
const LOOSE_MS = 3_000;
const LOOSE_MAX = 256;
/** After a copy that no seat could take nothing new is dealt for so long. */
const COPY_PAUSE_MS = 1_000;

export interface LeaseOwnerOptions {
  readonly timing?: LeaseTiming;
  readonly rules?: LeaseRules;
}

export class LeaseOwner {
  private readonly owner: OwnerState;
  private resigned = false;

  constructor({ timing = LEASE_TIMING, rules = LEASE_RULES }: LeaseOwnerOptions = {}) {
    this.owner = new OwnerState(timing, rules);
  }

  apply(event: OwnerEvent, now: Instant): OwnerEffect[] {
    const { owner } = this;
    const out: OwnerEffect[] = [];
    switch (event.kind) {
      case 'acquired':
        acquire(owner, event, now);
        break;
      case 'lost':
        owner.begin('idle', 0);
        break;
      case 'resigning':
        this.resign();
        break;
      case 'demand':
        this.hear(event.demand, now, out);
        break;
      case 'workerReport':
        readReport(owner, event.report, now, out);
        break;
      case 'membership':
        readMembership(owner, event, now);
        break;
      case 'copied':
        for (const holding of owner.copies.copied(event.seq)) {
          owner.touched.add(holding.life);
          if (holding.copied > holding.held) owner.loose.set(holding, now);
        }
        weighEvidence(owner, now);
        break;
      case 'copyRefused':
        this.takeBack(event.seq, now);
        break;
      case 'configured':
        this.limitsChanged(configureRoots(owner, event.rootGroups, event.exemptRootGroups ?? []), now);
        break;
      case 'measured':
        this.limitsChanged(owner.tree.measure(event.cluster, event.levels, now), now);
        break;
      case 'writeOff':
        writeOff(owner, event.coordinatorId, out);
        break;
      case 'tick':
        this.tick(now, out);
        break;
      default:
        return unreachable(event);
    }
    if (owner.phase === 'idle') return out;
    const { phase } = owner;
    this.limitsChanged(openRoots(owner), now);
    goOnLearning(owner, now, out);
    if (owner.phase === 'dealing') deal(owner, now);
    if (owner.phase !== phase) serveAll(owner, now);
    flush(owner, now, out);
    // What it copies last goes along with the shard (E1).
    if (owner.phase === 'resigning' && !this.resigned) {
      this.resigned = true;
      out.push({ kind: 'mayResign' });
    }
    return out;
  }

  /** When the next `tick` is due. Later is safe. */
  wakeAt(): Instant | undefined {
    const { phase, tickedAt, pushesAt } = this.owner;
    if (phase === 'idle') return undefined;
    const tickAt = later(tickedAt, TICK_MS);
    return pushesAt < tickAt ? pushesAt : tickAt;
  }

  get phase(): Phase {
    return this.owner.phase;
  }

  get epoch(): number {
    return this.owner.epoch;
  }

  /** Whether anything is booked for anybody, or was a short time ago. */
  get isInUse(): boolean {
    return this.owner.lives.size > 0;
  }

  get counters(): Readonly<OwnerCounters> {
    return this.owner.counters;
  }

  /** The groups in which somebody holds or wants something. */
  groups(): DealtGroup[] {
    return Array.from(this.owner.tree.all, ({ path: group, limit, booked, busy, unmet }) => ({
      ...{ group, limit, booked, busy, unmet },
    }));
  }

  /**
   * How many queries run beyond the limits, by group, as workers report it: at the time of the oldest of their newest
   * reports. Nothing of it comes from the book.
   */
  overAdmission(): Map<string, number> {
    return overAdmission(this.owner);
  }

  /** Who holds what in a group and below it. */
  heldBy(group: string): HeldBy[] {
    return heldBy(this.owner, group);
  }

  private hear(demand: Demand, now: Instant, out: OwnerEffect[]): void {
    const { owner } = this;
    owner.readNow = [];
    const life = readDemand(owner, demand, now, out);
    for (const { leaf, cameMs } of owner.cpuCame.splice(0))
      this.limitsChanged(owner.tree.charge(leaf, cameMs, now), now);
    if (life === undefined || owner.phase !== 'dealing') return;
    deal(owner, now);
    serve(owner, life, now);
    aimAt(owner, life, now);
  }

  /** What was to be dealt with copies that no seat took is not dealt. */
  private takeBack(seq: number, now: Instant): void {
    const { owner } = this;
    owner.counters.copiesRefused++;
    owner.copyRefusedAt = now;
    for (const holding of owner.copies.refused(seq)) {
      const { life } = holding;
      if (life.owed !== undefined && life.mustCopyAll && holding.copied < holding.reported) {
        life.standing = 'void';
        owner.owe(life, 'refused', now);
      } else if (life.raised.has(holding)) {
        holding.held = Math.max(holding.reported, holding.sentCap);
        owner.touched.add(life);
      }
    }
    for (const life of owner.lives.values()) owner.settleAll(life);
  }

  private limitsChanged(groups: readonly DealNode[], now: Instant): void {
    const { owner } = this;
    for (const group of groups) {
      for (const holding of group.holdings) owner.settle(holding);
      owner.toDeal.add(group.lineage.at(-1) ?? group);
      if (group.room < 0) aimBelow(owner, group, now);
    }
  }

  private resign(): void {
    const { owner } = this;
    if (owner.phase === 'idle') return;
    owner.phase = 'resigning';
    this.resigned = false;
    for (const life of owner.lives.values()) owner.settleAll(life);
    for (const holding of owner.loose.keys()) owner.copies.holding(holding);
    owner.loose.clear();
  }

  private tick(now: Instant, out: OwnerEffect[]): void {
    const { owner } = this;
    const { timing } = owner;
    if (owner.phase === 'idle' || now < later(owner.tickedAt, TICK_MS)) return;
    owner.tickedAt = now;
    if (owner.hasLearned) expireLeases(owner, now);
    this.limitsChanged(owner.tree.refill(now), now);
    noteSilence(owner, now);
    writeOffWorkers(owner, now, out);
    weighEvidence(owner, now);
    for (const coordinatorId of owner.fences.drop(now, timing.fenceKeptMs)) owner.copies.forgetFence(coordinatorId);
    if (owner.copies.isSettled) for (const fence of owner.fences.all) if (!fence.isCopied) owner.copies.fence(fence);
    if (now - owner.floorCheckedAt >= timing.floorMs) {
      owner.floorCheckedAt = now;
      keepFloor(owner, now);
    }
    if (owner.copyRefusedAt !== undefined && now - owner.copyRefusedAt >= COPY_PAUSE_MS) {
      owner.copyRefusedAt = undefined;
      for (const life of owner.lives.values()) owner.settleAll(life);
    }
    this.tighten(now);
  }

  /** Lowers copies that are higher than need be. */
  private tighten(now: Instant): void {
    const { owner } = this;
    let count = 0;
    for (const [holding, since] of owner.loose) {
      if (now - since < LOOSE_MS || ++count > LOOSE_MAX) return;
      owner.loose.delete(holding);
      if (holding.copied <= holding.held) continue;
      if (isUnused(holding) && !holding.life.raised.has(holding)) owner.dropHolding(holding);
      else owner.copies.holding(holding);
    }
  }
}
