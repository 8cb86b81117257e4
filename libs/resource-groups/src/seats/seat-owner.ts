// The side of a seat that owns shards.
//   O1. It owns while a majority of promises may be relied on, by its own clock. When that ends, `lost` comes first.
//   O2. It resigns before it tells anybody.
//   O3. It calls its ledger complete only when it knows that it misses nothing, and tells so only while a majority of the
//       present seat set has promised.
import { type Instant, instant, invariant } from '@tutti/base';
import type { CopyEntry } from './copy-store.js';
import { seek } from './seat-candidate.js';
import { majorityUntil, ownedUntil, type OwningRole, relyOn, type Shard } from './shard-role.js';
import type { CopyAnswer, HoldAnswer, HoldPromised, HoldRefused } from './seat-messages.js';
import type { CopyRefusal, LedgerEntry, LostReason } from './seat-events.js';
import type { Outbox } from './seat-outbox.js';
import { promiseMs, relianceMs } from './seat-rules.js';
import type { SeatState } from './seat-state.js';
import type { SeatId } from './shard.js';

export const isOwning = (seat: SeatState, { role }: Shard, now: Instant): boolean =>
  role.kind === 'owning' && now < ownedUntil(role, seat.majority);

/** Stops owning, says why, and gives up the promises; it may seek the shard again after `seekAt`. */
export function lose(
  seat: SeatState,
  shard: Shard,
  reason: LostReason,
  seekAt: Instant,
  now: Instant,
  out: Outbox,
  successor?: SeatId,
): void {
  if (shard.role.kind !== 'owning') return;
  const { epoch } = shard.role;
  out.push({ kind: 'lost', shard: shard.index, epoch, reason });
  shard.promise.end(seat.me, epoch, now);
  out.releaseAtAll({ shard: shard.index, epoch, ...(successor && { successor }) });
  seat.idle(shard, seekAt);
}

/** Asks for the promises of an owned shard again. */
export function renew(seat: SeatState, shard: Shard, role: OwningRole, now: Instant, out: Outbox): void {
  role.request = out.request;
  role.sentAt = now;
  shard.promise.give(seat.me, role.epoch, instant(now + promiseMs(seat.timing)));
  relyOn(role, seat.me.seat, instant(now + relianceMs(seat.timing)));
  role.flow.noteLate(now, seat.timing.renewMs);
  out.hold(seat.others, { shard: shard.index, epoch: role.epoch, copiesWanted: false });
}

export function hearRenewal(
  seat: SeatState,
  shard: Shard,
  role: OwningRole,
  message: HoldAnswer,
  item: HoldPromised | HoldRefused,
  now: Instant,
  out: Outbox,
): void {
  if (!seat.rules.isAnswerTo(message.request, role.request)) return;
  const from = message.from.seat;
  if (item.kind === 'promised' && item.epoch === role.epoch) {
    relyOn(role, from, instant(seat.rules.countsFrom(role.sentAt, now) + relianceMs(seat.timing)));
    confirm(seat, shard, role, now);
  }
  if (item.kind === 'refused' && item.reason === 'fenced' && item.remembers && isWorthGivingUp(seat, role))
    return giveWay(seat, shard, item.epoch, now, out);
  noteWell(role, from, item.kind === 'promised' && item.remembers && !message.draining, now);
  if (!item.remembers) role.flow.missed(from);
  if (role.flow.wantsAll(from, now, 2 * seat.timing.renewMs)) sendAll(seat, shard, role, from, now, out);
}

/** A majority of the present seat set stands behind a ledger that misses nothing: it may be told as such (O3). */
function confirm(seat: SeatState, shard: Shard, role: OwningRole, now: Instant): void {
  const isConfirmed = role.complete && now < majorityUntil(role.reliedUntil, seat.majority);
  if (isConfirmed) shard.rememberedVersion = seat.set.version;
}

/** The ledger misses nothing from now on. */
export function learned(seat: SeatState, shard: Shard, now: Instant): void {
  if (shard.role.kind !== 'owning') return;
  const { role } = shard;
  role.complete = true;
  confirm(seat, shard, role, now);
  for (const peer of seat.others) role.flow.missed(peer);
}

function noteWell(role: OwningRole, peer: SeatId, isWell: boolean, now: Instant): void {
  const well = role.wellSince.get(peer);
  if (!isWell) role.wellSince.delete(peer);
  else if (well) well.lastAt = now;
  else role.wellSince.set(peer, { since: now, lastAt: now });
}

function sendAll(seat: SeatState, shard: Shard, role: OwningRole, to: SeatId, now: Instant, out: Outbox): void {
  const isComplete = role.complete && seat.remembers(shard);
  if (isComplete) shard.store.complete({ epoch: role.epoch, seq: role.seq });
  role.flow.allSent(to, role.seq, out.request, now);
  sendCopies(seat, shard, role, to, isComplete ? 'complete' : 'all', shard.store.all().entries, out);
}

function sendCopies(
  seat: SeatState,
  shard: Shard,
  role: OwningRole,
  to: SeatId,
  extent: 'new' | 'all' | 'complete',
  entries: readonly CopyEntry[],
  out: Outbox,
): void {
  out.send(to, {
    ...{ kind: 'copy', ...out.header, request: out.request, toIncarnation: seat.peers.incarnationOf(to) },
    ...{ shard: shard.index, epoch: role.epoch, extent, through: role.seq, entries },
  });
}

