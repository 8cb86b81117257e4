// What a seat knows of the other seats.
//   S1. A message of an older life of a seat, or to an older life of this one, is as good as lost.
//   S2. A seat's version of the seat set never goes back within one life.
import type { Holder } from './seat-messages.js';
import type { SeatId } from './shard.js';

interface Peer {
  incarnation: number;
  version: number;
  /** It said so to this life of ours. */
  blank: boolean;
  draining: boolean;
}

export class Peers {
  private readonly peers = new Map<SeatId, Peer>();

  /** Notes who sent a message. `old`: it comes from a former life; `new`: this is the first of a new life. */
  note({ seat, incarnation }: Holder, version: number): 'old' | 'known' | 'new' {
    const peer = this.peers.get(seat);
    if (peer && peer.incarnation > incarnation) return 'old';
    if (peer?.incarnation === incarnation) {
      peer.version = Math.max(peer.version, version);
      return 'known';
    }
    this.peers.set(seat, { incarnation, version, blank: false, draining: false });
    return 'new';
  }

  /** Notes what a seat said of itself in answer to this life of ours. */
  describe(seat: SeatId, { blank, draining }: Pick<Peer, 'blank' | 'draining'>): void {
    const peer = this.peers.get(seat);
    if (peer) Object.assign(peer, { blank, draining });
  }

  /** 0 for a seat that was never heard of. */
  incarnationOf(seat: SeatId): number {
    return this.peers.get(seat)?.incarnation ?? 0;
  }

  isBlank(seat: SeatId, version: number): boolean {
    const peer = this.peers.get(seat);
    return peer !== undefined && peer.blank && peer.version === version;
  }

  isDraining(seat: SeatId): boolean {
    return this.peers.get(seat)?.draining ?? false;
  }

  /** How many of these seats are known to have the version, or a later one. */
  countAtVersion(seats: readonly SeatId[], version: number): number {
    return seats.filter((seat) => (this.peers.get(seat)?.version ?? 0) >= version).length;
  }

  /** This seat begins a new life: nobody has said anything to it. */
  forgetAnswers(): void {
    for (const peer of this.peers.values()) peer.blank = false;
  }
}
