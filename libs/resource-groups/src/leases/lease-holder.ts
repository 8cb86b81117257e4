// A coordinator's part in leases, towards one owner. Pure: an event and a time in, effects out.
//   H1. Nothing starts unless running < held, under a lease that holds: counted from the sending of the demand that was
//       answered, on this process's own clock, less the margin (A4).
//   H2. A grant counts only if it answers the last demand (ackSeq), and comes from the owner that the demand was for, of
//       the highest epoch known; at most one demand is without an answer. So what the owner has booked is never less than
//       what is held.
//   H3. Only the holder lowers a holding, before it says so, and never below what runs.
//   H4. Before anything else in each step a lease that is over counts as lost, with all that is held beyond what runs: a
//       process that slept has lost it before it starts anything (A5). Whoever stood still with its clock does not know
//       how long ago its last demand was sent: no answer to that one makes a lease, only one to the next.
//   H5. Stamps never go back. A running query may use the newest stamp: it was counted in the demand that was answered,
//       or started within what that demand said was held.
//   H6. Who holds, runs and wants nothing, and has been told that the owner knows, says nothing any more.
//   H7. What the owner wishes is never needed for safety. Of a grant that was missed it hears by a gap in the
//       numbers, and then tells everything again.
import { type Instant, instant, jittered, type Random, unreachable } from '@tutti/base';
import type { CoordinatorLife } from '../usage-ledger.js';
import type { HolderEffect, HolderEvent, LeaseExplanation } from './holder-events.js';
import { HolderLeaf, type LeafWants } from './holder-leaf.js';
import { HolderLease } from './holder-lease.js';
import { GrantOrder } from './holder-order.js';
import { HolderPace } from './holder-pace.js';
import { type Demand, type Grant, type LeafDemand, type LeafHint, NO_WISH, type TaskStamp } from './lease-messages.js';
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
  private readonly lease = new HolderLease();
  private ownerEpoch = 0;
  private epochSeen = 0;
  private readonly order = new GrantOrder();
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
    if (now >= this.lease.lapsesAt) this.lapse(effects); // H4
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
        this.lapse(effects);
        this.giveUp(later(now, 1)); // H4. Soon, when all that waits again has been told.
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
    return this.isValid(now) && this.leaves.get(group)?.mayStart === true; // H1
  }

  /** Whether the lease holds. */
  isValid(now: Instant): boolean {
    return this.lease.isValid(now);
  }

  /** What tasks carry that are made now. */
  taskStamp(): TaskStamp {
    return { ...this.options.life, ...this.lease.stamp };
  }

  /** When the next `tick` is due. Later is safe. */
  wakeAt(): Instant {
    const lapsesAt = this.leaves.size === 0 ? Infinity : this.lease.lapsesAt;
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
    const lease = { isValid: this.isValid(now), leaseAgeMs: this.lease.ageMs(now), epoch: this.epochSeen };
    return { held, running, wish: leaf.wish, cpuBudgetLeftMs: leaf.cpuLeftMs, ...lease };
  }

  /** What the queries that wait in a leaf wait for, as the owner last said; undefined when none waits or nothing was said. */
  hint(group: string): LeafHint | undefined {
    return this.leaves.get(group)?.hint;
  }

  /** The newest owner that it knows of, and its last demand. */
  get position(): { readonly epochSeen: number; readonly lastSeq: number } {
    return { epochSeen: this.epochSeen, lastSeq: this.seq };
  }

  private take(wants: LeafWants, now: Instant): void {
    let leaf = this.leaves.get(wants.group);
    if (leaf === undefined) this.leaves.set(wants.group, (leaf = new HolderLeaf(wants)));
    leaf.want(wants, this.isConnected && this.pace.canTell(now), now);
    if (this.lease.isLapsed) leaf.held = leaf.running;
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
      for (const cap of grant.caps) {
        const leaf = this.leaves.get(cap.group);
        if (!leaf?.raise(cap)) continue;
        this.changed.add(leaf);
        startable.add(leaf.group);
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
        const { isLapsed } = this.lease;
        const isNew = this.lease.renew({ epoch: grant.epoch, seq: grant.ackSeq }, sentAt, until, now) && isLapsed;
        if (isNew) for (const { group } of this.leaves.values()) startable.add(group);
        return;
      }
      case 'lapsed':
        this.pace.hurry(now);
        return this.lapse(effects);
      case 'refused':
        return this.pace.hurry(later(now, this.timing.renewMs / 4));
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
  private takeWishes(grant: Grant, startable: Set<string>, now: Instant): void {
    const { ackSeq, wishes } = grant;
    const place = this.order.follow(grant);
    if (place === 'old') return;
    if (place === 'gap') this.tellAll = true;
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
    if (this.lease.isLapsed) return;
    this.lease.isLapsed = true;
    this.tellAll = true;
    for (const leaf of this.leaves.values()) leaf.lapse();
    if (this.leaves.size > 0) effects.push({ kind: 'lapsed' });
  }

  /** No answer comes any more: the next demand tells everything, since nobody knows what arrived. */
  private giveUp(nextAt?: Instant): void {
    this.pace.giveUp(nextAt);
    this.tellAll = true;
    this.isHeard = false;
  }

  private get nextSendAt(): Instant {
    return this.isConnected && !this.isIdle ? this.pace.nextAt : instant(Infinity);
  }

  private send(now: Instant, effects: HolderEffect[]): void {
    const { timing, tellAll, pace } = this;
    const isRenewal = tellAll || now >= pace.renewAt;
    const [demanded, freed]: [LeafDemand[], string[]] = [[], []];
    for (const leaf of isRenewal ? this.leaves.values() : this.changed) {
      if (tellAll && leaf.take(NO_WISH)) freed.push(leaf.group);
      if (isRenewal) leaf.renew(pace.loopMs, now); // H3
      if (this.lease.isLapsed) leaf.held = leaf.running;
      const demand = leaf.tell(this.changed.has(leaf), isRenewal, tellAll, pace.loopMs, now);
      if (demand !== undefined) demanded.push(demand);
      if (leaf.isOver) this.leaves.delete(leaf.group);
    }
    this.changed.clear();
    const { ownerEpoch, epochSeen, lease } = this;
    const order = { baseSeq: tellAll ? undefined : this.seq, seq: ++this.seq, ownerEpoch, epochSeen };
    const demand: Demand = { ...this.options.life, ...order, ...lease.told, leaves: demanded };
    if (tellAll) this.toldAllSeq = this.seq;
    pace.sent(now);
    this.tellAll = false;
    if (isRenewal) pace.renewAt = later(now, jittered(this.options.random, timing.renewMs, timing.renewJitter));
    effects.push({ kind: 'send', demand });
    if (freed.length > 0 && this.isValid(now)) effects.push({ kind: 'startable', groups: freed });
  }
}
