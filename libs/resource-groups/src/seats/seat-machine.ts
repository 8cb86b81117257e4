// One resource manager's part in deciding who owns the root groups. Pure: an event and a time in, effects out.
// Ownership of a shard of root groups is a lease of a majority of the configured seats, kept without any disk.
//   M1. At every instant at most one process believes that it owns a shard, while clocks run true within the margin and
//       each seat is one process at a time. Majorities meet in a seat, which promises to one at a time (P1), for longer
//       than anybody relies on it (O1), and not before the promises of its former life have ended (SEAT_RULES).
//   M2. Owners of a shard have growing epochs (P2, R2). When a majority has lost its memory, what is left to tell old epochs
//       from new ones is that lives are numbered by wall clocks, and coordinators tell what they have seen (`epochSeen`).
//   M3. An entry that was `copied` is among the copies of the next owner, or was replaced by a newer one, or that owner is
//       told that it must learn fully: a majority keeps it, every majority that promises has a seat of that one, and a seat
//       that forgot says so until an owner has given it everything (V4, C2).
//   M4. While a majority of seats that may promise can talk, every shard has an owner within two seat leases and a back-off.
//   M5. Nothing rests on two clocks, on the order of messages, or on their arrival.
// Algorithm: leases by majority without disks as in PaxosLease (Trencseni, Gazso, Reinhardt; arXiv 1209.4187), without its
// prepare round: a fixed order of preference and back-off end split votes.
import { type Instant, instant, unreachable } from '@tutti/base';
import { COPY_LIMITS } from './copy-store.js';
import { hearHoldAnswer } from './seat-answers.js';
import { forgetGrant, goOnSeeking, mayBeDue, seek, seekingWakeAt, seeksAt } from './seat-candidate.js';
import type { Holder, SeatMessage } from './seat-messages.js';
import { Outbox } from './seat-outbox.js';
import {
  betterOwner,
  copy,
  hearCopyAnswer,
  hearOfEpoch,
  isOwning,
  learned,
  lose,
  renew,
  resign,
} from './seat-owner.js';
import { answerHold, keepCopies, takeHandOver, takeRelease } from './seat-promiser.js';
import { SEAT_RULES, SEAT_TIMING } from './seat-rules.js';
import { changeSeats, giveUpAll, holdBack, leave } from './seat-change.js';
import { isOfCopies, type SeatEffect, type SeatEvent } from './seat-events.js';
import { type SeatOptions, SeatState } from './seat-state.js';
import { SHARD_COUNT, type SeatId } from './shard.js';
import { ownedUntil } from './shard-role.js';

/** What has a standard value. */
type Tunable = 'timing' | 'shardCount' | 'copyLimits' | 'rules' | 'isFirstStart';

export type SeatMachineOptions = Omit<SeatOptions, Tunable> & Partial<Pick<SeatOptions, Tunable>>;

export class SeatMachine {
  private readonly seat: SeatState;
  /** All owned shards are renewed together, in one message to each seat. */
  private renewAt: Instant;
  private rebalancedAt: Instant = instant(-Infinity);
  /** Nothing ends and nothing has to be done before. */
  private dueAt: Instant = instant(-Infinity);

  constructor(options: SeatMachineOptions) {
    const standard = { timing: SEAT_TIMING, shardCount: SHARD_COUNT, copyLimits: COPY_LIMITS };
    this.seat = new SeatState({ ...standard, rules: SEAT_RULES, isFirstStart: false, ...options });
    this.renewAt = options.startedAt;
  }

  apply(event: SeatEvent, now: Instant): SeatEffect[] {
    const { seat } = this;
    const isDue = now >= this.dueAt;
    if (event.kind === 'tick' && !isDue) return [];
    const out = new Outbox(seat);
    seat.isTouched = isDue || !isOfCopies(event);
    for (const shard of isDue ? seat.shards : []) {
      if (shard.role.kind === 'owning' && !isOwning(seat, shard, now)) lose(seat, shard, 'majorityLost', now, now, out);
    }
    switch (event.kind) {
      case 'tick':
        break;
      case 'received':
        this.receive(event.message, now, out);
        break;
      case 'copy':
        copy(seat, this.shard(event.shard), event.entries, now, out);
        break;
      case 'learned':
        learned(seat, this.shard(event.shard), now);
        break;
      case 'resign':
        resign(seat, this.shard(event.shard), now, out);
        break;
      case 'leave':
      case 'drain':
        leave(seat, now, out);
        if (event.kind === 'drain') for (const shard of seat.shards) resign(seat, shard, now, out);
        break;
      case 'seatsChanged':
        if (changeSeats(seat, event.seatSet, event.incarnation, now, out)) this.renewAt = now;
        break;
      case 'overslept':
        giveUpAll(seat, 'overslept', now, out);
        break;
      case 'heldBack':
        if (holdBack(seat, event.why, event.incarnation, now, out)) this.renewAt = now;
        break;
      case 'epochSeen':
        hearOfEpoch(seat, this.shard(event.shard), event.epoch, now, out);
        break;
      default:
        return unreachable(event);
    }
    if (seat.isTouched) {
      this.goOn(now, out);
      this.dueAt = this.nextDueAt(now);
    }
    return out.flush();
  }

  /** When the next `tick` is due, as of the last event. Later is safe, and makes this seat slower. */
  wakeAt(): Instant {
    return this.dueAt;
  }

