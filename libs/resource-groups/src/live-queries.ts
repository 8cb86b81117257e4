// The queries of this coordinator that are queued or running, and what they count for in their groups.
//   A1. A query is queued, running or gone; never two of these, and never lost. (G1 of group-tree.ts.)
//   A2. Whoever leaves a queue gives back its place at once: in the counts, in the order, and its claim to the next one.
import { invariant, type Instant, type QueryId } from '@tutti/base';
import type { ClaimRounds } from './claim-rounds.js';
import type { QuerySubmitted } from './group-events.js';
import type { GroupNode } from './group-node.js';
import type { GroupsInUse } from './groups-in-use.js';
import { LiveQuery } from './live-query.js';
import { QueueTimeouts } from './queue-timeouts.js';

export class LiveQueries {
  readonly timeouts = new QueueTimeouts();
  private readonly queries = new Map<QueryId, LiveQuery>();
  private lastNumber = 0;
  /** Queries up to this number were told with a question. */
  private askedUpTo = 0;
  /** How many are queued. */
  queuedCount = 0;

  constructor(
    private readonly inUse: GroupsInUse,
    private readonly rounds: ClaimRounds,
  ) {}

  get(queryId: QueryId): LiveQuery | undefined {
    return this.queries.get(queryId);
  }

  /** Queues a query. */
  add({ queryId, priority, queuedSince }: QuerySubmitted, leaf: GroupNode, now: Instant): LiveQuery {
    invariant(!this.queries.has(queryId), `A1: ${queryId} was submitted before`);
    const { queue, root } = leaf;
    invariant(queue !== undefined, `queries go to leaf groups, never to ${leaf.path}`);
    const query = new LiveQuery(queryId, leaf, priority, ++this.lastNumber, now, queuedSince ?? now);
    queue.add(query);
    this.queries.set(queryId, query);
    this.queuedCount++;
    this.timeouts.enter(query);
    this.inUse.enter(leaf);
    leaf.unasked++;
    leaf.count({ queued: 1, provisional: 1 });
    root.undecided.add(query);
    root.lastSubmittedAt = now;
    root.leases?.came(leaf);
    return query;
  }

  /** Starts the first query of a leaf, and uses up its first claim if it has any. */
  start(leaf: GroupNode, now: Instant): LiveQuery {
    const query = leaf.queue?.first;
    invariant(leaf.queue && query, 'Q1: whatever may start has a query');
    const { leases } = leaf.root;
    leaf.queue.starts(query);
    this.leaveQueue(query);
    const claimed = this.rounds.use(leaf, now) ? -1 : 0;
    leaf.own.running++;
    leaf.count({ running: 1, queued: -1, claimed, provisional: this.settle(query) });
    // The first starts into an empty group say nothing of how long one waits for a full one.
    const hasWaited = leases !== undefined && query.submittedAt < now;
    for (const node of leaf.lineage) if (hasWaited || node.isFull) node.starts.add(now);
    leaf.root.lastStartAt = now;
    leases?.started(query);
    return query;
  }

  /** Queues a query again that has started, of which nothing was sent: with its age, at its place. */
  requeue(query: LiveQuery): void {
    const { leaf, memoryBytes } = query;
    const { queue } = leaf;
    invariant(queue !== undefined && !query.isQueued, `${query.queryId} can wait again`);
    query.isQueued = true;
    query.hasLostSlot = true;
    query.memoryBytes = 0;
    queue.putBack(query);
    this.queuedCount++;
    this.timeouts.enter(query);
    leaf.own.running--;
    leaf.own.memoryBytes -= memoryBytes;
    leaf.count({ running: -1, queued: 1, memoryBytes: -memoryBytes });
    leaf.root.leases?.changed(leaf);
  }

  /** Takes a query out, from whatever state. */
  remove(query: LiveQuery, now: Instant): void {
    const { leaf, memoryBytes } = query;
    this.queries.delete(query.queryId);
    if (query.isQueued) {
      this.leaveQueue(query);
      leaf.count({ queued: -1, provisional: this.settle(query) });
      this.rounds.dropSpare(leaf);
    } else {
      leaf.own.running--;
      leaf.own.memoryBytes -= memoryBytes;
      leaf.count({ running: -1, memoryBytes: -memoryBytes });
    }
    leaf.root.leases?.left(query);
    if (leaf.own.running + (leaf.queue?.size ?? 0) === 0) this.inUse.leave(leaf, now);
  }

  /** A question leaves: it tells of all that wait. */
  asked(): void {
    this.askedUpTo = this.lastNumber;
    for (const leaf of this.inUse) leaf.unasked = 0;
  }

  /** From here on the query counts among those that wait. */
  letWait(query: LiveQuery): void {
    query.leaf.count({ provisional: this.settle(query) });
  }

  /** Counts what a running query holds now and used so far. */
  use(query: LiveQuery, memoryBytes: number, cpuMs: number): void {
    const { leaf } = query;
    const moreMemory = memoryBytes - query.memoryBytes;
    const moreCpuMs = Math.max(0, cpuMs - query.cpuMs);
    leaf.own.cpuMs += moreCpuMs;
    if (moreCpuMs > 0) leaf.root.leases?.used(leaf, moreCpuMs);
    leaf.own.memoryBytes += moreMemory;
    query.memoryBytes = memoryBytes;
    query.cpuMs = Math.max(query.cpuMs, cpuMs);
    if (moreMemory !== 0) leaf.count({ memoryBytes: moreMemory });
  }

  /** By how much fewer are provisional: count that. */
  private settle(query: LiveQuery): number {
    if (!query.isProvisional) return 0;
    query.isProvisional = false;
    if (query.number > this.askedUpTo) query.leaf.unasked--;
    query.leaf.root.undecided.leave();
    return -1;
  }

  private leaveQueue(query: LiveQuery): void {
    query.leaf.queue?.remove(query);
    query.isQueued = false;
    this.queuedCount--;
    this.timeouts.leave(query);
  }
}
