// One group of the tree, with its counts. Counts include everything below the group unless they are its own.
//   N1. A claim is made only while, for the leaf and every ancestor, here.running + here.claimed < limit, and the claims
//       that could be used < room + window. The window keeps a few claims at hand for what others give back; it is small,
//       since each claim fixes the order between subgroups before it is known when it can be used.
//   N2. After each event no group holds claims that it cannot use and that stand in others' way: here.running +
//       here.claimed <= limit, or it holds none; and where something else than hardConcurrencyLimit limits it, the claims
//       that could be used <= room. For others count claims up to hardConcurrencyLimit, whatever else limits the group.
//   N3. Where N1 forbids a claim in a group, the claims that could be used fill its room: no slot stays free for it. (For
//       by N1 and N2 the claims of a leaf beyond its room are at most what runs elsewhere in it, and so, summed up, in
//       each group above. So here.running + here.claimed = limit leaves usable claims >= limit - running = room.)
//   N4. `turns` holds exactly the children that could make a claim.
//   N5. Only mode gated keeps claims, and so a window; in mode presto each is used as soon as it is made.
import { effectiveLimit, type ClusterSize, hasSoftLimits, type LimitedBy } from './effective-limit.js';
import { DrainRate } from './drain-rate.js';
import type { GroupSpec, SchedulingPolicy } from './group-config.js';
import type { GroupCounts } from './group-events.js';
import { childPath } from './group-path.js';
import { GroupRoot } from './group-root.js';
import { LeafQueue } from './leaf-queue.js';
import type { LeasedLeaf } from './leased-leaf.js';
import type { LiveQuery } from './live-query.js';
import { newTurn, TurnOrder } from './turn-order.js';

/** A change of the counts of a group, and so of all above it. */
export interface CountChange {
  readonly running?: number;
  readonly queued?: number;
  readonly claimed?: number;
  readonly provisional?: number;
  readonly memoryBytes?: number;
}

/** What other coordinators run and wait for. */
export interface UseElsewhere {
  running: number;
  queued: number;
  memoryBytes: number;
}

/** The part of the room that claims may stand for on top of it. */
const WINDOW_PART = 1 / 8;

const nothing = (): UseElsewhere => ({ running: 0, queued: 0, memoryBytes: 0 });

export class GroupNode {
  readonly path: string;
  readonly depth: number;
  /** This group and its ancestors, up to the root. */
  readonly lineage: readonly GroupNode[];
  readonly root: GroupRoot;
  spec: GroupSpec;
  policy: SchedulingPolicy;
  /** Whether the configuration knows it no more: what runs is counted till it ends. */
  isGone = false;
  /** What waits here when this is a leaf. */
  queue: LeafQueue | undefined;
  readonly here = { running: 0, queued: 0, claimed: 0, provisional: 0, memoryBytes: 0 };
  /** Queries of this very group. A former leaf may run some although it has subgroups now. */
  readonly own = { running: 0, memoryBytes: 0, cpuMs: 0 };
  /** How many wait provisionally that no question has told of yet. */
  unasked = 0;
  /** As of the last usage. */
  readonly elsewhere = nothing();
  /** Elsewhere in this very group, or in subgroups that are unknown here. */
  readonly direct = nothing();
  /** Elsewhere in it as of the usage that is being taken in, and which that is: see usage-view.ts. */
  readonly incoming = { stamp: 0, running: 0, queued: 0, memoryBytes: 0 };
  /** CPU that the whole cluster used and has not got back, as of the last usage. */
  cpuUsedMs = 0;
  /** How many may run, by all that limits it: see effective-limit.ts. */
  limit = 0;
  limitedBy: LimitedBy = 'concurrency';
  readonly starts = new DrainRate();
  readonly turns: TurnOrder;
  readonly turn = newTurn(this);
  /** The nodes right below it. */
  readonly children = new Set<GroupNode>();
  /** Whether it is in use itself, and how many are, itself and below: see groups-in-use.ts. */
  isInUse = false;
  inUseBelow = 0;
  /** In which pass it was refreshed last, see group-forest.ts. */
  refreshedIn = 0;
  /** What was reported of it last, see group-counts.ts. */
  lastCounts: GroupCounts | undefined;
  /** What this leaf holds by leases, while its root is in that mode. */
  leased: LeasedLeaf | undefined;
  hasSoftLimits = false;
  /** How many claims of this group count in its parent's `usableBelow`. */
  private usable = 0;
  private usableBelow = 0;
  private startable = 0;
  private startableBelow = 0;
  /** So many claims it may hold beyond its room. */
  private window = 0;

  constructor(
    name: string,
    spec: GroupSpec,
    readonly parent: GroupNode | undefined,
    private readonly cluster: ClusterSize,
  ) {
    this.path = childPath(parent?.path, name);
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.lineage = parent === undefined ? [this] : [this, ...parent.lineage];
    this.root = parent?.root ?? new GroupRoot(this);
    this.spec = spec;
    this.policy = spec.schedulingPolicy;
    this.turns = new TurnOrder(this.policy);
    this.configure(spec);
  }

