import type { SeatEffect } from './seat-events.js';
import type { HoldItem, ReleaseItem, SeatMessage } from './seat-messages.js';
import type { SeatState } from './seat-state.js';
import type { SeatId } from './shard.js';

/** Gathers the effects of one event; what goes to all other seats leaves at its end, in one message for all shards. */
export class Outbox {
  private readonly effects: SeatEffect[] = [];
  private holds: { readonly to: SeatId; readonly item: HoldItem }[] = [];
  private releases: ReleaseItem[] = [];
  private hello = false;
  private number: number | undefined;

  constructor(private readonly seat: SeatState) {}

  /** The number of all requests of this event. */
  get request(): number {
    return (this.number ??= this.seat.nextRequest());
  }

  push(effect: SeatEffect): void {
    this.effects.push(effect);
  }

  /** What every message begins with. */
  get header() {
    return { from: this.seat.me, version: this.seat.set.version };
  }

  send(to: SeatId, message: SeatMessage): void {
    this.effects.push({ kind: 'send', to, message });
  }

  hold(to: readonly SeatId[], item: HoldItem): void {
    for (const seat of to) this.holds.push({ to: seat, item });
  }

  /** Takes back what this event was about to ask for with the same epoch. */
  releaseAtAll(released: ReleaseItem): void {
    this.holds = this.holds.filter(
      ({ item: { shard, epoch } }) => shard !== released.shard || epoch !== released.epoch,
    );
    this.releases.push(released);
  }

  helloToAll(): void {
    this.hello = true;
  }

  flush(): SeatEffect[] {
    this.sendBatches();
    return this.effects;
  }

  /** Sends what was gathered for all seats; to be called before this seat gets another life or other seats. */
  sendBatches(): void {
    const { header, releases } = this;
    for (const to of this.seat.others) {
      if (releases.length > 0) this.send(to, { kind: 'release', ...header, request: this.request, items: releases });
      const items = this.holds.filter((hold) => hold.to === to).map(({ item }) => item);
      if (items.length > 0 || this.hello) this.send(to, { kind: 'hold', ...header, request: this.request, items });
    }
    this.releases = [];
    this.holds = [];
    this.hello = false;
  }
}
