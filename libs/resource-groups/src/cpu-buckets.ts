// How much CPU each group has used in the whole cluster and not got back yet.
//   B1. What a coordinator's queries use is charged while they run: with each report, what has come on top of its last one,
//       to the group and every group above it that has a quota.
//   B2. Nothing is charged twice. A life of a coordinator that was not heard before, and a group whose figure has become
//       smaller, start from what they report. A group that the former report of the same life left out starts from zero.
//   B3. A group gets its quota back all the time, once for the whole cluster, and never more than it has used.
//   B4. A group has a quota while the newest report of any coordinator gives it one; the latest that gives one sets it.
//       Without one its use is forgotten. A group that nobody reports keeps what it has used until it has got it back.
//   B5. A coordinator that is silent keeps its place for COUNTERS_KEPT_MS: what it used meanwhile is charged when it is
//       heard again.
//   B6. At most BUCKETS_MAX groups are kept. Of more, those that nobody reports and that would have all back first are
//       forgotten.
//   B7. A resource manager that starts anew goes on with what others have counted: at the first report of each life of
//       another one that is older than its own, the greater of that level and its own counts, group by group. Younger
//       ones know less and are not asked. So no level gets smaller by it, and however many tell, nothing is counted
//       twice but what a coordinator had told the other one and not yet us: as a rule, less than a heartbeat's worth.
//   B8. It tells others at most LEVELS_MAX groups, and no more than fits into a message. Of more, those that would have
//       all back last are told.
import type { Instant } from '@tutti/base';
import { lineageOf } from './group-path.js';
import type { GroupCounts } from './group-tree.js';

const COUNTERS_KEPT_MS = 600_000;
const BUCKETS_MAX = 100_000;
const LEVELS_MAX = 10_000;
/** Of all paths together. */
const LEVELS_LETTERS_MAX = 1_000_000;
/** Lives are older than our own, so there are few. */
const TELLERS_MAX = 1_000;
const MS_PER_SECOND = 1_000;

/** The part of a coordinator's report that is about CPU. */
export interface CpuReport {
  readonly coordinatorId: string;
  readonly incarnation: number;
  readonly groups: readonly Pick<GroupCounts, 'group' | 'cpuMs' | 'cpuQuotaMsPerSecond'>[];
}

/** What a group has used and not got back, and what it gets back. */
export interface CpuLevel {
  readonly group: string;
  readonly usedMs: number;
  readonly quotaMsPerSecond: number;
}

/** What another resource manager has counted. */
export interface CpuTelling {
  readonly resourceManagerId: string;
  /** Start of its process. */
  readonly incarnation: number;
  readonly levels: readonly CpuLevel[];
}

interface Bucket {
  usedMs: number;
  quotaMsPerSecond: number;
  /** When usedMs was right. */
  at: Instant;
}

/** What a coordinator last said of a group. */
interface Counter {
  readonly cpuMs: number;
  readonly hasQuota: boolean;
}

interface Coordinator {
  readonly incarnation: number;
  readonly heardAt: Instant;
  /** Undefined when nothing had a quota: then nothing was noted. */
  readonly counters: ReadonlyMap<string, Counter> | undefined;
}

/** See the rules at the head of the file. */
export class CpuBuckets {
  private readonly buckets = new Map<string, Bucket>();
  private readonly coordinators = new Map<string, Coordinator>();
  /** The newest life of each resource manager that B7 was done with. */
  private readonly tellers = new Map<string, number>();

  constructor(private readonly bucketsMax = BUCKETS_MAX) {}

  /** Takes in a report; it must be newer than all earlier ones of the coordinator. */
  record(report: CpuReport, now: Instant): void {
    const { coordinatorId, incarnation, groups } = report;
    const known = this.coordinators.get(coordinatorId);
    const isIdle = this.buckets.size === 0 && groups.every(({ cpuQuotaMsPerSecond }) => cpuQuotaMsPerSecond <= 0);
    const counters = isIdle ? undefined : countersOf(report);
    this.coordinators.set(coordinatorId, { incarnation, heardAt: now, counters });
    if (counters === undefined) return;
    for (const { group, cpuQuotaMsPerSecond } of groups) this.setQuota(group, cpuQuotaMsPerSecond, now); // B4
    const former = known?.incarnation === incarnation ? known.counters : undefined;
    if (former === undefined) return; // B2
    for (const [group, { cpuMs }] of counters) {
      const growthMs = cpuMs - (former.get(group)?.cpuMs ?? 0);
      if (growthMs > 0) this.charge(group, growthMs, now);
    }
  }

  /** What each group with a quota has used and not got back, in milliseconds. Those that have used nothing are left out. */
  usedMs(now: Instant): Map<string, number> {
    const used = new Map<string, number>();
    for (const [group, bucket] of this.buckets) {
      refill(bucket, now);
      if (bucket.usedMs > 0) used.set(group, bucket.usedMs);
    }
    return used;
  }

