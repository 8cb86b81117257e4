// The side of a seat that wants to own a shard.
//   B1. It asks the others first and promises to itself last: who cannot win raises no fence against the present owner.
//   B2. What it gives up it releases at once; a promise that comes too late is released as well.
//   B3. Of two that ask each other the more preferred one wins, so split votes end.
import { type Instant, instant } from '@tutti/base';
import { mergeCopies } from './copy-store.js';
import type { HoldAnswer, HoldPromised, HoldRefused } from './seat-messages.js';
import type { Outbox } from './seat-outbox.js';
import { holdingEndsMs, promiseMs, relianceMs } from './seat-rules.js';
import type { SeatState } from './seat-state.js';
import type { SeatId } from './shard.js';
import { type Grant, majorityUntil, newOwningRole, type Refusal, type SeekingRole, type Shard } from './shard-role.js';

/** Between two tries that may end differently. */
const RETRY_MS = 10;

/** A candidate with a majority that has forgotten too much waits for others: learning takes far longer. */
const GATHER_MS = 100;

/** For news to travel that a promise was given up. */
const RELEASE_MS = 50;

/** Whether `seeksAt` can be as soon as that: it is asked for all shards, all the time. */
export const mayBeDue = ({ role }: Shard, at: number): boolean => role.kind === 'idle' && role.seekAt <= at;

/** When a seat that does not own a shard will ask for it; undefined while it must not. */
export function seeksAt(seat: SeatState, shard: Shard, now: Instant): Instant | undefined {
  if (shard.role.kind !== 'idle' || seat.draining || seat.heldBack !== undefined || !seat.isMember) return undefined;
  const bound = shard.promise.bound(now);
  let at = shard.role.seekAt;
  const promisesFrom = seat.promisesFrom(shard);
  if (promisesFrom > at) at = promisesFrom;
  if (bound && bound.holder.seat !== seat.me.seat && bound.until > at) at = bound.until;
  return instant(at + shard.role.backoffMs);
}

/** Asks all seats for the shard, with an epoch above all that it knows of. */
export function seek(seat: SeatState, shard: Shard, now: Instant, out: Outbox): void {
  const epoch = Math.max(shard.heardEpoch, shard.promise.epoch, seat.candidateFloor(shard, now)) + 1;
  shard.hear(epoch);
  const endsAt = instant(now + seat.timing.renewMs);
  const answers = { asked: new Map(), granted: new Map(), refused: new Map() };
  const role: SeekingRole = { kind: 'seeking', epoch, endsAt, ...answers, gathersUntil: undefined };
  shard.role = role;
  seat.isTouched = true;
  ask(shard, role, seat.others, now, out);
  decide(seat, shard, role, now, out);
}

function ask(shard: Shard, role: SeekingRole, seats: readonly SeatId[], now: Instant, out: Outbox): void {
  for (const asked of seats) {
    role.refused.delete(asked);
    role.asked.set(asked, { request: out.request, sentAt: now });
  }
  const { handedOver } = shard;
  const resigned = handedOver && { resigned: { holder: handedOver.holder, epoch: handedOver.epoch } };
  out.hold(seats, { shard: shard.index, epoch: role.epoch, copiesWanted: true, ...resigned });
}

/** When a seeking seat has something to do, unless an answer comes before. */
export function seekingWakeAt(role: SeekingRole): Instant {
  const asksAgain = [...role.refused.values()].map((refusal) => asksAgainAt(role, refusal));
  return instant(Math.min(role.endsAt, role.gathersUntil ?? Infinity, ...asksAgain));
}

/** Asks those again whose refusal is over, and gives up when the time is. */
export function goOnSeeking(seat: SeatState, shard: Shard, role: SeekingRole, now: Instant, out: Outbox): void {
  if (now >= role.endsAt) return abandon(seat, shard, now, out);
  const due = [...role.refused].filter(([, refusal]) => now >= asksAgainAt(role, refusal)).map(([refuser]) => refuser);
  if (due.length > 0) ask(shard, role, due, now, out);
  if (role.gathersUntil !== undefined) decide(seat, shard, role, now, out);
}

function asksAgainAt({ granted }: SeekingRole, { at, restMs, holder }: Refusal): number {
  // Who promises to this seat has given up what was promised to it.
  const isReleased = holder !== undefined && granted.has(holder.seat);
  return at + (isReleased ? RELEASE_MS : Math.max(RETRY_MS, restMs));
}

/** What a former life of a seat has promised to this try counts no more; the new one is asked. */
export function forgetGrant({ role }: Shard, peer: SeatId, now: Instant): void {
  if (role.kind !== 'seeking' || !role.asked.delete(peer)) return;
  role.granted.delete(peer);
  role.gathersUntil = undefined;
  role.refused.set(peer, { at: now, restMs: 0 });
}

/** Gives up what was promised to this try, and tries again after `retryAt`. */
export function abandon(seat: SeatState, shard: Shard, retryAt: Instant, out: Outbox): void {
  if (shard.role.kind === 'seeking') out.releaseAtAll({ shard: shard.index, epoch: shard.role.epoch });
  seat.idle(shard, retryAt);
}

