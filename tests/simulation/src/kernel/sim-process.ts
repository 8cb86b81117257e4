// A process with a clock of its own, which may stand still, be suspended with its machine, die, and come back.
//   P1. Nothing of a process can read true time: `now` runs up to 4 % fast or slow, from anywhere (A4 by construction).
//   P2. What a dead process has planned never happens, and what was sent to it does not reach its next life.
//   P3. While it stands still nothing happens in it. When it goes on, its timers come late, and all messages at once: after
//       the timers, as a process sees it that was busy, or in the order in which they came.
//   P4. While its machine is suspended its clock stands still too; it is told so before anything else: a shell compares its
//       monotonic with its wall clock on waking.
import { type Instant, instant, type Random } from '@tutti/base';
import type { Timeline } from './timeline.js';

/** What all processes of a world share. */
export interface Surroundings {
  readonly time: Timeline;
  readonly random: Random;
  /** How far clocks may run wrong, as a part of true time. */
  readonly driftMax: number;
}

interface Missed {
  /** Timers that were due and messages that came, in their order. */
  readonly all: { readonly isTimer: boolean; readonly action: () => void }[];
  readonly isSuspended: boolean;
  readonly since: number;
}

/** Who was suspended for less does not notice. */
const NOTICED_MS = 500;

export abstract class SimProcess {
  isAlive = false;
  /** Starts of the process, as its wall clock told them: they only grow. */
  incarnation = 0;
  /** Counts its lives. */
  life = 0;
  private rate = 1;
  private offsetMs = 0;
  private missed: Missed | undefined;
  private wakeAt = Infinity;

  constructor(
    protected readonly around: Surroundings,
    readonly name: string,
    /** Its number among all processes. */
    readonly index: number,
  ) {}

  /** Its own monotonic clock. */
  now(): Instant {
    return instant(this.around.time.now * this.rate + this.offsetMs);
  }

  get isPaused(): boolean {
    return this.missed !== undefined;
  }

  start(): void {
    if (this.isAlive) return;
    const { time, random, driftMax } = this.around;
    // Most clocks run as wrong as they may: what is not enough between the extremes shows there.
    this.rate = 1 + driftMax * Math.max(-1, Math.min(1, 4 * random() - 2));
    this.offsetMs = driftMax === 0 ? 0 : 1e6 * random();
    this.incarnation = Math.max(this.incarnation + 1, Math.floor(time.now));
    this.missed = undefined;
    this.isAlive = true;
    this.wakeAt = Infinity;
    this.life++;
    this.began();
  }

  /** isLoud: its connections are reset, as when a process dies; otherwise its machine is gone with it. */
  crash(isLoud: boolean): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.missed = undefined;
    this.ended(isLoud);
    this.life++;
  }

  /** P3, P4 */
  pause(isSuspended: boolean): void {
    if (!this.isAlive || this.missed !== undefined) return;
    this.missed = { all: [], isSuspended, since: this.around.time.now };
  }

  resume(): void {
    const { missed, life } = this;
    if (missed === undefined) return;
    this.missed = undefined;
    const stoodMs = this.around.time.now - missed.since;
    if (missed.isSuspended) {
      this.offsetMs -= stoodMs * this.rate;
      if (stoodMs > NOTICED_MS) this.overslept();
    }
    const { all } = missed;
    const timersFirst = this.around.random() < 0.5;
    const inOrder = timersFirst ? [...all.filter((each) => each.isTimer), ...all.filter((each) => !each.isTimer)] : all;
    for (const { action } of inOrder) if (this.life === life) action();
  }

  /** Runs `action` after a time on its own clock, in this life. */
  after(delayMs: number, action: () => void): void {
    const { life } = this;
    this.around.time.after(delayMs / this.rate, () => {
      if (life !== this.life || !this.isAlive) return;
      if (this.missed !== undefined) this.missed.all.push({ isTimer: true, action });
      else action();
    });
  }

  every(periodMs: number, jitter: number, action: () => void): void {
    const again = (): void => {
      action();
      this.after(periodMs * (1 + jitter * (2 * this.around.random() - 1)), again);
    };
    this.after(periodMs * this.around.random(), again);
  }

  /** Something has arrived for a life of this process. */
  deliver(life: number, action: () => void): void {
    if (life !== this.life || !this.isAlive) return; // P2
    if (this.missed !== undefined) this.missed.all.push({ isTimer: false, action });
    else action();
  }

  /** Has `wake` called at a moment of its own clock: of several the soonest counts. */
  protected wakeBy(at: Instant): void {
    if (at >= this.wakeAt) return;
    this.wakeAt = at;
    this.after(Math.max(0, at - this.now()) + 0.01, () => {
      if (this.wakeAt !== at) return;
      this.wakeAt = Infinity;
      this.wake();
    });
  }

  protected abstract began(): void;
  protected abstract ended(isLoud: boolean): void;
  /** What was planned with `wakeBy` is due. */
  protected abstract wake(): void;
  /** P4 */
  protected abstract overslept(): void;
}
