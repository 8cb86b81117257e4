// Brings the usage of the other coordinators to the group machine.
//   U1. One question at a time, stamped before it is sent; the counts in it are those of the same moment.
//   U2. What was wanted after the stamp is asked for again, at once when the answer is there.
//   U3. It asks the first resource manager in the order of addresses, like every other coordinator: on one book two
//       coordinators cannot both overlook each other. The next one is asked when that does not answer; the first again
//       once it is back.
//   U4. While nothing waits it is silent, but for what the group machine wants told at once: that a slot is free.
//   U5. While a query waits it asks every refreshIntervalMs; when nothing moves for seconds, ten times a second. So it is a
//       few dozen questions per second at most, beside those of queries that come, start and end: what is wanted while a
//       question is open shares the next one.
//   U6. Never two questions at one moment of the clock: an answer counts for what came before its question, so the second
//       would be wanted again at once, for ever while the clock stands still.
import { type Clock, type Instant, instant, sleep } from '@tutti/base';
import type { Log } from '@tutti/service';
import { RefreshPace, type UsageSnapshot } from '@tutti/resource-groups';
import { Bell } from './bell.js';
import type { UsageQuestion, UsageSource } from './usage-client.js';

export interface UsagePollerOptions {
  readonly source: UsageSource;
  /** Addresses of the resource managers that are connected and have heard every node. */
  readonly addresses: () => readonly string[];
  /** Makes the question of this moment. */
  readonly question: () => UsageQuestion;
  /** Whether a query waits for its group. */
  readonly someoneWaits: () => boolean;
  /** The refresh interval is over: the group machine says with `ask` whether it wants newer usage. */
  readonly onTick: () => void;
  readonly onUsage: (usage: UsageSnapshot) => void;
  /** No resource manager answers, and none has since then. */
  readonly onUnavailable: (since: Instant) => void;
  readonly refreshIntervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A resource manager on the same network answers in a millisecond; after this the next one is asked. */
const ASK_TIMEOUT_MS = 500;
/** One that did not answer is not asked again for this long, unless nobody else answers. */
const AVOID_MS = 1_000;
/** Pause when nobody answers. */
const UNAVAILABLE_PAUSE_MS = 100;

export class UsagePoller {
  private readonly wanted = new Bell();
  private wantedNow = false;
  private readonly avoidUntil = new Map<string, Instant>();
  private unavailableSince: Instant | undefined;
  private lastAskedAt: Instant = instant(-Infinity);
  private lastAnswer: { readonly at: Instant; readonly oldestDataAgeMs: number } | undefined;

  private readonly pace: RefreshPace;
  private ticking = false;

  constructor(private readonly options: UsagePollerOptions) {
    this.pace = new RefreshPace(options.refreshIntervalMs);
  }

  /** Asks as soon as may be (U2). */
  ask(): void {
    if (!this.ticking) this.pace.moved(this.options.clock.now());
    this.wantedNow = true;
    this.wanted.ring();
  }

  /** Somebody waits now: asks regularly from here on. */
  watch(): void {
    this.pace.moved(this.options.clock.now());
    this.wanted.ring();
  }

  /** Age of the oldest part of the last answer; undefined before the first. */
  dataAgeMs(now: Instant): number | undefined {
    return this.lastAnswer && now - this.lastAnswer.at + this.lastAnswer.oldestDataAgeMs;
  }

  /** Asks until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, someoneWaits } = this.options;
    let askedAt = clock.now();
    while (!signal.aborted) {
      if (this.wantedNow) {
        if (clock.now() <= this.lastAskedAt) await sleep(clock, 1, signal); // U6
        this.wantedNow = false;
        if (!(await this.askOnce(signal))) await sleep(clock, UNAVAILABLE_PAUSE_MS, signal);
        askedAt = clock.now();
      } else if (!someoneWaits()) {
        await this.wanted.wait(signal); // U4
        askedAt = clock.now();
      } else {
        const waitMs = askedAt + this.pace.delayMs(clock.now()) - clock.now(); // U5
        if (waitMs > 0) await this.wanted.wait(signal, { clock, ms: waitMs });
        else {
          askedAt = clock.now();
          this.tick();
        }
      }
    }
  }

  private tick(): void {
    this.ticking = true;
    this.options.onTick();
    this.ticking = false;
  }

  private async askOnce(signal: AbortSignal): Promise<boolean> {
    const { source, question, clock, onUsage, onUnavailable, log } = this.options;
    for (const address of this.inOrder()) {
      const requestedAt = (this.lastAskedAt = clock.now()); // U1
      const answer = await source.ask(address, question(), ASK_TIMEOUT_MS, signal);
      if (signal.aborted) return true;
      if (answer.kind === 'none') {
        log.debug('usage-unanswered', { address, reason: answer.reason });
        this.avoidUntil.set(address, instant(clock.now() + AVOID_MS));
        continue;
      }
      this.avoidUntil.delete(address);
      if (this.unavailableSince !== undefined) log.info('usage-available', { address });
      this.unavailableSince = undefined;
      this.lastAnswer = { at: requestedAt, oldestDataAgeMs: answer.usage.oldestDataAgeMs };
      this.pace.heard(answer.usage, clock.now());
      onUsage({ requestedAt, ...answer.usage });
      return true;
    }
    if (this.unavailableSince === undefined) {
      this.unavailableSince = clock.now();
      log.warn('usage-unavailable', { resourceManagers: this.options.addresses().length });
    }
    onUnavailable(this.unavailableSince);
    return false;
  }

  /** U3: by address; those that did not answer lately come last. */
  private inOrder(): string[] {
    const addresses = [...this.options.addresses()].sort();
    for (const known of this.avoidUntil.keys()) if (!addresses.includes(known)) this.avoidUntil.delete(known);
    const now = this.options.clock.now();
    const avoided = (address: string) => (this.avoidUntil.get(address) ?? now) > now;
    return [...addresses.filter((address) => !avoided(address)), ...addresses.filter(avoided)];
  }
}
