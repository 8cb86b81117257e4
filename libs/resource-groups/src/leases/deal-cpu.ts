// CPU time of groups with a quota, vended to coordinators in budgets by the owner of the group.
//   V1. What a life says that its queries have used is charged once, on top of what it said before, to the leaf and to
//       each group above it with a quota. Its first figure is where it begins: what came before it was measured.
//   V2. A group has used the more of what was charged here and what was measured (CpuBuckets), and gets its quota back all
//       the time. That lowers its limit, for the whole cluster at once.
//   V3. Budgets that are out count as used when more is vended, and at most VENDED_S times the quota is out at once, in
//       shares by what runs and waits. A former owner had no more out either: so much counts as used while anybody may
//       have budgets that it gave. So the queries that a group starts in any time W, whoever is away, were started while
//       it had used less than its hard limit and quota * W, for all that anybody could know.
import type { Instant } from '@tutti/base';
import type { DealNode } from './deal-node.js';
import type { Holding } from './holding.js';

const VENDED_S = 10;
const MS_PER_SECOND = 1_000;

/** What was charged to a group and not got back. */
export class CpuMeter {
  private chargedMs = 0;
  private at = 0;

  charge(cpuMs: number, quotaMsPerSecond: number, now: Instant): void {
    this.chargedMs = this.usedMs(quotaMsPerSecond, now) + cpuMs;
    this.at = now;
  }

  usedMs(quotaMsPerSecond: number, now: Instant): number {
    return Math.max(0, this.chargedMs - (quotaMsPerSecond * (now - this.at)) / MS_PER_SECOND);
  }
}

/** Takes in what queries of a holding have used in all; returns what is new of it (V1). */
export function takeCpu(holding: Holding, cpuMs: number | undefined, isLeaseNew: boolean): number {
  const before = holding.cpuMs;
  holding.cpuMs = cpuMs;
  if (cpuMs === undefined) return (holding.cpuOutMs = 0);
  const cameMs = before === undefined ? 0 : Math.max(0, cpuMs - before);
  // Who begins a lease anew, or holds nothing, has no budget: so the holder does it too.
  holding.cpuOutMs = isLeaseNew || holding.held === 0 ? 0 : Math.max(0, holding.cpuOutMs - cameMs);
  return cameMs;
}

/** What a holding may use on top of what it said, raised as far as can be (V3); undefined where nothing limits it. */
export function vend(holding: Holding, mayTake: boolean, now: Instant): number | undefined {
  if (holding.cpuMs === undefined) return undefined;
  let moreMs = Infinity;
  for (const node of holding.leaf.lineage) moreMs = Math.min(moreMs, moreOf(node, holding, now));
  if (moreMs === Infinity) return undefined;
  if (moreMs > 0 && mayTake) {
    holding.cpuOutMs += moreMs;
    holding.leaf.settle(holding, mayTake);
  }
  return holding.cpuOutMs;
}

function moreOf(node: DealNode, { share, cpuOutMs }: Holding, now: Instant): number {
  const { hardCpuLimitMs: hardMs, cpuQuotaMsPerSecond: quota } = node.spec;
  if (hardMs === undefined) return Infinity;
  const vendedMaxMs = quota * VENDED_S;
  const weight = Math.max(1, share.busy + share.unmet);
  const partMs = (vendedMaxMs * weight) / Math.max(weight, node.busy + node.unmet);
  const unknownMs = node.withUnknownBudget > 0 ? vendedMaxMs : 0;
  return Math.min(
    partMs - cpuOutMs,
    vendedMaxMs - node.cpuOutMs,
    hardMs - node.cpuUsedMs(now) - node.cpuOutMs - unknownMs,
  );
}
