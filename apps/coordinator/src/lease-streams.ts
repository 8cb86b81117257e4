// Talks with the resource managers about leases.
//   B1. One stream to each resource manager, opened at the start and again after at most a second. It begins with a message
//       without demands, which is answered with what the resource manager owns.
//   B2. What is demanded in one turn of the event loop leaves in one message. Of each shard only the newest demand waits to
//       be sent, so never more than there are shards.
//   B3. A stream on which a message is not answered within ANSWER_TIMEOUT_MS is given up.
//   B4. Who has heard of a resource manager hears when its stream is lost, before it hears of a new one.
//   B5. Two addresses may lead to one resource manager. The newer stream counts, and the older address is left alone as long
//       as that one is open: then there may be another resource manager at it.
import { Code } from '@connectrpc/connect';
import { type Clock, type Instant, instant, type NodeId, type Random } from '@tutti/base';
import type { LeaseTelling, ShardDemand } from '@tutti/lease-wire';
import type { Demand } from '@tutti/resource-groups';
import { aborted, type AddressWatcher, type ConnectionEnd, eachAddress, type Log, rpcError } from '@tutti/service';
import { Bell } from './bell.js';
import type { LeaseSource } from './lease-client.js';

export interface LeaseStreamsOptions {
  readonly source: LeaseSource;
  /** The resource managers. */
  readonly addresses: AddressWatcher;
  readonly onNews: (news: LeaseTelling) => void;
  /** Nothing more comes of what this resource manager was told (B4). */
  readonly onLost: (seat: NodeId) => void;
  /** A message with demands leaves. */
  readonly onDemands: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const ANSWER_TIMEOUT_MS = 3_000;
/** Time for resource managers to agree on who deals, once they may. */
const AGREEMENT_MS = 2_000;

interface Link {
  readonly over: AbortController;
  /** The newest demand of each shard that has not been sent (B2). */
  readonly unsent: Map<number, Demand>;
  readonly bell: Bell;
  /** A newer stream to the same resource manager counts (B5). */
  replacedBy: Link | undefined;
  /** The resource manager has just started; by then it may help to decide who deals. */
  dealsAt: Instant | undefined;
}

export class LeaseStreams {
  private readonly links = new Map<NodeId, Link>();
  private isSilent = false;

  constructor(private readonly options: LeaseStreamsOptions) {}

  /** Keeps the streams open until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await eachAddress({ ...this.options, purpose: 'leases', run: this.talkTo }, signal);
  }

  /** Sends a demand soon. Without a stream it is dropped: whoever demands has heard so, or hears it now. */
  send(seat: NodeId, shard: number, demand: Demand): void {
    const link = this.links.get(seat);
    link?.unsent.set(shard, demand);
    link?.bell.ring();
  }

  /** From now on a stream that ends is no news for people: nobody answers this process. */
  silence(): void {
    this.isSilent = true;
  }

  /**
   * When the resource managers will have dealt again at the latest, if all that is missing is that they have just started;
   * undefined when it is not that, or nobody can tell. They decide by majority.
   */
  dealAgainAt(now: Instant): Instant | undefined {
    let at = -Infinity;
    for (const { dealsAt } of this.links.values()) if (dealsAt !== undefined) at = Math.max(at, dealsAt);
    const isMajority = this.links.size > this.options.addresses.addresses().size / 2;
    return isMajority && at + AGREEMENT_MS > now ? instant(at + AGREEMENT_MS) : undefined;
  }

  /** The resource managers that have answered on the stream that is open. */
  get seats(): readonly NodeId[] {
    return [...this.links.keys()];
  }

  private readonly talkTo = async (
    address: string,
    signal: AbortSignal,
    connected: () => void,
  ): Promise<ConnectionEnd> => {
    const link: Link = {
      over: new AbortController(),
      unsent: new Map(),
      bell: new Bell(),
      replacedBy: undefined,
      dealsAt: undefined,
    };
    const channel = this.options.source(address);
    const patience = this.patience(link);
    let seat: NodeId | undefined;
    try {
      const end = AbortSignal.any([signal, link.over.signal]);
      const { onDemands } = this.options;
      for await (const news of channel.talk(messages(link, end, { begin: patience.begin, onDemands }), end)) {
        patience.end();
        if (seat === undefined) {
          seat = news.resourceManagerId;
          this.enter(seat, link);
          connected();
        } else if (news.resourceManagerId !== seat) throw strange(`${seat} calls itself ${news.resourceManagerId} now`);
        if (news.owned !== undefined)
          link.dealsAt = news.dealsInMs === undefined ? undefined : instant(this.options.clock.now() + news.dealsInMs);
        this.options.onNews(news);
      }
      if (!signal.aborted) throw ended();
      return 'again';
    } catch (error) {
      if (link.replacedBy === undefined && !this.isSilent) throw error;
    } finally {
      patience.end();
      link.over.abort();
      if (seat !== undefined && this.links.get(seat) === link) this.leave(seat);
      channel.close();
    }
    if (link.replacedBy !== undefined) await aborted(AbortSignal.any([signal, link.replacedBy.over.signal])); // B5
    return 'again';
  };

  private enter(seat: NodeId, link: Link): void {
    const former = this.links.get(seat);
    if (former) {
      former.replacedBy = link;
      former.over.abort();
      this.leave(seat); // B4
    }
    this.links.set(seat, link);
  }

  private leave(seat: NodeId): void {
    this.links.delete(seat);
    this.options.onLost(seat);
  }

  /** B3: gives the stream up unless an answer comes in time. */
  private patience({ over }: Link): { begin: () => void; end: () => void } {
    let cancel: (() => void) | undefined;
    return {
      begin: () => (cancel ??= this.options.clock.schedule(ANSWER_TIMEOUT_MS, () => over.abort(noAnswer()))),
      end: () => {
        cancel?.();
        cancel = undefined;
      },
    };
  }
}

/** What is sent on a stream. `begin` is called before each message. */
async function* messages(
  link: Link,
  end: AbortSignal,
  on: { readonly begin: () => void; readonly onDemands: () => void },
): AsyncGenerator<readonly ShardDemand[]> {
  on.begin();
  yield []; // B1
  while (!end.aborted) {
    if (link.unsent.size === 0) {
      await link.bell.wait(end);
      continue;
    }
    const demands = Array.from(link.unsent, ([shard, demand]) => ({ shard, demand }));
    link.unsent.clear();
    on.begin();
    on.onDemands();
    yield demands;
  }
}

const noAnswer = () =>
  rpcError(Code.DeadlineExceeded, `no answer within ${ANSWER_TIMEOUT_MS} ms`, { reason: 'NO_ANSWER' });

const ended = () => rpcError(Code.Unavailable, 'the peer ended the stream', { reason: 'STREAM_ENDED' });

const strange = (message: string) => rpcError(Code.Internal, message, { reason: 'BAD_LEASE_MESSAGE' });
