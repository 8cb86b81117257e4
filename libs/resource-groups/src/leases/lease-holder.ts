// A coordinator's part in leases, towards one owner. Pure: an event and a time in, effects out.
//   H1. Nothing starts unless running < held, under a lease that holds: counted from the sending of the demand that was
//       answered, on this process's own clock, less the margin (A4).
//   H2. A grant counts only if it answers the last demand (ackSeq), and comes from the owner that the demand was for, of
//       the highest epoch known; at most one demand is without an answer. So what the owner has booked is never less than
//       what is held.
//   H3. Only the holder lowers a holding, before it says so, and never below what runs.
//   H4. Before anything else in each step a lease that is over counts as lost, with all that is held beyond what runs: a
//       process that slept has lost it before it starts anything (A5).
//   H5. Stamps never go back. A running query may use the newest stamp: it was counted in the demand that was answered,
//       or started within what that demand said was held.
//   H6. Who holds, runs and wants nothing, and has been told that the owner knows, says nothing any more.
//   H7. What the owner wishes is never needed for safety. Of a grant that was missed it hears by a gap in the
//       numbers, and then tells everything again.
import { type Instant, instant, jittered, type Random, unreachable } from '@tutti/base';
import type { CoordinatorLife } from '../usage-ledger.js';
import type { HolderEffect, HolderEvent, LeaseExplanation } from './holder-events.js';
import { HolderLeaf, isToldAlready, type LeafWants } from './holder-leaf.js';
import { HolderPace } from './holder-pace.js';
import type { Demand, Grant, LeafDemand, LeafHint, LeaseStamp, TaskStamp } from './lease-messages.js';
import { NO_STAMP, NO_WISH } from './lease-messages.js';
import { LEASE_RULES, LEASE_TIMING, later, type LeaseRules, type LeaseTiming, relianceMs } from './lease-timing.js';

export interface LeaseHolderOptions {
  readonly life: CoordinatorLife;
  readonly random: Random;
  readonly timing?: LeaseTiming;
  readonly rules?: LeaseRules;
}

export class LeaseHolder {
  private readonly leaves = new Map<string, HolderLeaf>();
  private readonly changed = new Set<HolderLeaf>();
  private readonly timing: LeaseTiming;
  private readonly rules: LeaseRules;
  private readonly pace: HolderPace;
  private isConnected = false;
  private isLapsed = true;
  private leaseUntil = instant(-Infinity);
  private leasedAt: Instant | undefined;
  private stamp: LeaseStamp = NO_STAMP;
  private ownerEpoch = 0;
  private epochSeen = 0;
  private lastNumber = 0;
  private numberedEpoch = 0;
  private seq = 0;
  private tellAll = true;
  private toldAllSeq = 0;
  /** The owner has answered all that was told on this stream. */
  private isHeard = false;

  constructor(private readonly options: LeaseHolderOptions) {
    this.timing = options.timing ?? LEASE_TIMING;
    this.rules = options.rules ?? LEASE_RULES;
    this.pace = new HolderPace(this.timing, this.rules);
  }

  apply(event: HolderEvent, now: Instant): HolderEffect[] {
    const effects: HolderEffect[] = [];
    if (!this.isLapsed && now >= this.leaseUntil) this.lapse(effects); // H4
    switch (event.kind) {
      case 'wants':
        for (const wants of event.leaves) this.take(wants, now);
        break;
      case 'grant':
        this.hear(event.grant, now, effects);
        break;
      case 'streamOpened':
        this.isConnected = Number.isSafeInteger(event.epoch);
        this.ownerEpoch = event.epoch;
        if (this.isConnected) this.epochSeen = Math.max(this.epochSeen, event.epoch);
        this.giveUp();
        break;
      case 'streamLost':
        this.isConnected = false;
        this.giveUp();
        break;
      case 'overslept':
        if (!this.isLapsed) this.lapse(effects);
        break;
      case 'tick':
        if (event.renewWithinMs !== undefined) this.pace.renewSoon(now, event.renewWithinMs);
        break;
      default:
        return unreachable(event);
    }
    if (now >= this.pace.answerDueAt) this.giveUp();
    if (now >= this.nextSendAt) this.send(now, effects);
    return effects;
  }