  /** Whether this seat owns the shard now. Ask before each grant: a process that slept has lost without an event. */
  owns(shard: number, now: Instant): boolean {
    return isOwning(this.seat, this.shard(shard), now);
  }

  /** Who owns a shard, as far as this seat knows: where to send those who ask. */
  ownerOf(shard: number, now: Instant): { readonly holder: Holder; readonly epoch: number } | undefined {
    const { promise } = this.shard(shard);
    const bound = promise.bound(now);
    return bound && { holder: bound.holder, epoch: bound.epoch };
  }

  /** Whether there is no other seat. */
  get isAlone(): boolean {
    return this.seat.others.length === 0;
  }

  /** Whether this seat promises every shard: others may restart then without a gap. */
  isReady(now: Instant): boolean {
    return this.seat.shards.every((shard) => this.seat.mayPromise(shard, now));
  }

  /** Whether this seat has the whole ledger of a shard, as of its last owner: it can take over without learning. */
  remembers(shard: number): boolean {
    return this.seat.remembers(this.shard(shard));
  }

  private nextDueAt(now: Instant): Instant {
    const { seat } = this;
    let at = this.hasToTalk(now) ? this.renewAt : Infinity;
    for (const shard of seat.shards) {
      const { role } = shard;
      let due: number | undefined;
      if (role.kind === 'owning') due = ownedUntil(role, seat.majority);
      else if (role.kind === 'seeking') due = seekingWakeAt(role);
      else if (mayBeDue(shard, at)) due = seeksAt(seat, shard, now);
      if (due !== undefined && due < at) at = due;
    }
    return instant(at);
  }

  private receive(message: SeatMessage, now: Instant, out: Outbox): void {
    const { seat } = this;
    const { from } = message;
    if (seat.set.seats.includes(from.seat)) {
      const life = seat.peers.note(from, message.version);
      seat.noteVersions(now);
      // Who is answered in spite of its age learns that it was replaced.
      if (life === 'old' && message.kind !== 'hold') return;
      if (life === 'new') this.forgetPeer(from.seat, now);
    } else if (message.kind === 'copy' || message.kind === 'holdAnswer' || message.kind === 'copyAnswer') return;
    if ('toIncarnation' in message && message.toIncarnation !== seat.me.incarnation) return;
    switch (message.kind) {
      case 'hold':
        return answerHold(seat, message, now, out);
      case 'holdAnswer':
        if (message.askerIncarnation > seat.me.incarnation)
          return this.beginAnew(message.askerIncarnation + 1, now, out);
        return hearHoldAnswer(seat, message, now, out);
      case 'copy':
        return keepCopies(seat, message, now, out);
      case 'copyAnswer': {
        const shard = seat.shards[message.shard];
        if (shard?.role.kind === 'owning' && message.version === seat.set.version)
          hearCopyAnswer(seat, shard, shard.role, message, now, out);
        return;
      }
      case 'release':
        return takeRelease(seat, message, now);
      case 'handOver':
        return takeHandOver(seat, message, now, out);
      default:
        return unreachable(message);
    }
  }

  /** Another process has called itself a newer life of this seat. It is gone, or else there are two; so begin above it. */
  private beginAnew(incarnation: number, now: Instant, out: Outbox): void {
    giveUpAll(this.seat, 'superseded', now, out);
    out.sendBatches();
    this.seat.begin(incarnation, now);
    this.renewAt = now;
  }

  /** What another seat has promised or kept in a former life, it has forgotten. */
  private forgetPeer(peer: SeatId, now: Instant): void {
    this.seat.isTouched = true;
    // At a first start both must hear of each other soon.
    if (this.seat.beginning.awaitsFirst) this.renewAt = now;
    for (const shard of this.seat.shards) {
      const { role } = shard;
      forgetGrant(shard, peer, now);
      if (role.kind !== 'owning') continue;
      role.flow.forgot(peer);
      role.wellSince.delete(peer);
    }
  }

  /** Does what is due. */
  private goOn(now: Instant, out: Outbox): void {
    const { seat } = this;
    for (const shard of seat.shards) {
      if (shard.role.kind === 'seeking') goOnSeeking(seat, shard, shard.role, now, out);
      const at = mayBeDue(shard, now) ? seeksAt(seat, shard, now) : undefined;
      if (at !== undefined && now >= at) seek(seat, shard, now, out);
    }
    if (now < this.renewAt || !this.hasToTalk(now)) return;
    this.renewAt = instant(now + seat.timing.renewMs);
    this.rebalance(now, out);
    for (const shard of seat.shards) {
      if (shard.role.kind === 'owning') renew(seat, shard, shard.role, now, out);
    }
    out.helloToAll();
  }

  /** It owns something, or is new and has to hear of the others. */
  private hasToTalk(now: Instant): boolean {
    const { seat } = this;
    return seat.isMember && seat.shards.some((shard) => shard.role.kind === 'owning' || !seat.mayPromise(shard, now));
  }

  /** Gives one shard back to a seat that should own it, and not many at once. */
  private rebalance(now: Instant, out: Outbox): void {
    if (now - this.rebalancedAt < this.seat.timing.rebalanceMs) return;
    for (const shard of this.seat.shards) {
      const better = betterOwner(this.seat, shard, now);
      if (better === undefined) continue;
      this.rebalancedAt = now;
      return resign(this.seat, shard, now, out, better);
    }
  }

  private shard(index: number) {
    return this.seat.shardAt(index);
  }
}
