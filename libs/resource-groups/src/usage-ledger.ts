// What a resource manager knows of the use of groups: the newest report of each coordinator, the order of claims, and
// what workers run for coordinators that went silent.
//   L1. Per coordinator the report with the greatest (incarnation, sequence) counts, whatever order they come in.
//   L2. A round of claims keeps its place in the order from when it is first heard of until it is used up. Rounds of one
//       coordinator keep the order of their numbers.
//   L3. A coordinator counts by its report until that is expireAfterMs old; from then on, and for queries of its former
//       lives, by what workers still run for it.
//   L4. Time is this process's own: a report's age is counted from its arrival.
//   L5. CPU that was used stays used when its coordinator goes: see cpu-buckets.ts.
import { type Instant, invariant, queryIdSuffixOf } from '@tutti/base';
import { CpuBuckets, type CpuLevel, type CpuTelling } from './cpu-buckets.js';
import { type GroupTotal, GroupTotals, type Use } from './group-totals.js';
import type { GroupCounts } from './group-events.js';
import type { ClaimsAhead, GroupUsage } from './group-usage.js';

/** Names one life of a coordinator. */
export interface CoordinatorLife {
  readonly coordinatorId: string;
  /** Start of its process; orders a restarted one after its former self. */
  readonly incarnation: number;
}

/** One report of a coordinator: everything it runs and waits for. */
export interface CoordinatorReport extends CoordinatorLife {
  readonly sequence: number;
  readonly groups: readonly GroupCounts[];
  /** Marks the query ids of this life, when known: tasks of other lives then count apart (L3). */
  readonly queryIdSuffix?: string | undefined;
  /** The version of the resource groups that it keeps to. */
  readonly configVersion?: string | undefined;
}

/** A task that a worker holds. */
export interface WorkerTask {
  readonly coordinatorId: string;
  readonly group: string;
  readonly queryId: string;
  /** What it holds. A query holds the sum of its tasks. */
  readonly memoryBytes?: number;
}

/** The use of all groups by all coordinators but the asker; of CPU by all. */
export interface UsageAnswer {
  /** See UsageSnapshot. */
  readonly knownRound: number;
  readonly groups: ReadonlyMap<string, GroupUsage>;
  readonly coordinators: readonly { readonly coordinatorId: string; readonly ageMs: number }[];
  /** CPU that each group has used and not got back, in milliseconds; nothing for those that have used none. */
  readonly cpu: ReadonlyMap<string, number>;
}

/** What a coordinator keeps to, as of one of its reports. */
export interface ReportedVersion extends CoordinatorLife {
  readonly sequence: number;
  readonly configVersion: string | undefined;
}

interface Entry {
  report: CoordinatorReport;
  arrivedAt: Instant;
  /** Place of each standing round in the order of claims (L2). */
  readonly places: Map<number, number>;
}

export class UsageLedger {
  private readonly entries = new Map<string, Entry>();
  private readonly workers = new Map<string, { readonly tasks: readonly WorkerTask[]; readonly arrivedAt: Instant }>();
  private readonly buckets = new CpuBuckets();
  private lastPlace = 0;

  constructor(private readonly options: { readonly expireAfterMs: number }) {}

  /** Takes in a report; false when it is older than what is known (L1). */
  record(report: CoordinatorReport, now: Instant): boolean {
    const known = this.entries.get(report.coordinatorId);
    const sameLife = known?.report.incarnation === report.incarnation;
    if (known && report.incarnation < known.report.incarnation) return false;
    if (known && sameLife && report.sequence <= known.report.sequence) return false;
    const queryIdSuffix = report.queryIdSuffix ?? (sameLife ? known?.report.queryIdSuffix : undefined);
    const places = this.placesOf(report, sameLife ? known?.places : undefined);
    this.entries.set(report.coordinatorId, { report: { ...report, queryIdSuffix }, arrivedAt: now, places });
    this.buckets.record(report, now);
    return true;
  }

  /** Takes in what a worker runs: all of it. */
  recordWorker(workerId: string, tasks: readonly WorkerTask[], now: Instant): void {
    if (tasks.length === 0) this.workers.delete(workerId);
    else this.workers.set(workerId, { tasks, arrivedAt: now });
  }

  /** A coordinator left in good order: nothing of it counts but what workers still run. */
  forget(coordinatorId: string): void {
    this.entries.delete(coordinatorId);
  }

  /** Forgets who was silent for too long (L3), and CPU that was got back. */
  expire(now: Instant): void {
    this.expireReports(now);
    this.buckets.expire(now);
  }

  private expireReports(now: Instant): void {
    const isOld = ({ arrivedAt }: { readonly arrivedAt: Instant }) => now - arrivedAt > this.options.expireAfterMs;
    for (const [id, entry] of this.entries) if (isOld(entry)) this.entries.delete(id);
    for (const [id, worker] of this.workers) if (isOld(worker)) this.workers.delete(id);
  }

