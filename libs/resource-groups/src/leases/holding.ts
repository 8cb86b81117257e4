import type { HeapItem } from '../indexed-heap.js';
import type { DealNode } from './deal-node.js';
import { isWishing, NO_WISH, type Wish } from './lease-messages.js';
import type { Life } from './life.js';

/** A query that waits somewhere: since when, on the owner's clock. */
export interface Waiter {
  readonly since: number;
  readonly priority: number;
}

/** What a holding adds to the counts of its group and all above it. */
export interface Share {
  readonly booked: number;
  readonly busy: number;
  readonly unmet: number;
  readonly idle: number;
  readonly called: number;
  readonly slack: number;
  readonly cpuOutMs: number;
  readonly withUnknownBudget: number;
}

export const NO_SHARE: Share = {
  ...{ booked: 0, busy: 0, unmet: 0, idle: 0, called: 0, slack: 0, cpuOutMs: 0, withUnknownBudget: 0 },
};

/** What one life of a coordinator has in one leaf group: an entry of the owner's book. */
export class Holding implements HeapItem {
  /** Its place among those that wait in its leaf. */
  heapIndex = -1;
  /** What it may hold: what it said, and what was dealt to it since. */
  held = 0;
  /** What it said that it holds. */
  reported = 0;
  /** What it was told that it may hold, at most. */
  sentCap = 0;
  /** What it was dealt since the answer to its last demand. */
  pushed = 0;
  /** That is much. */
  isPushed = false;
  running = 0;
  waiting = 0;
  slack = 0;
  oldest: readonly Waiter[] = [];
  /** CPU time that its queries have used in all, as it last said; undefined: it did not. */
  cpuMs: number | undefined;
  /** What they may use on top of that. */
  cpuOutMs = 0;
  /** What the owner wants back, and what it said of that. */
  wish: Wish = NO_WISH;
  toldWish: Wish = NO_WISH;
  /** How many of its queries workers report. Counted only for those that were fenced. */
  onWorkers = 0;
  /** What the next owner will find for sure, at least. */
  copied = 0;
  /** What was last sent to be copied, with its number; 0: nothing. */
  copySent = 0;
  copySeq = 0;
  /** Waits for longer than anybody should. */
  isOverdue = false;
  dealtAt = -Infinity;
  /** When its coordinator was last told what its queries wait for. */
  hintedAt = -Infinity;
  /** How far it is with its share, where a leaf deals by weight. */
  pass = 0;
  share: Share = NO_SHARE;

  constructor(
    readonly life: Life,
    readonly leaf: DealNode,
  ) {}

  /** How many wait without a slot. */
  get unmet(): number {
    return Math.max(0, this.running + this.waiting - this.held);
  }

  /** Slots that nothing needs and that were not called back yet. */
  get recallable(): number {
    const left = isWishing(this.wish, this.held) ? this.wish.keep : this.held;
    return Math.max(0, left - this.running - this.waiting);
  }

  /** The first that waits without a slot; of those beyond what was told the last one told. */
  get head(): Waiter | undefined {
    if (this.unmet === 0) return undefined;
    return this.oldest[Math.max(0, this.held - this.running)] ?? this.oldest.at(-1);
  }

  /** What it counts for. */
  get counted(): number {
    return this.life.isShownByWorkers ? this.onWorkers : this.held;
  }
}
