// The fences of one owner. What they are good for is in worker-evidence.ts.
//   B1. A coordinator has one fence, and it only grows; the list that workers are told has a new version then.
//       The same when other root groups need leases.
//   B2. A fence is kept for fenceKeptMs after nothing was left of what it fences.
import type { Instant } from '@tutti/base';
import type { FenceList, TaskStamp } from './lease-messages.js';
import { NO_ROOTS, type RootNames } from './lease-roots.js';
import { isFencedBy } from './task-fences.js';

const FENCES_MAX = 4_096;
/** Covers every stamp of a life, and of all before it. */
export const WHOLE_LIFE = { epoch: Number.MAX_SAFE_INTEGER, seq: 0 };

export interface OwnerFence {
  readonly stamp: TaskStamp;
  /** The first list in which it stands. */
  readonly version: number;
  isCopied: boolean;
  /** Nothing was left of what it fences, since then. */
  settledAt: Instant | undefined;
}

export class FenceBook {
  private readonly fences = new Map<string, OwnerFence>();
  private version = 0;
  private floor = 0;
  private list: FenceList | undefined;

  constructor(
    private readonly epoch: number,
    private roots: RootNames = NO_ROOTS,
  ) {}

  /** Other root groups need leases; the first version in which they stand. */
  require(roots: RootNames): number {
    if (!isSame(roots, this.roots)) this.next();
    this.roots = roots;
    return this.version;
  }

  of(coordinatorId: string): OwnerFence | undefined {
    return this.fences.get(coordinatorId);
  }

  /** Whether a stamp is not above the fence of its coordinator, or the floor. */
  covers(stamp: TaskStamp): boolean {
    if (stamp.epoch < this.floor) return true;
    const fence = this.fences.get(stamp.coordinatorId);
    return fence !== undefined && isFencedBy(stamp, fence.stamp);
  }

  /** Fences a coordinator up to a stamp. Undefined: there are too many, so nothing is freed for now. */
  raise(stamp: TaskStamp, isCopied = false): OwnerFence | undefined {
    const known = this.fences.get(stamp.coordinatorId);
    if (known !== undefined && isFencedBy(stamp, known.stamp)) {
      known.settledAt = undefined;
      return known;
    }
    if (known === undefined && this.fences.size >= FENCES_MAX) return undefined;
    const fence: OwnerFence = { stamp, version: this.next(), isCopied, settledAt: undefined };
    this.fences.set(stamp.coordinatorId, fence);
    return fence;
  }

  /** Fences everything of epochs below `epoch`; the fence that stands for it. */
  raiseFloor(epoch = this.epoch): OwnerFence {
    this.floor = epoch;
    const stamp = { coordinatorId: '', ...{ incarnation: 0, epoch, seq: 0 } };
    return { stamp, version: this.next(), isCopied: false, settledAt: undefined };
  }

  /** Drops what is settled for long (B2); returns the coordinators. */
  drop(now: Instant, keptMs: number): string[] {
    const old = [...this.fences].filter(([, { settledAt }]) => settledAt !== undefined && now - settledAt > keptMs);
    for (const [id] of old) this.fences.delete(id);
    if (old.length > 0) this.next();
    return old.map(([id]) => id);
  }

  get all(): Iterable<OwnerFence> {
    return this.fences.values();
  }

  /** What workers are told. */
  current(): FenceList {
    const { epoch, version, floor: epochFloor } = this;
    return (this.list ??= {
      epoch,
      version,
      epochFloor,
      ...this.roots,
      fences: Array.from(this.fences.values(), ({ stamp }) => stamp),
    });
  }

  private next(): number {
    this.list = undefined;
    return ++this.version;
  }
}

const isSame = (a: RootNames, b: RootNames): boolean =>
  isSameList(a.leasedRootGroups, b.leasedRootGroups) && isSameList(a.exemptRootGroups, b.exemptRootGroups);

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, index) => name === b[index]);
