// The newest usage that decisions may use, spread over the groups.
//   V1. Newer means asked for later: an answer that comes late changes nothing.
//   V2. Usage whose oldest data is older than usageMaxAgeMs does not exist: it is refused on arrival and forgotten later.
import { type Instant, instant } from '@tutti/base';
import type { GroupForest } from './group-forest.js';
import type { GroupNode, RootState } from './group-node.js';
import type { ClaimsElsewhere, UsageSnapshot } from './group-usage.js';

export class UsageView {
  /** When the newest answer was asked for, even one that was refused. */
  answeredUpTo: Instant = instant(-Infinity);
  /** Age of the oldest data of the newest answer, when that was refused for it. */
  refusedAgeMs: number | undefined;
  /** When first another resource manager answered than before. */
  changedAt: Instant = instant(-Infinity);
  private current: UsageSnapshot | undefined;
  private answeredBy: string | undefined;
  private nodesInUse = new Set<GroupNode>();

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

  /** Calls back for the groups whose counts changed. */
  take(usage: UsageSnapshot, now: Instant, onChange: (node: GroupNode) => void): void {
    if (usage.requestedAt <= this.answeredUpTo) return; // V1
    this.answeredUpTo = usage.requestedAt;
    const age = ageMs(usage, now);
    this.refusedAgeMs = age > this.maxAgeMs ? age : undefined;
    if (this.refusedAgeMs !== undefined) return; // V2
    if (this.answeredBy !== undefined && this.answeredBy !== usage.answeredBy) this.changedAt = now;
    this.answeredBy = usage.answeredBy;
    this.replace(usage, onChange);
  }

  /** V2 */
  forgetOld(now: Instant, onChange: (node: GroupNode) => void): void {
    if (this.current !== undefined && ageMs(this.current, now) > this.maxAgeMs) this.replace(undefined, onChange);
  }

  private replace(usage: UsageSnapshot | undefined, onChange: (node: GroupNode) => void): void {
    const changed = new Set(this.nodesInUse);
    for (const node of this.nodesInUse) {
      node.queuedElsewhereDirectly = 0;
      for (const { elsewhere } of node.lineage) Object.assign(elsewhere, { running: 0, queued: 0 });
    }
    this.nodesInUse = new Set();
    this.current = usage;
    const claims = new Map<RootState, ClaimsElsewhere[]>();
    for (const [path, { running, queued, claimsAhead }] of usage?.groups ?? []) {
      const node = this.forest.nearest(path);
      if (node === undefined) continue;
      this.nodesInUse.add(node);
      node.queuedElsewhereDirectly += queued;
      for (const { elsewhere } of node.lineage) {
        elsewhere.running += running;
        elsewhere.queued += queued;
      }
      const root = this.forest.rootOf(node);
      claims.set(root, [...(claims.get(root) ?? []), ...claimsAhead.map((entry) => ({ ...entry, node }))]);
    }
    for (const root of this.forest.roots)
      root.claimsElsewhere = (claims.get(root) ?? []).sort((a, b) => a.round - b.round);
    for (const node of this.nodesInUse) changed.add(node);
    changed.forEach(onChange);
  }
}

const ageMs = (usage: UsageSnapshot, now: Instant): number => now - usage.requestedAt + usage.oldestDataAgeMs;
