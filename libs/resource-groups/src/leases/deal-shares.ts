// How the slots of a full group are divided among the groups below it, whose queries end here and there and now and then.
//   S1. Each has its part: at least its guarantee, at most what it can use, and otherwise in proportion to its weight, so that
//       all is used (water-filling). Under `weighted` nobody is above its softConcurrencyLimit while others are below theirs.
//   S2. What a group had less than its part, since slots are whole and news takes time, it is owed, and has later: over some
//       seconds each has its part. What it could not use it is not owed.
import type { Instant } from '@tutti/base';
import type { DealNode } from './deal-node.js';

/** The parts are worked out anew after so long. */
const DIVIDE_MS = 100;
/** Parts of longer ago say nothing any more. */
const STALE_MS = 1_000;
/** What is owed comes back in about this time. */
const OWED_MS = 1_000;
/** More than so many slots for that time are not owed. */
const OWED_MAX = 4;
const BISECTIONS = 30;

interface Part {
  readonly child: DealNode;
  readonly least: number;
  readonly most: number;
}

export class DealShares {
  private dividedAt = -Infinity;

  /** Works out the parts of a group's children, unless that was done just now. */
  divide(node: DealNode, now: Instant): void {
    const sinceMs = now - this.dividedAt;
    if (sinceMs < DIVIDE_MS) return;
    this.dividedAt = now;
    const parts: Part[] = [];
    for (const child of node.children) {
      const usable = Math.max(0, Math.min(child.limit, child.booked + child.unmet));
      if (usable > 0) parts.push({ child, least: Math.min(child.spec.guarantee, usable), most: usable });
      else child.owed = 0;
    }
    const soft = node.policy === 'weighted' ? parts.map(belowSoftLimit) : parts;
    const level = fill(soft, node.limit);
    const beyond = soft.reduce((sum, { most }) => sum + most, 0) < node.limit && soft !== parts;
    const rest = parts.map((part, index) => ({ ...part, least: soft[index]?.most ?? 0 }));
    const restLevel = beyond ? fill(rest, node.limit) : 0;
    parts.forEach((part, index) => {
      const { child } = part;
      const former = sinceMs < STALE_MS ? child.owed + ((child.part - child.booked) * sinceMs) / OWED_MS : 0;
      child.owed = Math.max(-OWED_MAX, Math.min(child.unmet > 0 ? OWED_MAX : 0, former));
      child.part = beyond ? partAt(rest[index] ?? part, restLevel) : partAt(soft[index] ?? part, level);
    });
  }

  /** The child that is furthest below its part, of those that could use a slot; undefined when no parts are known. */
  furthestBehind(node: DealNode, now: Instant): DealNode | undefined {
    if (now - this.dividedAt >= STALE_MS) return undefined;
    let best: DealNode | undefined;
    for (const child of node.children)
      if (child.hasTaker && child.room > 0 && (best === undefined || shortBy(child) > shortBy(best))) best = child;
    return best;
  }
}

/** How many slots a child has beyond its part and what it is owed: whole ones. */
export const excessOf = (child: DealNode): number => Math.round(-shortBy(child));

const shortBy = ({ part, owed, booked }: DealNode): number => part + owed - booked;

const belowSoftLimit = (part: Part): Part => ({
  ...part,
  most: Math.max(part.least, Math.min(part.most, part.child.spec.softConcurrencyLimit)),
});

/** S1 */
function fill(parts: readonly Part[], limit: number): number {
  let [low, high] = [0, limit];
  for (let round = 0; round < BISECTIONS; round++) {
    const level = (low + high) / 2;
    if (parts.reduce((sum, part) => sum + partAt(part, level), 0) > limit) high = level;
    else low = level;
  }
  return low;
}

const partAt = ({ child, least, most }: Part, level: number): number =>
  Math.max(least, Math.min(most, level * child.spec.schedulingWeight));
