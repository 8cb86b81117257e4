// The seat of a desk, and the owners of the shards that the seat owns: who hears what of whom.
//   W1. An owner's effects are performed only while its shard is owned: what it wanted to say when it lost it is not said.
//   W2. What is copied, learned and resigned goes to the seats in the order in which the owner said it.
import { type Instant, unreachable } from '@tutti/base';
import type { Acquired, SeatEffect, SeatEvent } from '../seats/seat-events.js';
import type { SeatMachine } from '../seats/seat-machine.js';
import { CounterSums } from './desk-counters.js';
import type { DeskEffect, DeskNote } from './desk-events.js';
import { DeskLives } from './desk-lives.js';
import { type DeskNews, DeskShard } from './desk-shard.js';
import type { LeaseOwnerOptions } from './lease-owner.js';
import type { OwnerEffect, OwnerEvent } from './owner-events.js';

export class DeskOwners {
  readonly shards = new Map<number, DeskShard>();
  readonly lives = new DeskLives();
  readonly sums = new CounterSums();
  /** Shards that come now are given up again. */
  isDraining = false;
  private out: DeskEffect[] = [];
  private now: Instant;
  private hasChanged = false;

  constructor(
    private readonly seats: SeatMachine,
    private readonly options: LeaseOwnerOptions,
    private readonly news: () => DeskNews,
    startedAt: Instant,
  ) {
    this.now = startedAt;
  }

  /** A step begins. */
  begin(now: Instant): void {
    this.now = now;
    this.out = [];
    this.hasChanged = false;
  }

  /** All that is to be done after the step. */
  end(): DeskEffect[] {
    if (this.hasChanged) this.push({ kind: 'owns', shards: this.owned() });
    return this.out;
  }

  push(effect: DeskEffect): void {
    this.out.push(effect);
  }

  note(note: DeskNote): void {
    this.out.push({ kind: 'note', note });
  }

  owned(): { readonly shard: number; readonly epoch: number }[] {
    return Array.from(this.shards.values(), ({ index, epoch }) => ({ shard: index, epoch }));
  }

  askSeats(event: SeatEvent): void {
    for (const effect of this.seats.apply(event, this.now)) this.performSeat(effect);
  }

  tell(shard: DeskShard, event: OwnerEvent): void {
    this.perform(shard, shard.owner.apply(event, this.now));
  }

  /** Tells all in whose groups anything is dealt. */
  tellActive(event: OwnerEvent): void {
    for (const shard of this.active()) this.tell(shard, event);
  }

  active(): DeskShard[] {
    for (const shard of [...this.shards.values()]) this.catchUp(shard);
    return [...this.shards.values()].filter(({ isActive }) => isActive);
  }

  catchUp(shard: DeskShard): void {
    this.perform(shard, shard.catchUp(this.news(), this.now));
  }

  /** W1 */
  perform(shard: DeskShard, effects: Iterable<OwnerEffect>): void {
    for (const effect of effects) if (this.shards.get(shard.index) === shard) this.performOne(shard, effect);
  }

  private performSeat(effect: SeatEffect): void {
    switch (effect.kind) {
      case 'send':
        return this.push({ kind: 'toSeat', to: effect.to, message: effect.message });
      case 'acquired':
        return this.acquire(effect);
      case 'lost':
        return this.lose(effect);
      case 'copied': {
        const shard = this.shards.get(effect.shard);
        if (shard?.epoch === effect.epoch) this.tell(shard, { kind: 'copied', seq: effect.seq });
        return;
      }
      case 'copyRefused': {
        const { shard: index, seq, reason } = effect;
        const shard = this.shards.get(index);
        if (shard === undefined) return;
        this.note({ kind: 'copyRefused', shard: index, reason });
        return this.tell(shard, { kind: 'copyRefused', seq });
      }
      default:
        return unreachable(effect);
    }
  }

  private performOne({ index: shard, epoch }: DeskShard, effect: OwnerEffect): void {
    switch (effect.kind) {
      case 'grant': {
        const { to, grant } = effect;
        const isThere = this.lives.has(to);
        this.sums[isThere ? 'grants' : 'grantsDropped']++;
        if (isThere) this.push({ kind: 'grant', to, shard, grant });
        return;
      }
      case 'copy':
        return this.askSeats({ kind: 'copy', shard, entries: effect.entries });
      case 'fences':
        return this.push({ ...effect, shard });
      case 'learned':
        this.note({ kind: 'learned', shard, epoch });
        return this.askSeats({ kind: 'learned', shard });
      case 'mayResign':
        return this.askSeats({ kind: 'resign', shard });
      case 'epochSeen':
        return this.askSeats({ kind: 'epochSeen', shard, epoch: effect.epoch });
      case 'wroteOff':
        return this.note({ ...effect, shard });
      default:
        return unreachable(effect);
    }
  }

  private acquire(acquired: Acquired): void {
    const { shard: index, epoch, learnMs, isFirst, ledgerComplete, mustLearnFully } = acquired;
    const shard = new DeskShard(index, acquired, this.options);
    this.shards.set(index, shard);
    this.hasChanged = true;
    const knows = isFirst ? 'firstStart' : ledgerComplete ? 'handedOver' : mustLearnFully ? 'nothing' : 'copies';
    this.note({ kind: 'acquired', shard: index, epoch, knows, learnMs: mustLearnFully ? learnMs : 0 });
    this.perform(shard, shard.begin(this.news(), this.now));
    this.catchUp(shard);
    if (this.isDraining && this.shards.get(index) === shard) this.tell(shard, { kind: 'resigning' });
  }

  private lose({ shard: index, epoch, reason }: Extract<SeatEffect, { kind: 'lost' }>): void {
    const shard = this.shards.get(index);
    if (shard === undefined) return;
    this.shards.delete(index);
    this.hasChanged = true;
    this.sums.end(shard.owner.counters);
    shard.owner.apply({ kind: 'lost' }, this.now);
    this.note({ kind: 'lost', shard: index, epoch, reason });
  }
}
