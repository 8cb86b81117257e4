// What a coordinator holds in one leaf group.
//   F1. running <= held. Only grants raise held; it is lowered before a demand that says so is made, never below running.
//   F2. What the owner wishes is given back as far as it can be: at once what is not needed here. A slot whose query has
//       ended while others wait here is given back only when that can be told without delay, and used otherwise: slots
//       do not idle for messages. But where no demand can leave for long one is given back all the same (A3).
//   F3. Under a CPU budget nothing starts once it is used up. It ends with the lease, and where nothing is held (V3).
import { type Instant, instant } from '@tutti/base';
import { ArrivalRate } from './arrival-rate.js';
import { CpuBudget } from './holder-cpu.js';
import type { LeafCap, LeafDemand, LeafHint } from './lease-messages.js';
import { isWishing, NO_WISH, OLDEST_MAX, type Wish } from './lease-messages.js';

/** What a coordinator runs and wants in a leaf group. */
export interface LeafWants {
  readonly group: string;
  /** The path as the configuration spells it. */
  readonly template: string;
  /** Started, and not known to have left all workers: with tasks on their way, or whose end a worker has not confirmed. */
  readonly running: number;
  readonly waiting: number;
  /** The first that wait, in their order. */
  readonly oldest: readonly { readonly since: Instant; readonly priority: number }[];
  /** How many have come to the group in all, in this life. */
  readonly arrived: number;
  /** CPU time that queries of the group have used in all, in this life; undefined: no CPU limit at the group or above. */
  readonly cpuMs?: number;
}

/** Who knows of so many that wait need not be told of each. */
const KNOWN_WAITING_MAX = 8;
/** The part of what was free all the time that is given back with each renewal. */
const SURPLUS_PART = 1 / 4;
/** So much less in use than the owner knows is worth telling. */
const EASED_MIN = 2;
const EASED_PART = 1 / 4;
/** Whoever is asked for slots whose queries end gives one back at least once in this time, told at once or not. */
const PATIENCE_MS = 500;

export class HolderLeaf {
  held = 0;
  wish: Wish = NO_WISH;
  running = 0;
  waiting = 0;
  /** Nothing is left of it, and the owner is told so. */
  isOver = false;
  /** What those that wait here wait for, as the owner last said. */
  hint: LeafHint | undefined;
  private wants: LeafWants;
  /** What the owner was last told. */
  private sent: LeafDemand | undefined;
  private readonly cpu = new CpuBudget();
  /** How many had left the queue when the owner was told of it. */
  private toldLeft = 0;
  private readonly arrivals: ArrivalRate;
  /** The fewest free slots since the last renewal. */
  private idleMin = 0;
  /** When a slot whose query had ended was last given back while others wait here. */
  private gaveAt = instant(-Infinity);
  /** Something was given back of which the owner does not know yet. */
  private hasGivenBack = false;

  constructor(wants: LeafWants) {
    this.wants = wants;
    this.arrivals = new ArrivalRate(wants.arrived - wants.running - wants.waiting);
  }

  get group(): string {
    return this.wants.group;
  }

  /** How many may run (F1, F2). */
  get allowed(): number {
    return this.wish.mode === 'stop' ? Math.min(this.held, this.wish.keep) : this.held;
  }

  get mayStart(): boolean {
    return this.running < this.allowed && this.hasCpu; // F3
  }

  get isEmpty(): boolean {
    return this.held + this.running + this.waiting === 0;
  }

  /** Takes in what runs and waits. `canTell`: what is given back now leaves without delay. */
  want(wants: LeafWants, canTell: boolean, now: Instant): void {
    const ended = Math.max(0, this.running - wants.running);
    this.wants = wants;
    this.running = wants.running;
    this.waiting = wants.waiting;
    if (this.waiting === 0) this.hint = undefined;
    const hasPatience = now - this.gaveAt < PATIENCE_MS;
    if (this.wish.mode === 'ends' && ended > 0 && (canTell || !hasPatience)) {
      this.giveBack(ended);
      this.gaveAt = now;
    }
    this.giveBackSpare();
    this.arrivals.note(wants.arrived, now);
    this.idleMin = Math.min(this.idleMin, this.idle);
  }

  /** Whether the owner should hear of it before the next renewal. */
  isUrgent(loopMs: number, now: Instant): boolean {
    const { sent, running, waiting, held, wish } = this;
    if (this.hasGivenBack || (!this.isEmpty && this.cpu.isNearlyUsed(this.wants.cpuMs, sent?.cpuMs))) return true;
    const used = running + waiting;
    const toldUsed = sent === undefined ? 0 : sent.running + sent.waiting;
    // Of those that wait beyond what is held now enough may be known already.
    if (used > this.allowed) return used > toldUsed && toldUsed - held < KNOWN_WAITING_MAX;
    const slack = this.arrivals.slack(loopMs, now);
    return held - used < slack / 2 && used > toldUsed && wish.mode === 'none';
  }