  /** Goes on by another spec. Nothing may be queued when it is no leaf any more. Refresh it, children before parents. */
  configure(spec: GroupSpec): void {
    this.spec = spec;
    this.isGone = false;
    this.lastCounts = undefined;
    this.hasSoftLimits = hasSoftLimits(spec);
    // Who orders its subgroups by the priority of queries needs the same order in all of them.
    this.policy = this.parent?.policy === 'query_priority' ? 'query_priority' : spec.schedulingPolicy;
    this.turns.reorder(this.policy);
    if (spec.subGroups.length > 0) this.queue = undefined;
    else if (this.queue === undefined) this.queue = new LeafQueue(this.policy);
    else this.queue.reorder(this.policy);
    this.refreshLimit();
  }

  get running(): number {
    return this.here.running + this.elsewhere.running;
  }

  get memoryBytes(): number {
    return this.here.memoryBytes + this.elsewhere.memoryBytes;
  }

  /** How many more may run. */
  get room(): number {
    return Math.max(0, this.limit - this.running);
  }

  get isFull(): boolean {
    return this.running >= this.limit;
  }

  /** Whether nothing may start in it, whatever slots are held: for what runs here, or for what else than slots is used up. */
  get isClosed(): boolean {
    return this.here.running >= this.limit || (this.isCut && this.isFull);
  }

  /** The query below it that the next claim would be for. */
  get bestUnclaimed(): LiveQuery | undefined {
    return this.queue === undefined ? this.turns.first?.bestUnclaimed : this.queue.firstUnclaimed;
  }

  /** Changes the counts from this group up to the root. */
  count(change: CountChange): void {
    const { running = 0, queued = 0, claimed = 0, provisional = 0, memoryBytes = 0 } = change;
    for (const { here } of this.lineage) {
      here.running += running;
      here.queued += queued;
      here.claimed += claimed;
      here.provisional += provisional;
      here.memoryBytes += memoryBytes;
    }
    this.refreshAll(false);
  }

  /** Counts a claim of this leaf; from here up to the root it was its turn. */
  countClaim(): void {
    for (const { here } of this.lineage) here.claimed++;
    this.refreshAll(true);
  }

  /** The leaf that claims next, of this root and everything below it; undefined when none may. */
  nextToClaim(): GroupNode | undefined {
    return this.canClaim ? this.firstLeaf : undefined;
  }

  /** Whether claims must be withdrawn (N2). */
  get hasClaimsInExcess(): boolean {
    const { running, claimed } = this.here;
    if (claimed === 0) return false;
    return running + claimed > this.limit || (this.isCut && this.usableClaims > this.room);
  }

  /** Whether more wait, here and elsewhere, than may: without those that could start, and the provisional ones here. */
  get isOverfull(): boolean {
    return this.queuedForGood + this.elsewhere.queued - this.startable > this.spec.maxQueued;
  }

  /** Whether more wait here alone than may, whatever there is elsewhere. */
  get isOverfullHere(): boolean {
    return this.here.queued - Math.max(0, this.limit - this.here.running) > this.spec.maxQueued;
  }

  /** Works out anew what follows from the counts; call it for the children first. */
  refresh(hasClaimed = false): void {
    if (this.hasSoftLimits) this.refreshLimit();
    this.refreshStartable();
    this.refreshUsable();
    if (this.hasClaimsInExcess) this.root.overclaimed.add(this);
    this.parent?.turns.update(this.turn, this.canClaim, hasClaimed);
  }

  private refreshAll(hasClaimed: boolean): void {
    for (const node of this.lineage) node.refresh(hasClaimed);
  }

  private refreshLimit(): void {
    const { limit, limitedBy } = effectiveLimit(this.spec, this, this.cluster);
    if (limit !== this.limit) this.root.limitChanges++;
    this.limit = limit;
    this.limitedBy = limitedBy;
    const hasWindow = !this.isCut && this.root.node.spec.admissionMode === 'gated'; // N5
    this.window = hasWindow ? Math.ceil(limit * WINDOW_PART) : 0;
  }

  private get firstLeaf(): GroupNode {
    return this.turns.first?.firstLeaf ?? this;
  }

  /** N1, as far as this group goes. */
  private get canClaim(): boolean {
    const { here, limit, queue } = this;
    if (here.running + here.claimed >= limit || this.usableClaims >= this.room + this.window) return false;
    return queue === undefined ? this.turns.first !== undefined : queue.size > queue.claims.all;
  }

  /** Whether something else than hardConcurrencyLimit limits it. */
  get isCut(): boolean {
    return this.limit < this.spec.hardConcurrencyLimit;
  }

  /** Claims here that could be used as far as the groups below go. */
  private get usableClaims(): number {
    return this.queue === undefined ? this.usableBelow : this.here.claimed;
  }

  private refreshUsable(): void {
    const usable = Math.min(this.usableClaims, this.room);
    if (this.parent !== undefined) this.parent.usableBelow += usable - this.usable;
    this.usable = usable;
  }

  private get queuedForGood(): number {
    return this.here.queued - this.here.provisional;
  }

  private refreshStartable(): void {
    const own = this.queue === undefined ? 0 : this.queuedForGood;
    const startable = Math.min(own + this.startableBelow + this.direct.queued, this.room);
    if (this.parent !== undefined) this.parent.startableBelow += startable - this.startable;
    this.startable = startable;
  }
}
