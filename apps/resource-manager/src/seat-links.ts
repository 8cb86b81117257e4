import { createClient } from '@connectrpc/connect';
import type { Clock, Random } from '@tutti/base';
import { SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import type { LiveNodeTable } from '@tutti/discovery';
import { seatMessagesToWire } from '@tutti/lease-wire';
import type { SeatId, SeatMessage, SeatSet } from '@tutti/resource-groups';
import type { ClosableTransport, Counter, Log } from '@tutti/service';
import { type OpenSeatStream, SeatLink } from './seat-link.js';

export interface SeatLinksOptions {
  readonly ownId: SeatId;
  readonly seats: SeatSet;
  /** Where seats are found by their node ids. */
  readonly nodes: LiveNodeTable;
  readonly connect: (address: string) => ClosableTransport;
  readonly dropped: Pick<Counter<string>, 'inc'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The streams of this seat to all others. */
export class SeatLinks {
  private readonly links: ReadonlyMap<SeatId, SeatLink>;
  /** Where each seat was last seen: one that is forgotten is most likely still there. */
  private readonly addresses = new Map<SeatId, string>();

  constructor(private readonly options: SeatLinksOptions) {
    const { nodes, seats, ownId, connect } = options;
    const open = seatStreams(connect);
    const addressOf = (seat: SeatId) => this.addressOf(seat);
    this.links = new Map(
      seats.seats
        .filter((seat) => seat !== ownId)
        .map((seat) => [seat, new SeatLink({ ...options, seat, open, addressOf, news: nodes.news })]),
    );
  }

  send(to: SeatId, message: SeatMessage): void {
    const link = this.links.get(to);
    if (link === undefined) this.options.dropped.inc({ reason: 'unknown' });
    else link.send(message);
  }

  /** Everything that was said has left. */
  get areEmpty(): boolean {
    return [...this.links.values()].every((link) => link.isEmpty);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from(this.links.values(), (link) => link.run(signal)));
  }

  private addressOf(seat: SeatId): string | undefined {
    const { nodes, clock } = this.options;
    const node = nodes.nodes.get(seat, clock.now());
    const isThere = node?.role === 'resourceManager' && node.state !== 'GONE' && node.clusterAddress !== '';
    if (isThere) this.addresses.set(seat, node.clusterAddress);
    return this.addresses.get(seat);
  }
}

const seatStreams =
  (connect: SeatLinksOptions['connect']): OpenSeatStream =>
  async (address, messages, signal) => {
    const transport = connect(address);
    async function* requests() {
      for await (const message of messages) yield* seatMessagesToWire(message);
    }
    try {
      await createClient(SeatService, transport).deliver(requests(), { signal, timeoutMs: 0 });
    } finally {
      transport.close();
    }
  };
