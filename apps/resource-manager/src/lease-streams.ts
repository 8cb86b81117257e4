// The open streams of coordinators.
//   T1. A life of a coordinator may have several streams: a new one before the old one's end was seen, or two addresses of
//       this process. It is told everything on the newest.
import type { OwnedShard, ShardGrant } from '@tutti/lease-wire';
import type { CoordinatorLife } from '@tutti/resource-groups';
import type { LeaseOutbox } from './lease-outbox.js';

export class LeaseStreams {
  /** By life, the newest last. */
  private readonly outboxes = new Map<string, LeaseOutbox[]>();
  private count = 0;
  private refusal: Error | undefined;

  get size(): number {
    return this.count;
  }

  /** From now on nobody is told anything: why. */
  turnAway(refusal: Error): void {
    this.refusal = refusal;
    for (const outboxes of this.outboxes.values()) for (const outbox of outboxes) outbox.close(refusal);
  }

  /** Why no stream is taken. */
  get turnsAway(): Error | undefined {
    return this.refusal;
  }

  add(life: CoordinatorLife, outbox: LeaseOutbox): void {
    const key = keyOf(life);
    this.outboxes.set(key, [...(this.outboxes.get(key) ?? []), outbox]);
    this.count++;
  }

  remove(life: CoordinatorLife, outbox: LeaseOutbox): void {
    const key = keyOf(life);
    const left = (this.outboxes.get(key) ?? []).filter((other) => other !== outbox);
    if (left.length === 0) this.outboxes.delete(key);
    else this.outboxes.set(key, left);
    this.count--;
  }

  /** Whether any life of the coordinator has a stream. */
  has(coordinatorId: string): boolean {
    return [...this.outboxes.keys()].some((key) => key.startsWith(`${coordinatorId}\n`));
  }

  /** Tells one life, or everybody, what is owned now. */
  tellOwned(owned: readonly OwnedShard[], to: CoordinatorLife | undefined): void {
    if (to !== undefined) this.newest(to)?.tellOwned(owned);
    else for (const outboxes of this.outboxes.values()) outboxes.at(-1)?.tellOwned(owned);
  }

  tellGrant(to: CoordinatorLife, grant: ShardGrant): void {
    this.newest(to)?.tellGrant(grant);
  }

  private newest(life: CoordinatorLife): LeaseOutbox | undefined {
    return this.outboxes.get(keyOf(life))?.at(-1); // T1
  }
}

const keyOf = ({ coordinatorId, incarnation }: CoordinatorLife): string => `${coordinatorId}\n${incarnation}`;
