import type { Instant } from '@tutti/base';
import type { GroupNode } from './group-node.js';
import type { LeafWants } from './leases/holder-leaf.js';
import { OLDEST_MAX } from './leases/lease-messages.js';

/** What the holder of a lease is told of one leaf group. It outlives the group: what is held of it is given back later. */
export class LeasedLeaf implements LeafWants {
  readonly group: string;
  /** How many have come in all, by all groups of this path that there were. */
  arrived = 0;
  running = 0;
  waiting = 0;
  /** CPU time that its queries used in all; not set without a CPU limit at the group or above it. */
  cpuMs?: number;
  /** Whether the holder has not been told of everything. */
  isNews = false;

  constructor(public node: GroupNode) {
    this.group = node.path;
  }

  get template(): string {
    return this.node.spec.template;
  }

  /** Looked up when a demand is made, which is seldom. */
  get oldest(): { readonly since: Instant; readonly priority: number }[] {
    const first = this.isOver ? [] : (this.node.queue?.firstOf(OLDEST_MAX) ?? []);
    return first.map(({ queuedSince, priority }) => ({ since: queuedSince, priority }));
  }

  /**
   * Whether fewer or more run than the holder knows. It must know that first: it may have to give a slot back, or what runs
   * since the group was in another mode may need all that is held.
   */
  get runsOthers(): boolean {
    return this.runningNow !== this.running;
  }

  get isEmpty(): boolean {
    return this.runningNow + this.waitingNow === 0;
  }

  /** Takes in what is so now. */
  refresh(): void {
    this.running = this.runningNow;
    this.waiting = this.waitingNow;
    this.isNews = false;
  }

  used(cpuMs: number): void {
    if (this.cpuMs === undefined && !this.hasCpuLimit) return;
    this.cpuMs = (this.cpuMs ?? 0) + cpuMs;
    this.isNews = true;
  }

  /** Whether the group is not in leased mode any more, or another one has its path. */
  private get isOver(): boolean {
    return this.node.leased !== this;
  }

  private get runningNow(): number {
    return this.isOver ? 0 : this.node.own.running;
  }

  private get waitingNow(): number {
    return this.isOver ? 0 : (this.node.queue?.size ?? 0);
  }

  private get hasCpuLimit(): boolean {
    return this.node.lineage.some(({ spec }) => spec.hardCpuLimitMs !== undefined || spec.softCpuLimitMs !== undefined);
  }
}