  /** Whether another query may start in the leaf. Whoever starts one says so with `wants` in the same turn. */
  mayStart(group: string, now: Instant): boolean {
    const leaf = this.leaves.get(group);
    return leaf !== undefined && this.isValid(now) && leaf.running < leaf.allowed; // H1
  }

  /** Whether the lease holds. */
  isValid(now: Instant): boolean {
    return !this.isLapsed && now < this.leaseUntil;
  }

  /** What tasks carry that are made now. */
  taskStamp(): TaskStamp {
    return { ...this.options.life, ...this.stamp };
  }

  /** When the next `tick` is due. Later is safe. */
  wakeAt(): Instant {
    const lapsesAt = this.isLapsed || this.leaves.size === 0 ? Infinity : this.leaseUntil;
    return instant(Math.min(lapsesAt, this.pace.answerDueAt, this.nextSendAt));
  }

  /** Whether it holds, runs and wants nothing, and the owner knows (H6). */
  get isIdle(): boolean {
    return this.leaves.size === 0 && this.isHeard && this.pace.inFlight === 0;
  }

  explain(group: string, now: Instant): LeaseExplanation | undefined {
    const leaf = this.leaves.get(group);
    if (leaf === undefined) return undefined;
    const { held, running } = leaf;
    return {
      ...{ held, running, wish: leaf.wish, epoch: this.epochSeen },
      ...{ isValid: this.isValid(now), leaseAgeMs: this.leasedAt === undefined ? undefined : now - this.leasedAt },
    };
  }

  /** What the queries that wait in a leaf wait for, as the owner last said; undefined when none waits or nothing was said. */
  hint(group: string): LeafHint | undefined {
    return this.leaves.get(group)?.hint;
  }

  /** The newest owner that it knows of, and the last demand that it sent. */
  get position(): { readonly epochSeen: number; readonly lastSeq: number } {
    return { epochSeen: this.epochSeen, lastSeq: this.seq };
  }

  private take(wants: LeafWants, now: Instant): void {
    let leaf = this.leaves.get(wants.group);
    if (leaf === undefined) this.leaves.set(wants.group, (leaf = new HolderLeaf(wants)));
    leaf.want(wants, this.isConnected && this.pace.canTell(now), now);
    if (this.isLapsed) leaf.held = leaf.running;
    this.changed.add(leaf);
    if (leaf.isUrgent(this.pace.loopMs, now)) this.pace.hurry(now);
    else if (leaf.hasEased) this.pace.hurry(later(now, this.timing.easedMs));
    else if (leaf.hasMovedOn) this.pace.hurry(later(now, this.timing.freshMs));
  }

  private hear(grant: Grant, now: Instant, effects: HolderEffect[]): void {
    const { kind, epoch, ackSeq } = grant;
    if (epoch !== this.ownerEpoch || epoch < this.epochSeen) return; // H2
    const startable = new Set<string>();
    if (this.rules.answersLast(ackSeq, this.seq)) {
      for (const { group, cap } of grant.caps) {
        const leaf = this.leaves.get(group);
        if (!leaf?.raise(cap)) continue;
        this.changed.add(leaf);
        startable.add(group);
      }
      if (kind !== 'pushed' && this.pace.inFlight > 0) this.takeAnswer(grant, startable, now, effects);
    }
    this.takeWishes(grant, startable, now);
    for (const hint of grant.hints) {
      const leaf = this.leaves.get(hint.group);
      if (leaf !== undefined && leaf.waiting > 0) leaf.hint = hint;
    }
    if (startable.size > 0 && this.isValid(now)) effects.push({ kind: 'startable', groups: [...startable] });
  }

