import type { Instant } from '@tutti/base';
import { hearAnswer } from './seat-candidate.js';
import type { HoldAnswer } from './seat-messages.js';
import type { Outbox } from './seat-outbox.js';
import { hearRenewal } from './seat-owner.js';
import type { SeatState } from './seat-state.js';

/** Takes each answer to the role that asked for it. A promise that is not wanted any more is released (B2). */
export function hearHoldAnswer(seat: SeatState, message: HoldAnswer, now: Instant, out: Outbox): void {
  seat.peers.describe(message.from.seat, message);
  seat.noteBlanks(now);
  for (const item of message.items) {
    const shard = seat.shards[item.shard];
    if (shard === undefined) continue;
    const { role } = shard;
    if (role.kind === 'seeking') shard.hear(item.epoch);
    const isForThis = role.kind !== 'idle' && (item.kind === 'refused' || item.epoch === role.epoch);
    if (!isForThis) {
      if (item.kind === 'promised') out.releaseAtAll({ shard: item.shard, epoch: item.epoch });
    } else if (message.version !== seat.set.version) continue;
    else if (role.kind === 'seeking') hearAnswer(seat, shard, role, message, item, now, out);
    else hearRenewal(seat, shard, role, message, item, now, out);
  }
}