export function hearAnswer(
  seat: SeatState,
  shard: Shard,
  role: SeekingRole,
  message: HoldAnswer,
  item: HoldPromised | HoldRefused,
  now: Instant,
  out: Outbox,
): void {
  const from = message.from.seat;
  const asked = role.asked.get(from);
  if (asked === undefined || !seat.rules.isAnswerTo(message.request, asked.request)) return;
  if (item.kind === 'refused') {
    // Whatever the others say: a higher epoch has better chances.
    if (item.reason === 'fenced') return abandon(seat, shard, instant(now + RETRY_MS), out);
    role.refused.set(from, { at: now, restMs: item.restMs, ...(item.holder && { holder: item.holder }) });
  } else if (item.epoch === role.epoch) {
    const { remembers, priorEpoch, quietMs, copies = { base: { epoch: 0, seq: 0 }, entries: [] } } = item;
    const countsFrom = seat.rules.countsFrom(asked.sentAt, now);
    const wasBlank = seat.beginning.wasBlank(message.from);
    role.granted.set(from, { countsFrom, remembers, wasBlank, priorEpoch, quietMs, copies });
  }
  decide(seat, shard, role, now, out);
}

/** Wins, gives up, or waits for more answers. */
function decide(seat: SeatState, shard: Shard, role: SeekingRole, now: Instant, out: Outbox): void {
  const neededOthers = seat.majority - 1;
  if (role.granted.size >= neededOthers) {
    role.gathersUntil ??= instant(now + GATHER_MS);
    const mayHearMore = role.granted.size + role.refused.size < seat.others.length && now < role.gathersUntil;
    if (!mayHearMore || knowsEnough(seat, shard, role)) win(seat, shard, role, now, out);
    return;
  }
  const hopeless = [...role.refused.values()].filter((refusal) => asksAgainAt(role, refusal) >= role.endsAt);
  if (seat.others.length - hopeless.length >= neededOthers) return;
  // So many of those that refused must think better of it. What is asked may change sooner than they can know.
  const restsMs = hopeless.map(({ restMs }) => restMs).sort((a, b) => a - b);
  const restMs = restsMs[neededOthers - (seat.others.length - hopeless.length) - 1] ?? 0;
  abandon(seat, shard, instant(now + Math.max(RETRY_MS, Math.min(restMs, seat.timing.renewMs))), out);
}

function win(seat: SeatState, shard: Shard, role: SeekingRole, now: Instant, out: Outbox): void {
  const { epoch, granted } = role;
  const { me, timing, rules } = seat;
  const reliedUntil = new Map<SeatId, Instant>([[me.seat, instant(now + relianceMs(timing))]]);
  for (const [id, { countsFrom }] of granted) reliedUntil.set(id, instant(countsFrom + relianceMs(timing)));
  const isBarred = shard.promise.barrier(me, epoch, seat.epochFloor(shard), rules, now) !== undefined;
  if (!seat.mayPromise(shard, now) || isBarred || now >= majorityUntil(reliedUntil, seat.majority))
    return abandon(seat, shard, now, out);

  const own: Grant = {
    ...{ countsFrom: now, remembers: seat.remembers(shard), wasBlank: true, priorEpoch: shard.promise.epoch },
    ...{ quietMs: seat.quietMs(shard, now), copies: shard.store.all() },
  };
  const grants = [own, ...granted.values()];
  const enoughKnow = knowsEnough(seat, shard, role);
  const ledgerComplete = isSuccession(shard, epoch, grants, enoughKnow);
  const isFirst = !shard.isKnownOutside && seat.beginning.makesFirstOwner(grants);
  const complete = ledgerComplete || enoughKnow || isFirst;
  shard.promise.give(me, epoch, instant(now + promiseMs(timing)));
  shard.role = newOwningRole(epoch, reliedUntil, complete);
  shard.handedOver = undefined;
  shard.store.take(mergeCopies(grants.map(({ copies }) => copies)));
  if (complete) {
    shard.store.complete({ epoch, seq: 0 });
    shard.rememberedVersion = seat.set.version;
  }
  // Every former owner relied on one of these seats: since the last of them was free, it grants nothing any more.
  const quietMs = Math.min(...grants.map((grant) => grant.quietMs));
  const learnMs = isFirst ? 0 : Math.max(0, holdingEndsMs(timing) - quietMs * (1 - timing.margin));
  const copies = shard.store.all().entries.filter(({ payload }) => payload !== undefined);
  const outcome = { copies, ledgerComplete, mustLearnFully: !complete, learnMs, isFirst };
  out.push({ kind: 'acquired', shard: shard.index, epoch, ...outcome });
}

/** Whether so many of those that promise have forgotten nothing that nothing can be missing. */
function knowsEnough(seat: SeatState, shard: Shard, { granted }: SeekingRole): boolean {
  const knowers = [...granted.values()].filter(({ remembers }) => remembers).length + (seat.remembers(shard) ? 1 : 0);
  return knowers >= seat.rules.knowersNeeded(seat.set);
}

/** Whether the resigned owner was the last: nobody can have owned the shard between its epoch and this one. */
function isSuccession({ handedOver }: Shard, epoch: number, grants: readonly Grant[], enoughKnow: boolean): boolean {
  if (!handedOver?.complete) return false;
  if (handedOver.epoch === epoch - 1) return true;
  return enoughKnow && grants.every(({ priorEpoch }) => priorEpoch <= handedOver.epoch);
}
