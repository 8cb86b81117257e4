import type { Instant, NodeId } from '@tutti/base';
import { instant } from '@tutti/base';
import type { NodeRecord, NodeRole, NodeState, SeenNode, WitnessedRecord } from './node-record.js';
import { byRoleAndId, compareRecords } from './node-record.js';
import { SyncRule } from './sync-rule.js';

// Which nodes there are, in the eyes of one resource manager. Pure: what was heard and when in, the nodes out.
//   N1. Of each node the record with the greatest (incarnation, version) is kept, whoever passed it on.
//   N2. Ages are counted on our own clock from the arrival of what was heard (less the age that came with it); the
//       time at which a node was heard never moves back, and no clock of another machine is read.
//   N3. A node that departed is not revived by anything of the same or an earlier incarnation: its tombstone outlives
//       every message that can still be on its way.
//   N4. A node that is not heard for suspectAfterMs is SUSPECT; for leaseMs, forgotten.
//   N5. Only what was heard from the node itself is passed on to other resource managers, with its age: so nobody is
//       kept alive by resource managers that repeat each other.
//   N6. A pause of our own process is nobody's silence: it counts against no node, but afterwards nothing is synced.

/** The times of a NodeTable. */
export interface NodeTableOptions {
  /** A node that is not heard for this long gets nothing new. */
  readonly suspectAfterMs: number;
  /** A node that is not heard for this long is forgotten. */
  readonly leaseMs: number;
  /** Time within which every live node has reconnected and reported. Default 1.5 s. */
  readonly settleMs?: number;
}

interface Entry {
  record: NodeRecord;
  heardAt: Instant;
  /** When the node itself was heard here, in this incarnation. */
  witnessedAt: Instant | undefined;
  shownState: NodeState;
}

const SETTLE_MS = 1_500;
const TOMBSTONE_LEASES = 3;

/** See the invariants at the head of the file. */
export class NodeTable {
  private readonly entries = new Map<NodeId, Entry>();
  private readonly sync: SyncRule;
  private awakeAt: Instant;
  private syncedShown = false;
  private revisionCount = 0;

  constructor(
    private readonly options: NodeTableOptions,
    now: Instant,
  ) {
    this.sync = new SyncRule({ leaseMs: options.leaseMs, settleMs: options.settleMs ?? SETTLE_MS }, now);
    this.awakeAt = now;
  }

  /** Grows whenever a reader would see another list: not when a node is merely heard again. */
  get revision(): number {
    return this.revisionCount;
  }

  /**
   * A node announced itself. `vouchedIds` are the coordinators and workers that it knows of; empty when it knows too
   * little. False when the record is late: older than the one held, or of a node that departed.
   */
  announced(record: NodeRecord, vouchedIds: Iterable<NodeId>, now: Instant): boolean {
    this.awake(now);
    this.sync.vouched(this.countable(vouchedIds));
    const taken = this.put(record, now, now);
    this.showSync(now);
    return taken;
  }

  /** Another resource manager passed on whom it heard; `peerSynced` when it has heard everybody. */
  replicated(witnessed: readonly WitnessedRecord[], peerSynced: boolean, now: Instant): void {
    this.awake(now);
    for (const { record, ageMs } of witnessed) {
      const heardAt = instant(now - Math.max(0, ageMs));
      const keptMs = record.state === 'GONE' ? this.tombstoneMs : this.options.leaseMs;
      if (ageMs < keptMs) this.put(record, heardAt, undefined);
    }
    if (peerSynced) {
      const live = witnessed.filter(({ record }) => record.state !== 'GONE');
      this.sync.vouched(this.countable(live.map(({ record }) => record.nodeId)));
    }
    this.showSync(now);
  }

  /** A node said good-bye. False when that is late: it has restarted since. */
  departed(record: NodeRecord, now: Instant): boolean {
    return this.announced({ ...record, state: 'GONE' }, [], now);
  }

  /** A node's report of what it runs arrived. False when that is late: it departed or restarted since. */
  reported(nodeId: NodeId, incarnation: number, role: NodeRole, now: Instant): boolean {
    this.awake(now);
    const entry = this.entries.get(nodeId);
    if (entry !== undefined && incarnation < entry.record.incarnation) return false;
    if (entry !== undefined && incarnation === entry.record.incarnation) {
      if (entry.record.state === 'GONE') return false;
      this.hear(entry, now, now);
      this.show(entry, now);
    }
    this.sync.heard(nodeId, role, now);
    this.showSync(now);
    return true;
  }

  /** Moves time forward: suspects and forgets whom it has not heard. Call it at least every few hundred milliseconds. */
  tick(now: Instant): void {
    this.awake(now);
    for (const [nodeId, entry] of this.entries) {
      const keptMs = entry.record.state === 'GONE' ? this.tombstoneMs : this.options.leaseMs;
      if (now - entry.heardAt >= keptMs) {
        this.entries.delete(nodeId);
        this.revisionCount++;
      } else this.show(entry, now);
    }
    if (this.everybodyIsSilent()) this.sync.isolate(this.countable(this.entries.keys()));
    this.showSync(now);
  }

