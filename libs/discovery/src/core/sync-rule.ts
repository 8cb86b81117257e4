import type { Instant, NodeId } from '@tutti/base';
import type { NodeRole } from './node-record.js';

// Decides whether a resource manager has heard enough to say what runs where. Everything that it knows is in memory, so
// after a start, a pause or a time alone it knows too little: an answer then would show free room that is not there.
//   S1. It is synced when every node to wait for has reported since the beginning, and at least one coordinator has;
//       or when one lease has passed since the beginning.
//   S2. Nodes to wait for are the coordinators and workers that a voucher names: an announcing node with a whole
//       directory, or a synced peer. With no voucher it waits for settleMs, within which nodes that know more reconnect.
//   S3. Resource managers are never waited for: they run nothing.
//   S4. Once synced, it stays so until `begin` or `isolate`. After `isolate` it waits for ever for a first report.

/** How long to wait. */
export interface SyncOptions {
  /** After this nothing is waited for any more: what has not reported by then is dead. */
  readonly leaseMs: number;
  /** Time within which every live node has reconnected and reported. */
  readonly settleMs: number;
}

/** The most nodes that it waits for: a bound on what strangers can make it remember. */
const AWAITED_MAX = 100_000;

type Phase =
  | { readonly kind: 'isolated' }
  | { readonly kind: 'listening'; readonly since: Instant; vouched: boolean; coordinatorHeard: boolean }
  | { readonly kind: 'synced' };

/** See the rules at the head of the file. */
export class SyncRule {
  private phase: Phase;
  private readonly awaited = new Set<NodeId>();
  private readonly reported = new Set<NodeId>();

  constructor(
    private readonly options: SyncOptions,
    now: Instant,
  ) {
    this.phase = { kind: 'listening', since: now, vouched: false, coordinatorHeard: false };
  }

  /** Forgets what was heard and waits for `known` anew: the process slept through an unknown time. */
  begin(known: Iterable<NodeId>, now: Instant): void {
    this.reported.clear();
    for (const nodeId of known) this.wait(nodeId);
    this.phase = { kind: 'listening', since: now, vouched: this.awaited.size > 0, coordinatorHeard: false };
  }

  /** Every node fell silent at once: more likely this process is cut off than that all of them died. */
  isolate(known: Iterable<NodeId>): void {
    this.reported.clear();
    for (const nodeId of known) this.wait(nodeId);
    this.phase = { kind: 'isolated' };
  }

  /** Someone who knows the cluster names its coordinators and workers. */
  vouched(known: Iterable<NodeId>): void {
    if (this.phase.kind !== 'listening') return;
    for (const nodeId of known) {
      this.wait(nodeId);
      this.phase.vouched = true;
    }
  }

  /** A node reported what it runs. */
  heard(nodeId: NodeId, role: NodeRole, now: Instant): void {
    if (this.phase.kind === 'synced' || role === 'resourceManager') return;
    if (this.phase.kind === 'isolated') this.begin([], now);
    this.reported.add(nodeId);
    this.awaited.delete(nodeId);
    if (this.phase.kind === 'listening' && role === 'coordinator') this.phase.coordinatorHeard = true;
  }

  /** A node left for good, or turned out to be none to wait for. */
  excused(nodeId: NodeId): void {
    this.awaited.delete(nodeId);
  }

  isSynced(now: Instant): boolean {
    if (this.phase.kind !== 'listening') return this.phase.kind === 'synced';
    const { since, vouched, coordinatorHeard } = this.phase;
    const elapsedMs = now - since;
    const allHeard = coordinatorHeard && this.awaited.size === 0 && (vouched || elapsedMs >= this.options.settleMs);
    if (!allHeard && elapsedMs < this.options.leaseMs) return false;
    this.phase = { kind: 'synced' };
    this.awaited.clear();
    this.reported.clear();
    return true;
  }

  /** The nodes that have not reported yet, for people. */
  missing(): readonly NodeId[] {
    return [...this.awaited].sort();
  }

  private wait(nodeId: NodeId): void {
    if (!this.reported.has(nodeId) && this.awaited.size < AWAITED_MAX) this.awaited.add(nodeId);
  }
}
