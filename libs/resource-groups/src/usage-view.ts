// The newest usage that decisions may use, spread over the groups.
//   V1. Newer means asked for later: an answer that comes late changes nothing.
//   V2. Usage whose oldest data is older than usageMaxAgeMs does not exist: it is refused on arrival and forgotten later.
//   V3. Use of a group that is unknown here counts at the nearest one above it.
//   V4. In mode presto what runs elsewhere counts for ever, until a newer answer: that is Presto's rule.
import { type Instant, instant } from '@tutti/base';
import type { GroupForest } from './group-forest.js';
import type { GroupNode, UseElsewhere } from './group-node.js';
import type { GroupRoot } from './group-root.js';
import type { UsageSnapshot } from './group-usage.js';

export class UsageView {
  /** When the newest answer was asked for, even one that was refused. */
  answeredUpTo: Instant = instant(-Infinity);
  /** Age of the oldest data of the newest answer, when that was refused for it. */
  refusedAgeMs: number | undefined;
  /** When first another resource manager answered than before. */
  changedAt: Instant = instant(-Infinity);
  private current: UsageSnapshot | undefined;
  private answeredBy: string | undefined;
  private stamp = 0;
  private nodesInUse: GroupNode[] = [];
  private cpuNodes: GroupNode[] = [];
  private readonly claimRoots = new Set<GroupRoot>();

  constructor(
    private readonly forest: GroupForest,
    private readonly maxAgeMs: number,
  ) {}

  /** Call forgetOld first. */
  get usage(): UsageSnapshot | undefined {
    return this.current;
  }

  /** Age of the oldest data, counted from before the question was sent: never less than it is. Undefined without data. */
  ageMs(now: Instant): number | undefined {
    const age = this.current && ageMs(this.current, now);
    return age !== undefined && age <= this.maxAgeMs ? age : undefined;
  }

  take(usage: UsageSnapshot, now: Instant): void {
    if (usage.requestedAt <= this.answeredUpTo) return; // V1
    this.answeredUpTo = usage.requestedAt;
    const age = ageMs(usage, now);
    this.refusedAgeMs = age > this.maxAgeMs ? age : undefined;
    if (this.refusedAgeMs !== undefined) return; // V2
    if (this.answeredBy !== undefined && this.answeredBy !== usage.answeredBy) this.changedAt = now;
    this.answeredBy = usage.answeredBy;
    this.replace(usage);
  }

  /** V2 */
  forgetOld(now: Instant): void {
    if (this.current !== undefined && ageMs(this.current, now) > this.maxAgeMs) this.replace(undefined);
  }

  /** The clock may have stood still: nothing that was asked for before counts any more. */
  forgetAll(now: Instant): void {
    this.answeredUpTo = now;
    if (this.current !== undefined) this.replace(undefined);
  }

  /** The groups are others than before. */
  spreadAnew(): void {
    this.replace(this.current);
  }

  private replace(usage: UsageSnapshot | undefined): void {
    this.current = usage;
    const changed: GroupNode[] = [];
    this.replaceUse(usage?.groups, changed);
    this.replaceCpu(usage?.cpu ?? new Map<string, number>(), changed);
    this.forest.refresh(changed);
  }

  private replaceUse(groups: UsageSnapshot['groups'] | undefined, changed: GroupNode[]): void {
    const isForgotten = groups === undefined;
    const stamp = ++this.stamp;
    const before = this.nodesInUse;
    this.nodesInUse = [];
    for (const root of this.claimRoots) root.claimsElsewhere = [];
    this.claimRoots.clear();
    for (const [path, { running, queued, memoryBytes, claimsAhead }] of groups ?? []) {
      const node = this.forest.nearest(path); // V3
      if (node === undefined) continue;
      const { incoming } = node;
      if (incoming.stamp !== stamp) {
        this.nodesInUse.push(node);
        incoming.stamp = stamp;
        incoming.running = 0;
        incoming.queued = 0;
        incoming.memoryBytes = 0;
      }
      incoming.running += running;
      incoming.queued += queued;
      incoming.memoryBytes += memoryBytes;
      if (claimsAhead.length === 0) continue;
      this.claimRoots.add(node.root);
      for (const { round, count } of claimsAhead) node.root.claimsElsewhere.push({ node, round, count });
    }
    for (const root of this.claimRoots) root.claimsElsewhere.sort((a, b) => a.round - b.round);
    for (const node of this.nodesInUse) if (moveTo(node, node.incoming)) changed.push(node);
    for (const node of before) {
      if (node.incoming.stamp === stamp) continue;
      if (isForgotten && node.root.mode === 'presto')
        this.nodesInUse.push(node); // V4
      else if (moveTo(node, NOTHING)) changed.push(node);
    }
  }

  private replaceCpu(cpu: UsageSnapshot['cpu'], changed: GroupNode[]): void {
    const before = this.cpuNodes;
    this.cpuNodes = [];
    for (const [path, usedMs] of cpu) {
      const node = this.forest.node(path);
      if (node === undefined) continue;
      this.cpuNodes.push(node);
      if (node.cpuUsedMs !== usedMs) changed.push(node);
      node.cpuUsedMs = usedMs;
    }
    for (const node of before) {
      if (node.cpuUsedMs === 0 || cpu.has(node.path)) continue;
      node.cpuUsedMs = 0;
      changed.push(node);
    }
  }
}

const NOTHING: UseElsewhere = { running: 0, queued: 0, memoryBytes: 0 };

/** Makes this the use elsewhere of the very group, and adds the difference to all above it. Whether there is any. */
function moveTo({ direct, lineage }: GroupNode, { running, queued, memoryBytes }: Readonly<UseElsewhere>): boolean {
  const moreRunning = running - direct.running;
  const moreQueued = queued - direct.queued;
  const moreMemory = memoryBytes - direct.memoryBytes;
  if (moreRunning === 0 && moreQueued === 0 && moreMemory === 0) return false;
  direct.running = running;
  direct.queued = queued;
  direct.memoryBytes = memoryBytes;
  for (const { elsewhere } of lineage) {
    elsewhere.running += moreRunning;
    elsewhere.queued += moreQueued;
    elsewhere.memoryBytes += moreMemory;
  }
  return true;
}

const ageMs = (usage: UsageSnapshot, now: Instant): number => now - usage.requestedAt + usage.oldestDataAgeMs;
