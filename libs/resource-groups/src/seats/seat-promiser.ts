// The side of a seat that promises to others, and keeps copies for them.
import { type Instant, instant, unreachable } from '@tutti/base';
import type { SeatState } from './seat-state.js';
import { abandon, seek } from './seat-candidate.js';
import type {
  CopyAnswer,
  CopyRequest,
  HandOver,
  Holder,
  HoldAnswerItem,
  HoldItem,
  HoldRequest,
  RefusalReason,
  Release,
} from './seat-messages.js';
import type { Outbox } from './seat-outbox.js';
import { promiseMs } from './seat-rules.js';
import type { Shard } from './shard-role.js';

/** A seat that has started with all others will soon know that they know nothing. */
const FIRST_PATIENCE_MS = 20;

/** Answers each item that was not overtaken; a hello has none. Copies go one shard per message: ledgers may be large. */
export function answerHold(seat: SeatState, message: HoldRequest, now: Instant, out: Outbox): void {
  const answers: HoldAnswerItem[] = [];
  // A former life is told so, and promised nothing.
  const isOld = message.from.incarnation < seat.peers.incarnationOf(message.from.seat);
  for (const item of isOld ? [] : message.items) {
    const shard = seat.shards[item.shard];
    const isOtherSet = message.version !== seat.set.version;
    if (shard && (isOtherSet || shard.promise.isNewest(message.from, item.epoch, message.request)))
      answers.push(answerItem(seat, shard, message, item, now, out));
  }
  const withCopies = answers.filter((answer) => answer.kind === 'promised' && answer.copies !== undefined);
  const others = answers.filter((answer) => !withCopies.includes(answer));
  for (const items of [...withCopies.map((answer) => [answer]), others]) {
    if (items.length === 0 && withCopies.length > 0) continue;
    out.send(message.from.seat, {
      ...{ kind: 'holdAnswer', ...out.header, request: message.request, toIncarnation: message.from.incarnation },
      askerIncarnation: seat.peers.incarnationOf(message.from.seat),
      ...{ blank: seat.isBlank, draining: seat.draining, items },
    });
  }
}

function answerItem(
  seat: SeatState,
  shard: Shard,
  { from, version }: HoldRequest,
  { epoch, copiesWanted, resigned }: HoldItem,
  now: Instant,
  out: Outbox,
): HoldAnswerItem {
  const remembers = seat.remembers(shard);
  const refuse = (reason: RefusalReason, restMs: number, holder?: Holder): HoldAnswerItem => ({
    ...{ kind: 'refused', shard: shard.index, reason, remembers, restMs },
    epoch: Math.max(shard.promise.epoch, seat.epochFloor(shard)),
    ...(holder && { holder }),
  });
  if (version !== seat.set.version) return refuse('otherSeatSet', seat.timing.renewMs);
  if (resigned) shard.promise.end(resigned.holder, resigned.epoch, now);
  if (seat.heldBack !== undefined) return refuse('starting', seat.timing.renewMs);
  if (!seat.mayPromise(shard, now))
    return refuse('starting', seat.beginning.awaitsFirst ? FIRST_PATIENCE_MS : seat.promisesFrom(shard) - now);
  const { role } = shard;
  if (role.kind === 'seeking' && shard.rankOf(seat.me.seat) < shard.rankOf(from.seat))
    return refuse('seeking', role.endsAt - now);
  const barrier = shard.promise.barrier(from, epoch, seat.epochFloor(shard), seat.rules, now);
  if (barrier?.kind === 'held') return refuse('held', barrier.by.until - now, barrier.by.holder);
  if (barrier) return refuse('fenced', 0);
  const quietMs = seat.quietMs(shard, now);
  const priorEpoch = shard.promise.epoch;
  const until = instant(now + promiseMs(seat.timing));
  if (role.kind === 'seeking') abandon(seat, shard, until, out);
  else if (role.kind === 'idle') seat.idle(shard, until);
  shard.promise.give(from, epoch, until);
  shard.hear(epoch);
  const copies = copiesWanted ? { copies: shard.store.all() } : {};
  return { kind: 'promised', shard: shard.index, epoch, remembers, priorEpoch, quietMs, ...copies };
}

/** Whose promise was given up may be promised anew; a successor goes first. */
export function takeRelease(seat: SeatState, message: Release, now: Instant): void {
  for (const { shard: index, epoch, successor } of message.items) {
    const shard = seat.shards[index];
    if (!shard?.promise.isNewest(message.from, epoch, message.request)) continue;
    const hasEnded = shard.promise.end(message.from, epoch, now);
    if (!hasEnded || shard.role.kind !== 'idle') continue;
    // The successor too: it will begin when it has the ledger.
    seat.idle(shard, instant(now + (successor === undefined ? 0 : seat.timing.successionMs)));
  }
}

/** Keeps the entries of an owner, unless a higher epoch is known. */
export function keepCopies(seat: SeatState, message: CopyRequest, now: Instant, out: Outbox): void {
  const shard = seat.shards[message.shard];
  if (shard === undefined) return;
  const result = keep(seat, shard, message);
  // There is an owner: who has not promised to it yet need not try to be one.
  if (result === 'kept' && shard.role.kind === 'idle' && !shard.promise.bound(now))
    seat.idle(shard, instant(now + promiseMs(seat.timing)));
  const { request, from, shard: index } = message;
  const { epoch } = shard.promise;
  out.send(from.seat, {
    ...{ kind: 'copyAnswer', ...out.header, request, toIncarnation: from.incarnation },
    ...{ shard: index, result, epoch },
  });
}

function keep(seat: SeatState, shard: Shard, message: CopyRequest): CopyAnswer['result'] {
  const { version, from, epoch, extent, through, entries } = message;
  if (version !== seat.set.version) return 'otherSeatSet';
  if (!shard.promise.accept(from, epoch)) return 'fenced';
  shard.hear(epoch);
  switch (extent) {
    case 'new':
    case 'all':
      return shard.store.put(entries) ? 'kept' : 'full';
    case 'complete':
      if (!shard.store.replace({ base: { epoch, seq: through }, entries })) return 'full';
      // It was sent by an owner to this life of ours: nothing that this seat ever kept is missing.
      shard.rememberedVersion = version;
      seat.isTouched = true;
      return 'kept';
    default:
      return unreachable(extent);
  }
}

/** The owner has resigned in favour of this seat. Too late, when a higher epoch is known. */
export function takeHandOver(seat: SeatState, message: HandOver, now: Instant, out: Outbox): void {
  const shard = seat.shards[message.shard];
  const { from: holder, epoch, complete, copies, version } = message;
  if (!shard?.promise.isNewest(holder, epoch, message.request) || !shard.promise.accept(holder, epoch)) return;
  // It came twice.
  if (shard.handedOver?.epoch === epoch) return;
  shard.hear(epoch);
  shard.promise.end(holder, epoch, now);
  const isKept = complete ? shard.store.replace(copies) : shard.store.put(copies.entries);
  if (isKept && complete && version === seat.set.version) shard.rememberedVersion = version;
  shard.handedOver = { holder, epoch, complete: isKept && complete };
  if (shard.role.kind === 'seeking') abandon(seat, shard, now, out);
  if (shard.role.kind === 'idle' && !seat.draining && seat.mayPromise(shard, now)) seek(seat, shard, now, out);
}
