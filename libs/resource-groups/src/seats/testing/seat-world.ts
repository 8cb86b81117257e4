import { type Instant, instant, type Random, seededRandom } from '@tutti/base';
import type { Acquired, HeldBack, SeatEffect, SeatEvent } from '../seat-events.js';
import { SeatMachine } from '../seat-machine.js';
import type { SeatRules } from '../seat-rules.js';
import type { SeatSet } from '../seat-set.js';
import type { SeatId } from '../shard.js';
import { FaultyNetwork } from '../../testing/faulty-network.js';
import { CALM } from './seat-faults.js';
import { VirtualTime } from './virtual-time.js';

export interface SeatWorldOptions {
  readonly seed: number;
  readonly shardCount: number;
  /** How far clocks may run wrong, as a part of true time. */
  readonly driftMax: number;
  readonly rules?: SeatRules;
  /** What there is to see: called for each effect but messages, when it happens. */
  readonly onEffect: (node: SeatNode, effect: Exclude<SeatEffect, { kind: 'send' }>) => void;
  /** Called after each step of a machine. */
  readonly onStep?: () => void;
}

/** Real seat machines on a virtual clock and network, each with the little of a shell that they need. */
export class SeatWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: FaultyNetwork;
  readonly nodes = new Map<SeatId, SeatNode>();

  constructor(readonly options: SeatWorldOptions) {
    this.random = seededRandom(options.seed);
    this.network = new FaultyNetwork(this.random, CALM);
  }

  node(seat: SeatId): SeatNode {
    let node = this.nodes.get(seat);
    if (node === undefined) this.nodes.set(seat, (node = new SeatNode(this, seat)));
    return node;
  }

  /** Which nodes believe that they own a shard, at this very instant. */
  ownersOf(shard: number): SeatNode[] {
    return [...this.nodes.values()].filter((node) => node.machine?.owns(shard, node.now()));
  }
}

/** A seat with its clock, its present life, and what it owns. */
export class SeatNode {
  machine: SeatMachine | undefined;
  /** What it owns, and whether it knows all that was dealt before. */
  readonly owned = new Map<number, Acquired & { seq: number; isLearned: boolean }>();
  /** When the last life began, in the time of the world. */
  startedAtMs = -Infinity;
  incarnation = 0;
  private rate = 1;
  private offsetMs = 0;
  private paused: SeatEvent[] | undefined;
  private wakes = 0;

  constructor(
    private readonly world: SeatWorld,
    readonly seat: SeatId,
  ) {}

  now(): Instant {
    return instant(this.world.time.now * this.rate + this.offsetMs);
  }

  get isPaused(): boolean {
    return this.paused !== undefined;
  }

  /** With the word of the operator, when this is to be the first start of the cluster. */
  start(seatSet: SeatSet, isFirstStart = false, heldBack?: HeldBack): void {
    const { world, seat } = this;
    const { driftMax, shardCount, rules } = world.options;
    this.stop();
    // Most clocks run as wrong as they may: what is not enough between the extremes shows there.
    this.rate = 1 + driftMax * Math.max(-1, Math.min(1, 4 * world.random() - 2));
    this.offsetMs = driftMax === 0 ? 0 : 1e6 * world.random();
    this.incarnation = Math.max(this.incarnation + 1, Math.floor(world.time.now));
    const incarnation = this.incarnation;
    const random = driftMax === 0 ? () => 0.5 : world.random;
    const options = { seat, incarnation, startedAt: this.now(), seatSet, random, shardCount, isFirstStart };
    this.startedAtMs = world.time.now;
    this.machine = new SeatMachine({ ...options, ...(rules && { rules }) });
    this.holdBack(heldBack);
    this.apply({ kind: 'tick' });
  }

  /** The process reads a new configuration. */
  changeSeats(seatSet: SeatSet): void {
    this.apply({ kind: 'seatsChanged', seatSet, incarnation: Math.floor(this.world.time.now) });
  }

  /** The process hears of others that have other seats, or is told not to begin yet; or that may be over. */
  holdBack(why?: HeldBack): void {
    this.apply({ kind: 'heldBack', why, incarnation: Math.floor(this.world.time.now) });
  }

  /** The process is gone at once. */
  stop(): void {
    this.machine = undefined;
    this.paused = undefined;
    this.owned.clear();
  }

  /** The process stands still; what comes meanwhile waits. Its clock goes on. */
  pause(): void {
    if (this.machine) this.paused ??= [];
  }

  resume(): void {
    const missed = this.paused ?? [];
    this.paused = undefined;
    for (const event of missed) this.apply(event);
    this.apply({ kind: 'tick' });
  }

  apply(event: SeatEvent): void {
    const { machine, world } = this;
    if (machine === undefined) return;
    if (this.paused) return void this.paused.push(event);
    for (const effect of machine.apply(event, this.now())) this.perform(effect);
    world.options.onStep?.();
    if (machine !== this.machine) return;
    const wake = ++this.wakes;
    const delayMs = (machine.wakeAt() - this.now()) / this.rate;
    if (delayMs === Infinity) return;
    world.time.after(Math.max(0, delayMs) + 0.01, () => {
      if (wake === this.wakes && machine === this.machine) this.apply({ kind: 'tick' });
    });
  }

  /** Copies an entry as the owner of a shard; nothing when it owns none. */
  copy(shard: number, key: string, value: string | undefined): number | undefined {
    const owned = this.owned.get(shard);
    if (owned === undefined || this.isPaused) return undefined;
    const payload = value === undefined ? undefined : bytesOf(value);
    this.apply({ kind: 'copy', shard, entries: [{ key, seq: ++owned.seq, payload }] });
    return owned.seq;
  }

  private perform(effect: SeatEffect): void {
    const { world, machine } = this;
    if (effect.kind === 'send') {
      for (const delayMs of world.network.delaysMs(this.seat, effect.to))
        world.time.after(delayMs, () => world.node(effect.to).apply({ kind: 'received', message: effect.message }));
      return;
    }
    if (effect.kind === 'acquired') {
      const owned = { ...effect, seq: 0, isLearned: !effect.mustLearnFully };
      this.owned.set(effect.shard, owned);
      if (effect.mustLearnFully)
        world.time.after(effect.learnMs / this.rate, () => {
          if (machine !== this.machine || this.owned.get(effect.shard) !== owned) return;
          owned.isLearned = true;
          this.apply({ kind: 'learned', shard: effect.shard });
        });
    }
    if (effect.kind === 'lost') this.owned.delete(effect.shard);
    world.options.onEffect(this, effect);
  }
}

export const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
export const textOf = (bytes: Uint8Array | undefined): string => String.fromCharCode(...(bytes ?? []));
