import type { Demand, Grant } from '../leases/lease-messages.js';
import { LEASE_TIMING, relianceMs } from '../leases/lease-timing.js';

/** What a coordinator may run of one shard, by the messages alone: slow and obvious. */
export class ReferenceLease {
  route: { readonly seat: string; readonly epoch: number } | undefined;
  /** The lease holds before this. */
  until = -Infinity;
  /** Of each leaf: how many may run at most. */
  readonly held = new Map<string, number>();
  /** The last demand that was answered. */
  stamp = { epoch: 0, seq: 0 };
  lastSeq = 0;
  private readonly claims = new Map<string, number>();
  private epochSeen = 0;
  private sentAt = -Infinity;
  private isAsking = false;
  /** Whether the shard has ever had a leased group: before that nobody listens. */
  private hasBegun = false;

  begin(): void {
    if (!this.hasBegun) this.epochSeen = this.route?.epoch ?? 0;
    this.hasBegun = true;
  }

  /** What is over by now. Whether the lease is. */
  pass(now: number, running: ReadonlyMap<string, number>): boolean {
    if (this.isAsking && now >= this.sentAt + LEASE_TIMING.answerMs) this.isAsking = false;
    const isOver = this.until > -Infinity && now >= this.until;
    if (isOver) this.end(running);
    return isOver;
  }

  end(running: ReadonlyMap<string, number>): void {
    this.until = -Infinity;
    for (const leaf of this.held.keys()) this.held.set(leaf, running.get(leaf) ?? 0);
  }

  /** The process stood still: what was asked before has no answer that counts. */
  oversleep(running: ReadonlyMap<string, number>): void {
    this.end(running);
    this.isAsking = false;
  }

  /** A seat says that it owns the shard with this epoch, or (undefined) that it does not, or cannot be heard. */
  owner(seat: string, epoch: number | undefined): void {
    if (epoch === undefined) this.claims.delete(seat);
    else this.claims.set(seat, epoch);
    const [best] = [...this.claims].sort((a, b) => b[1] - a[1]);
    const route = best && { seat: best[0], epoch: best[1] };
    if (route?.seat === this.route?.seat && route?.epoch === this.route?.epoch) return;
    this.route = route;
    this.isAsking = false;
    if (this.hasBegun) this.epochSeen = Math.max(this.epochSeen, route?.epoch ?? 0);
  }

  /** Whether a grant ends the lease. */
  hear(seat: string, grant: Grant, now: number): boolean {
    const { kind, epoch, ackSeq, caps, ttlMs } = grant;
    const counts = this.route?.seat === seat && epoch === this.route.epoch && epoch >= this.epochSeen;
    if (!counts || ackSeq !== this.lastSeq) return false;
    for (const { group, cap } of caps) this.held.set(group, Math.max(this.held.get(group) ?? 0, cap));
    if (kind === 'pushed' || !this.isAsking) return false;
    this.isAsking = false;
    if (kind === 'renewed') {
      this.stamp = { epoch, seq: ackSeq };
      const until = this.sentAt + relianceMs(ttlMs, LEASE_TIMING);
      if (now < until) this.until = until;
    }
    return kind === 'lapsed' && this.until > -Infinity;
  }

  /** Takes in a demand; returns what is wrong with it. */
  demand({ seq, leaves, ownerEpoch }: Demand, seat: string, now: number): string | undefined {
    if (this.isAsking) return `H2 broken: demand ${seq} while another one has no answer`;
    if (seat !== this.route?.seat || ownerEpoch !== this.route.epoch) return `M3 broken: it went to ${seat}`;
    if (seq !== this.lastSeq + 1) return `H2 broken: demand ${seq} after ${this.lastSeq}`;
    this.lastSeq = seq;
    this.sentAt = now;
    this.isAsking = true;
    for (const { group, held, running } of leaves) {
      if (running > held || held > Math.max(this.held.get(group) ?? 0, running))
        return `H3 broken: ${group} holds ${held}`;
      this.held.set(group, held);
    }
    return undefined;
  }
}
