import type { Clock, Random } from '@tutti/base';
import type { LiveNodeTable } from '@tutti/discovery';
import type { SeatId, SeatMessage, SeatSet } from '@tutti/resource-groups';
import type { ClosableTransport, Counter, Log } from '@tutti/service';
import { seatStreams } from './seat-client.js';
import { SeatLink } from './seat-link.js';

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
