import type { Instant } from '@tutti/base';
import { abandon } from './seat-candidate.js';
import type { HeldBack, LostReason } from './seat-events.js';
import type { Outbox } from './seat-outbox.js';
import { lose, resign } from './seat-owner.js';
import { isOneStep, type SeatSet } from './seat-set.js';
import type { SeatState } from './seat-state.js';
import { relyOnFormer } from './shard-role.js';

/**
 * Takes a new seat set, see V1 to V4. An owner that stays a seat goes on while its old promises last, and asks the new
 * seats at once. False when the set is not newer than the one that is known.
 */
export function changeSeats(seat: SeatState, next: SeatSet, incarnation: number, now: Instant, out: Outbox): boolean {
  if (next.version <= seat.set.version) return false;
  const keeps = isOneStep(seat.set, next) && seat.isSettled(now);
  const stays = next.seats.includes(seat.me.seat);
  for (const shard of seat.shards) {
    const { role } = shard;
    if (role.kind === 'seeking') abandon(seat, shard, now, out);
    if (role.kind !== 'owning') continue;
    if (keeps && stays) {
      relyOnFormer(role, seat.majority);
      role.wellSince.clear();
      role.flow.beginAnew();
    } else if (keeps) resign(seat, shard, now, out);
    else lose(seat, shard, 'seatSetChanged', now, now, out);
  }
  out.sendBatches();
  seat.useSet(next);
  if (!keeps) seat.begin(Math.max(incarnation, seat.me.incarnation + 1), now);
  return true;
}

/** Owns and seeks nothing any more, for the moment. */
export function giveUpAll(seat: SeatState, reason: LostReason, now: Instant, out: Outbox): void {
  for (const shard of seat.shards) {
    lose(seat, shard, reason, now, now, out);
    if (shard.role.kind === 'seeking') abandon(seat, shard, now, out);
  }
}

/** Seeks nothing any more. */
export function leave(seat: SeatState, now: Instant, out: Outbox): void {
  seat.draining = true;
  for (const shard of seat.shards) if (shard.role.kind === 'seeking') abandon(seat, shard, now, out);
}

/**
 * Who is held back owns and seeks nothing, and promises nothing to anybody; what it promised before stays promised. Where
 * other seats disagree, whoever of them decided meanwhile has promised nothing to this one: so afterwards the seat begins
 * anew, and waits as after a restart until all that the others can have granted has ended. It is no first start then.
 * Returns whether it has begun anew.
 */
export function holdBack(
  seat: SeatState,
  why: HeldBack | undefined,
  incarnation: number,
  now: Instant,
  out: Outbox,
): boolean {
  const former = seat.heldBack;
  if (former === why) return false;
  seat.heldBack = why;
  seat.isTouched = true;
  if (why === 'seatsDisagree') giveUpAll(seat, 'seatsDisagree', now, out);
  if (former !== 'seatsDisagree') return false;
  out.sendBatches();
  seat.begin(Math.max(incarnation, seat.me.incarnation + 1), now, false, true);
  return true;
}