  /** Whether what this resource manager says of the cluster is whole. */
  isSynced(now: Instant): boolean {
    this.awake(now);
    this.showSync(now);
    return this.syncedShown;
  }

  /** The nodes that it waits for before it is synced. */
  missing(): readonly NodeId[] {
    return this.sync.missing();
  }

  /** All nodes by role and id, as of the last tick; those that departed lately too, so that readers can merge lists. */
  nodes(now: Instant): readonly SeenNode[] {
    return [...this.entries.values()].map((entry) => seen(entry, now)).sort(byRoleAndId);
  }

  get(nodeId: NodeId, now: Instant): SeenNode | undefined {
    const entry = this.entries.get(nodeId);
    return entry && seen(entry, now);
  }

  /** What counts instead of a record, with the time since its node was heard; undefined when there is nothing newer. */
  newerThan(record: NodeRecord, now: Instant): WitnessedRecord | undefined {
    const held = this.entries.get(record.nodeId);
    if (held === undefined || compareRecords(held.record, record) <= 0 || sameProcess(held.record, record))
      return undefined;
    return { record: held.record, ageMs: Math.max(0, now - held.heardAt) };
  }

  /** What this resource manager heard from the nodes themselves, for its peers (N5). */
  witnessed(now: Instant): readonly WitnessedRecord[] {
    return [...this.entries.values()].flatMap(({ record, witnessedAt }) =>
      witnessedAt === undefined ? [] : [{ record, ageMs: Math.max(0, now - witnessedAt) }],
    );
  }

  private get tombstoneMs(): number {
    return TOMBSTONE_LEASES * this.options.leaseMs;
  }

  private put(record: NodeRecord, heardAt: Instant, witnessedAt: Instant | undefined): boolean {
    const held = this.entries.get(record.nodeId);
    const order = held === undefined ? 1 : compareRecords(record, held.record);
    if (held !== undefined && sameLife(held.record, record)) {
      this.hear(held, heardAt, witnessedAt);
      if (order > 0) held.record = record;
      if (order > 0) this.revisionCount++;
      this.show(held, this.awakeAt);
    } else if (order > 0) {
      const entry = { record, heardAt, witnessedAt, shownState: record.state };
      this.entries.set(record.nodeId, entry);
      this.revisionCount++;
      this.show(entry, this.awakeAt);
    }
    if (order > 0 && (record.state === 'GONE' || record.role === 'resourceManager')) this.sync.excused(record.nodeId);
    return order >= 0;
  }

  private hear(entry: Entry, heardAt: Instant, witnessedAt: Instant | undefined): void {
    entry.heardAt = later(entry.heardAt, heardAt);
    if (witnessedAt !== undefined) entry.witnessedAt = later(entry.witnessedAt ?? witnessedAt, witnessedAt);
  }

  private show(entry: Entry, now: Instant): void {
    const { record, heardAt } = entry;
    const silent = record.state !== 'GONE' && now - heardAt >= this.options.suspectAfterMs;
    const state = silent ? 'SUSPECT' : record.state;
    if (state === entry.shownState) return;
    entry.shownState = state;
    this.revisionCount++;
  }

  private showSync(now: Instant): void {
    const synced = this.sync.isSynced(now);
    if (synced === this.syncedShown) return;
    this.syncedShown = synced;
    this.revisionCount++;
  }

  /** Notices that this process slept: until then nothing could be heard (N6). */
  private awake(now: Instant): void {
    const pausedMs = now - this.awakeAt;
    this.awakeAt = now;
    if (pausedMs <= this.options.suspectAfterMs) return;
    for (const entry of this.entries.values()) {
      entry.heardAt = instant(entry.heardAt + pausedMs);
      if (entry.witnessedAt !== undefined) entry.witnessedAt = instant(entry.witnessedAt + pausedMs);
    }
    this.sync.begin(this.countable(this.entries.keys()), now);
  }

  private everybodyIsSilent(): boolean {
    const counted = [...this.countable(this.entries.keys())];
    return counted.length >= 2 && counted.every((nodeId) => this.entries.get(nodeId)?.shownState === 'SUSPECT');
  }

  /** Of these ids, the ones that run something: no resource managers, and nobody who departed. */
  private countable(nodeIds: Iterable<NodeId>): NodeId[] {
    return [...nodeIds].filter((nodeId) => {
      const record = this.entries.get(nodeId)?.record;
      return record === undefined || (record.role !== 'resourceManager' && record.state !== 'GONE');
    });
  }
}

const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/** Whether both were said in one life of one process: both before or both after its good-bye. */
const sameLife = (a: NodeRecord, b: NodeRecord): boolean =>
  sameProcess(a, b) && (a.state === 'GONE') === (b.state === 'GONE');

const sameProcess = (a: NodeRecord, b: NodeRecord): boolean =>
  a.incarnation === b.incarnation && a.clusterAddress === b.clusterAddress;

function seen({ record, heardAt, shownState }: Entry, now: Instant): SeenNode {
  return { ...record, state: shownState, announcedState: record.state, ageMs: Math.max(0, now - heardAt) };
}