  /** What all others run and wait for. Take in the asker's own counts first. */
  usageFor(asker: CoordinatorLife | undefined, now: Instant): UsageAnswer {
    this.expireReports(now);
    const own = asker && this.entries.get(asker.coordinatorId);
    // A process that was replaced by a new life is told nothing that it could start on.
    const places = own?.report.incarnation === asker?.incarnation ? own?.places : undefined;
    const ownRounds = [...(places ?? [])].sort(([a], [b]) => a - b);
    const knownRound = ownRounds.at(-1)?.[0] ?? 0;
    const sums = new Sums();
    for (const [id, { report, places: theirs }] of this.entries) {
      if (id === asker?.coordinatorId) continue;
      const ahead = new Map<number, number>();
      for (const [round, place] of theirs)
        ahead.set(round, ownRounds.find(([, ownPlace]) => ownPlace > place)?.[0] ?? knownRound + 1);
      for (const counts of report.groups) {
        const sum = sums.add(counts.group, counts);
        if (counts.claimed <= 0) continue;
        const round = ahead.get(counts.claimRound);
        invariant(round !== undefined, `L2: round ${counts.claimRound} of ${id} has no place`);
        sums.addClaims(sum, round, counts.claimed);
      }
    }
    // Those of the asker's former lives too: it does not count them itself.
    for (const { group, use } of this.strayQueries()) sums.add(group, use);
    const others = [...this.entries].filter(([id]) => id !== asker?.coordinatorId);
    return {
      knownRound,
      groups: sums.list(),
      coordinators: others.map(([coordinatorId, { arrivedAt }]) => ({ coordinatorId, ageMs: now - arrivedAt })),
      cpu: this.buckets.usedMs(now),
    };
  }

  /** The groups in use and their ancestors, by path. */
  groups(now: Instant): GroupTotal[] {
    this.expireReports(now);
    const totals = new GroupTotals();
    const oldestFirst = [...this.entries].sort(([, a], [, b]) => a.arrivedAt - b.arrivedAt);
    for (const [coordinatorId, { report, arrivedAt }] of oldestFirst)
      for (const counts of report.groups) {
        totals.describe(counts);
        totals.add(counts.group, coordinatorId, counts, now - arrivedAt);
      }
    for (const { coordinatorId, group, use } of this.strayQueries()) totals.add(group, coordinatorId, use, undefined);
    return totals.list();
  }

  /** CPU that each group has used and not got back, in milliseconds; nothing for those that have used none. */
  cpuUsedMs(now: Instant): ReadonlyMap<string, number> {
    return this.buckets.usedMs(now);
  }

  /** The same with the quotas, for other resource managers that start later. */
  cpuLevels(now: Instant): CpuLevel[] {
    return this.buckets.levels(now);
  }

  /** Goes on with the CPU that an older resource manager has counted, when it is heard for the first time. */
  takeOverCpu(telling: CpuTelling, ownIncarnation: number, now: Instant): void {
    this.buckets.takeOver(telling, ownIncarnation, now);
  }

  /** Which resource groups each coordinator keeps to, as its newest report says. */
  versions(now: Instant): ReportedVersion[] {
    this.expireReports(now);
    return [...this.entries.values()].map(({ report: { coordinatorId, incarnation, sequence, configVersion } }) => ({
      ...{ coordinatorId, incarnation, sequence, configVersion },
    }));
  }

  /** L2 */
  private placesOf(report: CoordinatorReport, known: ReadonlyMap<number, number> | undefined): Map<number, number> {
    const rounds = new Set<number>();
    for (const { claimed, claimRound } of report.groups) if (claimed > 0) rounds.add(claimRound);
    const places = new Map<number, number>();
    for (const round of [...rounds].sort((a, b) => a - b)) places.set(round, known?.get(round) ?? ++this.lastPlace);
    return places;
  }

  /** Queries on workers that no coordinator's report counts (L3). */
  private strayQueries(): Iterable<StrayQuery> {
    const strays = new Map<string, StrayQuery>();
    for (const { tasks } of this.workers.values())
      for (const { queryId, coordinatorId, group, memoryBytes = 0 } of tasks) {
        const suffix = this.entries.get(coordinatorId)?.report.queryIdSuffix;
        const isOfFormerLife = suffix !== undefined && queryIdSuffixOf(queryId) !== suffix;
        if (this.entries.has(coordinatorId) && !isOfFormerLife) continue;
        const heldSoFar = strays.get(queryId)?.use.memoryBytes ?? 0;
        const use = { running: 1, queued: 0, memoryBytes: heldSoFar + memoryBytes };
        strays.set(queryId, { coordinatorId, group, use });
      }
    return strays.values();
  }
}

interface StrayQuery {
  readonly coordinatorId: string;
  readonly group: string;
  readonly use: Use;
}

interface Sum {
  running: number;
  queued: number;
  memoryBytes: number;
  /** By the round that they come before. */
  claims: Map<number, number> | undefined;
}

/** Adds up the use of groups by many coordinators. Asked for many times a second, so it changes its sums in place. */
class Sums {
  private readonly groups = new Map<string, Sum>();

  add(group: string, { running, queued, memoryBytes }: Use): Sum {
    let sum = this.groups.get(group);
    if (sum === undefined) this.groups.set(group, (sum = { running, queued, memoryBytes, claims: undefined }));
    else {
      sum.running += running;
      sum.queued += queued;
      sum.memoryBytes += memoryBytes;
    }
    return sum;
  }

  addClaims(sum: Sum, round: number, count: number): void {
    sum.claims ??= new Map();
    sum.claims.set(round, (sum.claims.get(round) ?? 0) + count);
  }

  /** The groups in use. */
  list(): Map<string, GroupUsage> {
    const groups = new Map<string, GroupUsage>();
    for (const [group, { running, queued, memoryBytes, claims }] of this.groups) {
      if (running + queued + memoryBytes === 0) continue;
      groups.set(group, { running, queued, memoryBytes, claimsAhead: claims === undefined ? [] : inOrder(claims) });
    }
    return groups;
  }
}

const inOrder = (claims: ReadonlyMap<number, number>): ClaimsAhead[] =>
  [...claims].map(([round, count]) => ({ round, count })).sort((a, b) => a.round - b.round);