  private takeAnswer(grant: Grant, startable: Set<string>, now: Instant, effects: HolderEffect[]): void {
    const { sentAt } = this.pace;
    this.pace.answered(now);
    this.isHeard = grant.kind === 'renewed';
    switch (grant.kind) {
      case 'renewed': {
        const until = later(this.rules.countsFrom(sentAt, now), relianceMs(grant.ttlMs, this.timing));
        this.stamp = { epoch: grant.epoch, seq: grant.ackSeq }; // H5
        if (now >= until) return;
        this.leaseUntil = until;
        this.leasedAt = sentAt;
        if (this.isLapsed) for (const { group } of this.leaves.values()) startable.add(group);
        this.isLapsed = false;
        return;
      }
      case 'lapsed':
        this.pace.hurry(now);
        if (!this.isLapsed) this.lapse(effects);
        return;
      case 'refused':
        this.pace.hurry(later(now, this.timing.renewMs / 4));
        return;
      case 'resend':
        this.tellAll = true;
        return this.pace.hurry(now);
      case 'pushed':
        return;
      default:
        return unreachable(grant.kind);
    }
  }

  /** H7 */
  private takeWishes({ epoch, number, ackSeq, wishes }: Grant, startable: Set<string>, now: Instant): void {
    const expected = epoch === this.numberedEpoch ? this.lastNumber + 1 : 1;
    if (number < expected) return;
    if (number > expected) this.tellAll = true;
    this.numberedEpoch = epoch;
    this.lastNumber = number;
    if (ackSeq < this.toldAllSeq) return; // The owner will say it again, having heard that everything was taken back.
    for (const { group, ...wish } of wishes) {
      const leaf = this.leaves.get(group);
      if (leaf === undefined) continue;
      if (leaf.take(wish)) startable.add(group);
      this.changed.add(leaf);
      if (leaf.isUrgent(this.pace.loopMs, now)) this.pace.hurry(now);
    }
  }

  private lapse(effects: HolderEffect[]): void {
    this.isLapsed = true;
    this.tellAll = true;
    for (const leaf of this.leaves.values()) leaf.lapse();
    if (this.leaves.size > 0) effects.push({ kind: 'lapsed' });
  }

  /** No answer comes any more: the next demand tells everything, since nobody knows what arrived. */
  private giveUp(): void {
    this.pace.giveUp();
    this.tellAll = true;
    this.isHeard = false;
  }

  private get nextSendAt(): Instant {
    return this.isConnected && !this.isIdle ? this.pace.nextAt : instant(Infinity);
  }

  private send(now: Instant, effects: HolderEffect[]): void {
    const { timing, tellAll, pace } = this;
    const isRenewal = tellAll || now >= pace.renewAt;
    const demanded: LeafDemand[] = [];
    const freed: string[] = [];
    for (const leaf of isRenewal ? this.leaves.values() : this.changed) {
      if (tellAll && leaf.take(NO_WISH)) freed.push(leaf.group);
      if (isRenewal) leaf.renew(pace.loopMs, now); // H3
      if (this.isLapsed) leaf.held = leaf.running;
      const demand = leaf.demand(pace.loopMs, now);
      if (leaf.isEmpty && demand.slack === 0) this.leaves.delete(leaf.group);
      if (isToldAlready(demand, tellAll ? undefined : leaf.sent, this.changed.has(leaf))) continue;
      leaf.sent = demand;
      demanded.push(demand);
    }
    this.changed.clear();
    const { ownerEpoch, epochSeen, stamp, isLapsed } = this;
    const baseSeq = tellAll ? undefined : this.seq;
    const named = { ...this.options.life, seq: ++this.seq, ownerEpoch, baseSeq };
    const demand: Demand = { ...named, epochSeen, stamp, isLapsed, leaves: demanded };
    if (tellAll) this.toldAllSeq = this.seq;
    pace.sent(now);
    this.tellAll = false;
    if (isRenewal) pace.renewAt = later(now, jittered(this.options.random, timing.renewMs, timing.renewJitter));
    effects.push({ kind: 'send', demand });
    if (freed.length > 0 && this.isValid(now)) effects.push({ kind: 'startable', groups: freed });
  }
}
