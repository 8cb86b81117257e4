// What this seat says to another one: a stream of messages to wherever that seat was last seen.
//   K1. Messages wait in order, at most MESSAGES_WAITING_MAX; then the oldest is dropped. So is one that has waited for
//       STALE_MS: its sender has said something newer since. Any may be lost, so nothing is repeated here.
//   K2. The stream is opened again after a failure with a jittered wait of at most a second, and at once when the seat is
//       seen at another address.
import { type Clock, type Instant, type Random, sleep } from '@tutti/base';
import type { SeatId, SeatMessage } from '@tutti/resource-groups';
import { type Counter, type Log, type News, readRpcError } from '@tutti/service';

/** Sends messages to an address until they end; throws when the stream breaks. */
export type OpenSeatStream = (
  address: string,
  messages: AsyncIterable<SeatMessage>,
  signal: AbortSignal,
) => Promise<void>;

export interface SeatLinkOptions {
  readonly seat: SeatId;
  readonly open: OpenSeatStream;
  /** Where the seat is; undefined while nobody has heard it. */
  readonly addressOf: (seat: SeatId) => string | undefined;
  /** Tells when addresses may have changed. */
  readonly news: News;
  /** Counts what is not sent, by the reason. */
  readonly dropped: Pick<Counter<string>, 'inc'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const MESSAGES_WAITING_MAX = 1_000;
const STALE_MS = 1_000;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 1_000;
/** A stream that lasted so long was a good one. */
const GOOD_AFTER_MS = 1_000;
/** How often an address is looked for without news of nodes. */
const LOOK_MS = 1_000;
/** The first failures are usual while a cluster starts. */
const FAILURES_BEFORE_TELLING = 5;

export class SeatLink {
  private waiting: { readonly message: SeatMessage; readonly at: Instant }[] = [];
  private wake: () => void = () => undefined;
  private readonly log: Log;

  constructor(private readonly options: SeatLinkOptions) {
    this.log = options.log.child({ seat: options.seat });
  }

  /** Nothing waits to be sent. */
  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  send(message: SeatMessage): void {
    const { clock, dropped } = this.options;
    this.waiting.push({ message, at: clock.now() });
    if (this.waiting.length > MESSAGES_WAITING_MAX) {
      this.waiting.shift(); // K1
      dropped.inc({ reason: 'full' });
    }
    this.wake();
  }

  /** Keeps the stream open until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { seat, addressOf, news, clock, random } = this.options;
    let failures = 0;
    while (!signal.aborted) {
      const { edition } = news;
      const address = addressOf(seat);
      if (address === undefined) {
        await news.next(edition, LOOK_MS, signal);
        continue;
      }
      const openedAt = clock.now();
      const end = await this.talkTo(address, signal);
      if (signal.aborted || end === 'moved') continue;
      const wasGood = clock.now() - openedAt >= GOOD_AFTER_MS;
      failures = wasGood ? 1 : failures + 1;
      if (wasGood) this.log.warn('seat-lost', { address, ...end });
      else if (failures === FAILURES_BEFORE_TELLING) this.log.warn('seat-unreachable', { address, ...end });
      const waitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** (failures - 1));
      await sleep(clock, waitMs * (0.5 + random() / 2), signal);
    }
  }

  private async talkTo(address: string, signal: AbortSignal) {
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    let isMoved = false;
    const moved = this.untilMoved(address, stop).then(() => {
      isMoved = true;
      over.abort();
    });
    try {
      await this.options.open(address, this.messages(stop), stop);
      return isMoved ? ('moved' as const) : { message: 'the peer ended the stream' };
    } catch (error) {
      if (isMoved) return 'moved' as const;
      const { message, reason } = readRpcError(error);
      return { message, reason };
    } finally {
      over.abort();
      await moved;
    }
  }

  /** Resolves when the seat is at another address, or `stop` aborts. */
  private async untilMoved(address: string, stop: AbortSignal): Promise<void> {
    const { seat, addressOf, news } = this.options;
    while (!stop.aborted) {
      const { edition } = news;
      const now = addressOf(seat);
      if (now !== undefined && now !== address) return; // K2
      await news.next(edition, LOOK_MS, stop);
    }
  }

  private async *messages(stop: AbortSignal): AsyncGenerator<SeatMessage> {
    const { clock, dropped } = this.options;
    const wake = () => this.wake();
    stop.addEventListener('abort', wake, { once: true });
    while (!stop.aborted) {
      const first = this.waiting.shift();
      if (first === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
      else if (clock.now() - first.at > STALE_MS) dropped.inc({ reason: 'late' });
      else yield first.message;
    }
  }
}
