// How far the other seats are with the copies of one owned shard.
//   F1. `copied` up to a seq: every batch up to it is kept by as many others as are needed, in lives that are the present
//       ones. Batches are settled in the order in which they were made.
//   F2. Who is behind (missed a batch, began a new life, was never told) is sent everything, not the batches one by one.
//   F3. At most COPIES_PENDING_MAX batches wait; more are refused.
import type { Instant } from '@tutti/base';
import type { SeatId } from './shard.js';

export const COPIES_PENDING_MAX = 1_024;

interface Batch {
  readonly seq: number;
  readonly keptBy: Set<SeatId>;
}

interface PeerFlow {
  /** The peer lacks something with a seq up to this one. */
  behindUpTo: number | undefined;
  /** When everything was last sent, unless it was answered since. */
  allSentAt: Instant | undefined;
  /** Requests without an answer, and what an answer means. */
  readonly awaited: Map<number, Awaited>;
}

interface Awaited {
  /** The last seq that was sent. */
  readonly seq: number;
  readonly all: boolean;
  readonly sentAt: Instant;
}

export class CopyFlow {
  private readonly batches: Batch[] = [];
  private readonly peers = new Map<SeatId, PeerFlow>();

  /** True when another batch would be one too many (F3). */
  get isFull(): boolean {
    return this.batches.length >= COPIES_PENDING_MAX;
  }

  /** A batch whose last entry has `seq` is sent to `peers` with this request number. */
  sent(seq: number, request: number, peers: readonly SeatId[], now: Instant): void {
    this.batches.push({ seq, keptBy: new Set() });
    for (const peer of peers) this.wait(peer, request, { seq, all: false, sentAt: now });
  }

  /** Everything up to `seq` is sent to a peer. */
  allSent(peer: SeatId, seq: number, request: number, now: Instant): void {
    this.flow(peer).allSentAt = now;
    this.wait(peer, request, { seq, all: true, sentAt: now });
  }

  /** Whether to send everything to a peer now; what was sent is given `patienceMs` to arrive. */
  wantsAll(peer: SeatId, now: Instant, patienceMs: number): boolean {
    const { behindUpTo, allSentAt } = this.flow(peer);
    return behindUpTo !== undefined && (allSentAt === undefined || now - allSentAt >= patienceMs);
  }

  /** A peer keeps what a request said. */
  kept(peer: SeatId, request: number): void {
    const flow = this.flow(peer);
    const awaited = flow.awaited.get(request);
    if (awaited === undefined) return;
    flow.awaited.delete(request);
    for (const batch of this.batches) {
      if (awaited.all ? batch.seq <= awaited.seq : batch.seq === awaited.seq) batch.keptBy.add(peer);
    }
    if (!awaited.all) return;
    flow.allSentAt = undefined;
    if (flow.behindUpTo !== undefined && flow.behindUpTo <= awaited.seq) flow.behindUpTo = undefined;
  }

  /** A peer does not have what a request said, or does not have what it should have when `request` is not known. */
  missed(peer: SeatId, request?: number): void {
    const flow = this.flow(peer);
    const awaited = request === undefined ? undefined : flow.awaited.get(request);
    if (request !== undefined) flow.awaited.delete(request);
    if (awaited?.all) flow.allSentAt = undefined;
    flow.behindUpTo = Math.max(flow.behindUpTo ?? 0, awaited?.seq ?? 0);
  }

  /** A peer forgot what it kept; what is settled was settled in time. */
  forgot(peer: SeatId): void {
    this.peers.delete(peer);
    for (const batch of this.batches) batch.keptBy.delete(peer);
  }

  /** Other seats than before keep the copies: nothing counts of what was kept. */
  beginAnew(): void {
    this.peers.clear();
    for (const batch of this.batches) batch.keptBy.clear();
  }

  /** Who has not answered a batch for `patienceMs` is behind. */
  noteLate(now: Instant, patienceMs: number): void {
    for (const [peer, { awaited }] of this.peers) {
      for (const [request, { sentAt }] of awaited) if (now - sentAt >= patienceMs) this.missed(peer, request);
    }
  }

  /** The last seq that is safe now with `needed` others (F1), or undefined when it is none more than before. */
  settle(needed: number): number | undefined {
    let copied: number | undefined;
    while (this.batches[0] && this.batches[0].keptBy.size >= needed) copied = this.batches.shift()?.seq;
    return copied;
  }

  private wait(peer: SeatId, request: number, awaited: Awaited): void {
    const flow = this.flow(peer);
    flow.awaited.set(request, awaited);
    const [oldest] = flow.awaited.keys();
    if (flow.awaited.size > COPIES_PENDING_MAX) this.missed(peer, oldest);
  }

  private flow(peer: SeatId): PeerFlow {
    let flow = this.peers.get(peer);
    if (flow === undefined) this.peers.set(peer, (flow = { behindUpTo: 0, allSentAt: undefined, awaited: new Map() }));
    return flow;
  }
}