/** Has the seats keep new entries of the ledger; their seqs follow those of the former ones. */
export function copy(seat: SeatState, shard: Shard, entries: readonly LedgerEntry[], now: Instant, out: Outbox): void {
  const { role } = shard;
  const last = entries.at(-1);
  if (last === undefined) return;
  const refuse = (reason: CopyRefusal): void =>
    out.push({ kind: 'copyRefused', shard: shard.index, seq: last.seq, reason });
  if (role.kind !== 'owning') return refuse('notOwner');
  if (role.flow.isFull) return refuse('tooManyPending');
  entries.forEach(({ seq }, index) =>
    invariant(seq > (entries[index - 1]?.seq ?? role.seq), `seq ${seq} of shard ${shard.index} is not above the last`),
  );
  const stamped = entries.map((entry) => ({ ...entry, epoch: role.epoch }));
  if (!shard.store.put(stamped)) return refuse('full');
  role.seq = last.seq;
  const reachable = seat.others.filter((peer) => seat.peers.incarnationOf(peer) > 0);
  role.flow.sent(last.seq, out.request, reachable, now);
  for (const peer of reachable) sendCopies(seat, shard, role, peer, 'new', stamped, out);
  settle(seat, shard, role, out);
}

export function hearCopyAnswer(
  seat: SeatState,
  shard: Shard,
  role: OwningRole,
  message: CopyAnswer,
  now: Instant,
  out: Outbox,
): void {
  if (message.result === 'fenced' && isWorthGivingUp(seat, role)) return giveWay(seat, shard, message.epoch, now, out);
  if (message.result === 'kept') role.flow.kept(message.from.seat, message.request);
  else role.flow.missed(message.from.seat, message.request);
  settle(seat, shard, role, out);
}

/** Somebody outside has heard of an owner of this epoch. */
export function hearOfEpoch(seat: SeatState, shard: Shard, epoch: number, now: Instant, out: Outbox): void {
  seat.noteEarlierLife();
  shard.isKnownOutside = true;
  if (shard.role.kind === 'owning' && shard.role.epoch < epoch) giveWay(seat, shard, epoch, now, out);
  else shard.hear(epoch);
}

/** An epoch above `epoch` is to be had: the shard is given up, and sought again in the same moment. */
function giveWay(seat: SeatState, shard: Shard, epoch: number, now: Instant, out: Outbox): void {
  shard.hear(epoch);
  if (shard.role.kind !== 'owning') return;
  lose(seat, shard, 'fenced', now, now, out);
  seek(seat, shard, now, out);
}

/**
 * One seat has promised a higher epoch, in a race, and will never again promise this one. That is one seat less to lose, so
 * the owner takes a new epoch; but not before others have its ledger, or it would have to learn again.
 */
function isWorthGivingUp(seat: SeatState, { complete, wellSince }: OwningRole): boolean {
  return complete && wellSince.size + 1 >= seat.rules.knowersNeeded(seat.set);
}

function settle(seat: SeatState, shard: Shard, role: OwningRole, out: Outbox): void {
  const seq = role.flow.settle(seat.rules.copiesNeeded(seat.set));
  if (seq !== undefined) out.push({ kind: 'copied', shard: shard.index, epoch: role.epoch, seq });
}

/** Gives the shard to `successor`, or to the most preferred seat that is well; to whoever asks when there is none. */
export function resign(seat: SeatState, shard: Shard, now: Instant, out: Outbox, chosen?: SeatId): void {
  const { role } = shard;
  if (role.kind !== 'owning') return;
  const successor = chosen ?? shard.preference.find((peer) => isWell(seat, role, peer, now));
  const graceMs = successor === undefined ? 0 : seat.timing.successionMs;
  lose(seat, shard, 'resigned', instant(now + graceMs), now, out, successor);
  if (successor === undefined) return;
  const complete = role.complete && seat.remembers(shard);
  if (complete) shard.store.complete({ epoch: role.epoch, seq: role.seq });
  out.send(successor, {
    ...{ kind: 'handOver', ...out.header, request: out.request, toIncarnation: seat.peers.incarnationOf(successor) },
    ...{ shard: shard.index, epoch: role.epoch, complete, copies: shard.store.all() },
  });
}

/** A more preferred seat that has been well for long enough to have the shard back. */
export function betterOwner(seat: SeatState, shard: Shard, now: Instant): SeatId | undefined {
  const { role } = shard;
  if (role.kind !== 'owning' || !role.complete) return undefined;
  return shard.preference
    .slice(0, shard.rankOf(seat.me.seat))
    .find((peer) => isWell(seat, role, peer, now, seat.timing.rebalanceAfterMs));
}

/** It answered the last or last but one renewal, promised, and has the ledger; for `forMs` at least. */
function isWell(seat: SeatState, { wellSince }: OwningRole, peer: SeatId, now: Instant, forMs = 0): boolean {
  const well = wellSince.get(peer);
  if (!well || seat.peers.isDraining(peer)) return false;
  return now - well.since >= forMs && now - well.lastAt < 2.5 * seat.timing.renewMs;
}