  /** Others wait first here than those that the owner was told. */
  get hasMovedOn(): boolean {
    return this.waiting > 0 && this.sent !== undefined && this.hasLeft !== this.toldLeft;
  }

  /** So much has ended that others may need what is free now. */
  get hasEased(): boolean {
    const { sent, running, waiting } = this;
    if (sent === undefined) return false;
    return sent.running + sent.waiting - running - waiting >= Math.max(EASED_MIN, sent.slack * EASED_PART);
  }

  /** The lease is over: nothing more starts. */
  lapse(): void {
    this.held = this.running;
    this.cpu.end();
    this.wish = NO_WISH;
  }

  /** Takes an increase, and a CPU budget on top of what the owner was told; true when more may start than before. */
  raise({ cap, cpuBudgetMs }: LeafCap): boolean {
    const { held, hasCpu } = this;
    this.held = Math.max(held, cap);
    if (cpuBudgetMs !== undefined) this.cpu.take(this.sent?.cpuMs ?? 0, cpuBudgetMs);
    return this.held > held || (this.hasCpu && !hasCpu);
  }

  private get hasCpu(): boolean {
    return this.cpuLeftMs !== 0;
  }

  /** What queries may still use before nothing more starts; undefined: any. */
  get cpuLeftMs(): number | undefined {
    return this.cpu.leftMs(this.wants.cpuMs);
  }

  /** True when more may start than before. */
  take(wish: Wish): boolean {
    const { allowed } = this;
    this.wish = wish;
    this.giveBackSpare();
    return this.allowed > allowed;
  }

  /** Gives back what has not been needed for long: by and by, for who needs it sooner calls it back. */
  renew(loopMs: number, now: Instant): void {
    const surplus = Math.min(this.idleMin, this.idle) - this.arrivals.slack(loopMs, now);
    if (surplus > 0) this.held -= Math.ceil(surplus * SURPLUS_PART);
    this.idleMin = this.idle;
  }

  /** What there is to tell; undefined when the owner knows it, from what was told to it since it was last told everything. */
  tell(
    hasChanged: boolean,
    isRenewal: boolean,
    tellAll: boolean,
    loopMs: number,
    now: Instant,
  ): LeafDemand | undefined {
    const demand = this.demand(loopMs, now);
    const isTold = isToldAlready(demand, tellAll ? undefined : this.sent, hasChanged);
    this.isOver = this.isEmpty && demand.slack === 0;
    // Another CPU budget comes only with the answer to what names the leaf.
    if (isTold && !(isRenewal && this.waiting > 0 && !this.hasCpu)) return undefined;
    this.sent = demand;
    return demand;
  }

  private demand(loopMs: number, now: Instant): LeafDemand {
    const { running, waiting, held } = this;
    const { group, template, oldest, cpuMs } = this.wants;
    const ages = oldest.slice(0, OLDEST_MAX).map(({ since, priority }) => ({ ageMs: now - since, priority }));
    const slack = this.arrivals.slack(loopMs, now);
    this.hasGivenBack = false;
    if (held === 0) this.cpu.end();
    this.toldLeft = this.hasLeft;
    const told = { group, template, running, held: Math.max(held, running), waiting, oldest: ages, slack };
    return cpuMs === undefined ? told : { ...told, cpuMs };
  }

  private giveBackSpare(): void {
    this.giveBack(this.wish.mode === 'stop' ? this.held - this.running : this.idle);
  }

  /** Lowers the holding as far as it is wished (F2). */
  private giveBack(count: number): void {
    if (!isWishing(this.wish, this.held)) return;
    const lowered = Math.max(this.running, this.wish.keep, this.held - count);
    if (lowered < this.held) this.hasGivenBack = true;
    this.held = Math.min(this.held, lowered);
    if (!isWishing(this.wish, this.held)) this.wish = NO_WISH;
  }

  private get hasLeft(): number {
    return this.wants.arrived - this.wants.waiting;
  }

  private get idle(): number {
    return Math.max(0, this.held - this.running - this.waiting);
  }
}

/** Whether a demand says nothing new of a leaf. What waits may have changed places with as many: then it does. */
const isToldAlready = (leaf: LeafDemand, sent: LeafDemand | undefined, hasChanged: boolean): boolean =>
  sent === undefined
    ? leaf.running + leaf.held + leaf.waiting + leaf.slack === 0
    : !(hasChanged && leaf.waiting > 0) &&
      leaf.running === sent.running &&
      leaf.held === sent.held &&
      leaf.waiting === sent.waiting &&
      leaf.slack === sent.slack &&
      leaf.cpuMs === sent.cpuMs;