  /** The same with the quotas, for other resource managers (B8). */
  levels(now: Instant): CpuLevel[] {
    const levels = [...this.usedMs(now)].map(([group, usedMs]) => {
      return { group, usedMs, quotaMsPerSecond: this.buckets.get(group)?.quotaMsPerSecond ?? 0 };
    });
    if (levels.length > LEVELS_MAX || lettersOf(levels) > LEVELS_LETTERS_MAX)
      levels.sort((a, b) => emptyInSeconds(b) - emptyInSeconds(a));
    let letters = 0;
    const end = levels.findIndex(({ group }) => (letters += group.length) > LEVELS_LETTERS_MAX);
    return levels.slice(0, end < 0 ? LEVELS_MAX : Math.min(end, LEVELS_MAX));
  }

  /** Takes in what another resource manager has counted, when this one began later and hears it first (B7). */
  takeOver({ resourceManagerId, incarnation, levels }: CpuTelling, ownIncarnation: number, now: Instant): void {
    const known = this.tellers.get(resourceManagerId);
    if (incarnation >= ownIncarnation || incarnation <= (known ?? 0)) return;
    if (known === undefined && this.tellers.size >= TELLERS_MAX) return;
    this.tellers.set(resourceManagerId, incarnation);
    for (const level of levels.slice(0, LEVELS_MAX)) this.raise(level, now);
  }

  /** Drops what says nothing any more (B4, B5), and what is too much (B6). */
  expire(now: Instant): void {
    for (const [id, { heardAt }] of this.coordinators)
      if (now - heardAt > COUNTERS_KEPT_MS) this.coordinators.delete(id);
    const idle: CpuLevel[] = [];
    for (const [group, bucket] of this.buckets) {
      if (this.hasQuota(group)) continue;
      refill(bucket, now);
      if (bucket.usedMs <= 0) this.buckets.delete(group);
      else idle.push({ group, ...bucket });
    }
    const excess = this.buckets.size - this.bucketsMax;
    if (excess <= 0) return;
    idle.sort((a, b) => emptyInSeconds(a) - emptyInSeconds(b));
    for (const { group } of idle.slice(0, excess)) this.buckets.delete(group);
  }

  /** How many groups are kept. */
  get size(): number {
    return this.buckets.size;
  }

  private setQuota(group: string, quotaMsPerSecond: number, now: Instant): void {
    const bucket = this.buckets.get(group);
    if (quotaMsPerSecond > 0) {
      if (bucket === undefined) this.buckets.set(group, { usedMs: 0, quotaMsPerSecond, at: now });
      else {
        refill(bucket, now);
        bucket.quotaMsPerSecond = quotaMsPerSecond;
      }
    } else if (bucket !== undefined && !this.hasQuota(group)) this.buckets.delete(group);
  }

  /** B7. Whoever reports the group sets its quota; that of the teller holds while nobody does. */
  private raise({ group, usedMs, quotaMsPerSecond }: CpuLevel, now: Instant): void {
    // Without a quota it would stay for ever.
    if (!(usedMs > 0 && quotaMsPerSecond > 0 && quotaMsPerSecond < Infinity)) return;
    const bucket = this.buckets.get(group);
    if (bucket === undefined) this.buckets.set(group, { usedMs, quotaMsPerSecond, at: now });
    else {
      refill(bucket, now);
      bucket.usedMs = Math.max(bucket.usedMs, usedMs);
    }
  }

  private charge(group: string, cpuMs: number, now: Instant): void {
    for (const path of lineageOf(group)) {
      const bucket = this.buckets.get(path);
      if (bucket === undefined) continue;
      refill(bucket, now);
      bucket.usedMs += cpuMs; // B1
    }
  }

  private hasQuota(group: string): boolean {
    for (const { counters } of this.coordinators.values()) if (counters?.get(group)?.hasQuota) return true;
    return false;
  }
}

const countersOf = ({ groups }: CpuReport): Map<string, Counter> =>
  new Map(groups.map(({ group, cpuMs, cpuQuotaMsPerSecond }) => [group, { cpuMs, hasQuota: cpuQuotaMsPerSecond > 0 }]));

const emptyInSeconds = ({ usedMs, quotaMsPerSecond }: Omit<CpuLevel, 'group'>): number => usedMs / quotaMsPerSecond;

const lettersOf = (levels: readonly CpuLevel[]): number => levels.reduce((sum, { group }) => sum + group.length, 0);

/** B3 */
function refill(bucket: Bucket, now: Instant): void {
  const backMs = (bucket.quotaMsPerSecond * (now - bucket.at)) / MS_PER_SECOND;
  bucket.usedMs = Math.max(0, bucket.usedMs - backMs);
  bucket.at = now;
}
