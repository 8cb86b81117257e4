// When a holder sends its demands.
//   Y1. After a pause the first demands with news leave at once, those after them at their pace. Renewals have no haste.
//   Y2. At most as many are without an answer as the rules allow (H2). What is not answered in time is given up.
import { type Instant, instant } from '@tutti/base';
import { later, type LeaseRules, type LeaseTiming } from './lease-timing.js';

const RTT_WEIGHT = 0.2;
/** What is about to leave within so long counts as told at once. */
const SOON_MS = 4;
/** So many demands besides the first leave without a pause between them when none left for long. */
const SENDS_AT_ONCE = 3;
const NEVER = instant(Infinity);
const LONG_AGO = instant(-Infinity);

export class HolderPace {
  inFlight = 0;
  sentAt = LONG_AGO;
  /** When a renewal is due. */
  renewAt = LONG_AGO;
  /** When the next demand would leave if all left at their pace. */
  private steadyAt = LONG_AGO;
  private dueAt = LONG_AGO;
  private rttMs = 5;

  constructor(
    private readonly timing: LeaseTiming,
    private readonly rules: LeaseRules,
  ) {}

  /** There is something to tell, at the latest then. */
  hurry(at: Instant): void {
    this.dueAt = instant(Math.min(this.dueAt, at));
  }

  /** A renewal that is due within so long leaves now, with those to the same owner that are due. */
  renewSoon(now: Instant, withinMs: number): void {
    if (this.inFlight > 0 || this.renewAt > later(now, withinMs)) return;
    this.renewAt = now;
    this.hurry(now);
  }

  sent(now: Instant): void {
    this.inFlight++;
    this.sentAt = now;
    this.steadyAt = later(instant(Math.max(this.steadyAt, now)), this.timing.coalesceMs);
    this.dueAt = NEVER;
  }

  answered(now: Instant): void {
    this.inFlight--;
    this.rttMs += RTT_WEIGHT * (now - this.sentAt - this.rttMs);
  }

  /** No answer comes any more: the next demand leaves as soon as it may, but not before `at`. */
  giveUp(at: Instant = LONG_AGO): void {
    this.inFlight = 0;
    this.dueAt = at;
  }

  /** When that which was sent has been without an answer for too long. */
  get answerDueAt(): Instant {
    return this.inFlight > 0 ? later(this.sentAt, this.timing.answerMs) : NEVER;
  }

  /** When the next demand leaves. */
  get nextAt(): Instant {
    if (this.isWaiting) return NEVER;
    const { soonestAt, steadyAt, dueAt, renewAt } = this;
    return instant(Math.min(Math.max(soonestAt, dueAt), Math.max(steadyAt, renewAt)));
  }

  /** Whether what is to be told now leaves without delay. */
  canTell(now: Instant): boolean {
    return !this.isWaiting && now >= later(this.soonestAt, -SOON_MS);
  }

  /** How long it takes until what is wanted has come, by and large. */
  get loopMs(): number {
    return 2 * this.rttMs + this.timing.coalesceMs;
  }

  private get isWaiting(): boolean {
    return this.inFlight >= this.rules.demandsInFlightMax;
  }

  private get soonestAt(): Instant {
    return later(this.steadyAt, -SENDS_AT_ONCE * this.timing.coalesceMs);
  }
}
