import type { Instant, NodeId } from '@tutti/base';

// What every node said of itself last. Pure.
//   H1. Of each node the report with the greatest (incarnation, sequence) is kept: late and repeated ones change nothing,
//       neither the report nor its age.
//   H2. Ages count from the arrival here, on our own clock.
//   H3. What is older than expireAfterMs is forgotten at the next `expire`; the node's next report is new again.

/** A node's newest report. */
export interface LedgerEntry<Report> {
  readonly nodeId: NodeId;
  readonly incarnation: number;
  readonly sequence: number;
  readonly report: Report;
  readonly arrivedAt: Instant;
}

/** Whether a report counted. */
export type ReportOutcome = 'newest' | 'late';

/** Newest report per node; see the rules at the head of the file. */
export class HeartbeatLedger<Report> {
  private readonly entries = new Map<NodeId, LedgerEntry<Report>>();

  constructor(private readonly options: { readonly expireAfterMs: number }) {}

  record(entry: LedgerEntry<Report>): ReportOutcome {
    const held = this.entries.get(entry.nodeId);
    if (held !== undefined && !isNewer(entry, held)) return 'late';
    this.entries.set(entry.nodeId, entry);
    return 'newest';
  }

  get(nodeId: NodeId): LedgerEntry<Report> | undefined {
    return this.entries.get(nodeId);
  }

  all(): IterableIterator<LedgerEntry<Report>> {
    return this.entries.values();
  }

  /** Drops a node that left for good. */
  forget(nodeId: NodeId): void {
    this.entries.delete(nodeId);
  }

  /** Forgets whoever has been silent for too long and returns their ids. */
  expire(now: Instant): readonly NodeId[] {
    const expired = [...this.entries.values()]
      .filter((entry) => now - entry.arrivedAt > this.options.expireAfterMs)
      .map((entry) => entry.nodeId);
    for (const nodeId of expired) this.entries.delete(nodeId);
    return expired;
  }
}

type Ordered = Pick<LedgerEntry<unknown>, 'incarnation' | 'sequence'>;

const isNewer = (a: Ordered, b: Ordered): boolean =>
  a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.sequence > b.sequence);
