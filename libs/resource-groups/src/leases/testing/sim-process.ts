import { type Instant, instant, type Random } from '@tutti/base';
import type { VirtualTime } from '../../seats/testing/virtual-time.js';
import type { FaultyNetwork } from '../../testing/faulty-network.js';
import type { LeaseWorld } from './lease-world.js';

/** What a process needs of its world. */
export interface ProcessWorld {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: FaultyNetwork;
  /** How far clocks may run wrong, as a part of true time. */
  readonly driftMax: number;
}

/** A process with a clock of its own, that can stand still, and die. */
export abstract class SimProcess<World extends ProcessWorld = LeaseWorld> {
  isAlive = false;
  incarnation = 0;
  private rate = 1;
  private offsetMs = 0;
  private missed: (() => void)[] | undefined;
  private life = 0;

  constructor(
    protected readonly world: World,
    readonly name: string,
  ) {}

  now(): Instant {
    return instant(this.world.time.now * this.rate + this.offsetMs);
  }

  get isPaused(): boolean {
    return this.missed !== undefined;
  }

  protected get random(): Random {
    return this.world.random;
  }

  start(): void {
    const { random, driftMax } = this.world;
    // Most clocks run as wrong as they may: what is not enough between the extremes shows there.
    this.rate = 1 + driftMax * Math.max(-1, Math.min(1, 4 * random() - 2));
    this.offsetMs = driftMax === 0 ? 0 : 1e6 * random();
    this.incarnation = Math.max(this.incarnation + 1, Math.floor(this.world.time.now));
    this.missed = undefined;
    this.isAlive = true;
    this.life++;
    this.began();
  }

  stop(): void {
    this.isAlive = false;
    this.missed = undefined;
    this.life++;
    this.ended();
  }

  /** It stands still; what comes meanwhile waits. Its clock goes on. */
  pause(): void {
    if (this.isAlive) this.missed ??= [];
  }

  resume(): void {
    const missed = this.missed ?? [];
    this.missed = undefined;
    for (const action of missed) this.run(action);
  }

  /** Runs something in this life, when it does not stand still. */
  run(action: () => void): void {
    if (!this.isAlive) return;
    if (this.missed !== undefined) this.missed.push(action);
    else action();
  }

  /** The same after a time on its own clock. */
  after(delayMs: number, action: () => void): void {
    const { life } = this;
    this.world.time.after(delayMs / this.rate, () => {
      if (life === this.life) this.run(action);
    });
  }

  every(periodMs: number, action: () => void): void {
    this.after(periodMs * (0.8 + 0.4 * this.random()), () => {
      action();
      this.every(periodMs, action);
    });
  }

  /** Sends something that happens at another process when it arrives. */
  send<T extends SimProcess<World>>(to: T, deliver: (to: T) => void): void {
    for (const delayMs of this.world.network.delaysMs(this.name, to.name))
      this.world.time.after(delayMs, () => to.run(() => deliver(to)));
  }

  protected abstract began(): void;
  protected abstract ended(): void;
}
