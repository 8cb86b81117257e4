// What workers have shown of what runs.
//   E1. A fence is evidence when a second seat keeps it, and every worker that may have tasks has reported with a list in
//       which it stands. From then on nothing that it fences begins anywhere, so what workers report of it only shrinks:
//       the newest reports together are all there is, or more (A1, A4).
//   E2. A worker is told the fences, and so begins to take tasks, after a second seat keeps its name: the next owner knows
//       of every worker that may have tasks.
//   E3. What a worker said last counts until a newer life of it reports, or, when it is lost, until it is written off.
import type { Instant } from '@tutti/base';
import type { CoordinatorLife } from '../usage-ledger.js';
import type { LeaseReport } from './lease-messages.js';
import { lifeKey } from './life.js';

export interface WorkerRecord {
  incarnation: number;
  /** Of the last report; 0 before the first one. */
  sequence: number;
  kept: { readonly epoch: number; readonly version: number };
  /** Its queries by life and group, and since when each is reported. */
  queries: Map<string, { readonly life: CoordinatorLife; readonly group: string; readonly since: Instant }>;
  reportedAt: Instant | undefined;
  isListed: boolean;
  lostAt: Instant | undefined;
  /** A second seat keeps its name, or will when the copy with this number is kept. */
  isCopied: boolean;
  copySeq: number;
}

/** What each worker said last. */
export class WorkerEvidence {
  readonly workers = new Map<string, WorkerRecord>();

  constructor(private readonly epoch: number) {}

  /** A worker that may have tasks. A newer life takes the place of an older one, whose tasks have ended with it. */
  expect(workerId: string, incarnation: number): WorkerRecord {
    const known = this.workers.get(workerId);
    if (known !== undefined && known.incarnation >= incarnation) return known;
    const fresh: WorkerRecord = {
      ...{ incarnation, sequence: 0, kept: { epoch: 0, version: 0 }, queries: new Map() },
      ...{ reportedAt: undefined, isListed: known?.isListed ?? false, lostAt: known?.lostAt },
      ...{ isCopied: known?.isCopied ?? false, copySeq: 0 },
    };
    this.workers.set(workerId, fresh);
    return fresh;
  }

  /** Takes in a report; false when a newer one is known. */
  take(report: LeaseReport, now: Instant): boolean {
    const worker = this.expect(report.workerId, report.incarnation);
    if (report.incarnation < worker.incarnation || report.sequence <= worker.sequence) return false;
    const former = worker.queries;
    worker.sequence = report.sequence;
    worker.kept = report.fencesKept;
    worker.reportedAt = now;
    worker.queries = new Map();
    for (const { queryId, group, coordinatorId, incarnation } of report.tasks) {
      const since = former.get(queryId)?.since ?? now;
      worker.queries.set(queryId, { life: { coordinatorId, incarnation }, group, since });
    }
    return true;
  }

  /** These workers are there; the others are lost. */
  list(listed: readonly { readonly workerId: string; readonly incarnation: number }[], now: Instant): void {
    for (const worker of this.workers.values()) worker.isListed = false;
    for (const { workerId, incarnation } of listed) this.expect(workerId, incarnation).isListed = true;
    for (const worker of this.workers.values()) {
      if (worker.isListed) worker.lostAt = undefined;
      else worker.lostAt ??= now;
    }
  }

  /** Forgets workers that are lost for longer than that (E3); returns the queries that each had, by life. */
  writeOff(now: Instant, afterMs: number): { readonly workerId: string; readonly lives: readonly CoordinatorLife[] }[] {
    const isGone = ({ lostAt, reportedAt }: WorkerRecord): boolean =>
      lostAt !== undefined && now - Math.max(lostAt, reportedAt ?? lostAt) >= afterMs;
    const gone = [...this.workers].filter(([, worker]) => isGone(worker));
    for (const [id] of gone) this.workers.delete(id);
    return gone.map(([workerId, { queries }]) => ({
      workerId,
      lives: Array.from(queries.values(), ({ life }) => life),
    }));
  }

  /** What lost workers ran for a coordinator does not run any more. */
  forget(coordinatorId: string): void {
    for (const { queries, lostAt } of this.workers.values()) {
      if (lostAt === undefined) continue;
      for (const [queryId, { life }] of queries) if (life.coordinatorId === coordinatorId) queries.delete(queryId);
    }
  }

  /** Whether every worker, or every one that is not lost, has reported with this list of the owner or a newer one (E1). */
  allKeep(version: number, which: 'all' | 'listed' = 'all'): boolean {
    for (const { kept, isListed } of this.workers.values())
      if ((isListed || which === 'all') && (kept.epoch !== this.epoch || kept.version < version)) return false;
    return true;
  }

  /** The queries on workers by life, in each by group. */
  queriesOf(isWanted: (life: CoordinatorLife) => boolean): Map<string, LifeQueries> {
    const lives = new Map<string, LifeQueries>();
    for (const { queries } of this.workers.values())
      for (const [queryId, { life, group }] of queries) {
        if (!isWanted(life)) continue;
        const key = lifeKey(life);
        let found = lives.get(key);
        if (found === undefined) lives.set(key, (found = { life, groups: new Map() }));
        const ids = found.groups.get(group);
        if (ids === undefined) found.groups.set(group, new Set([queryId]));
        else ids.add(queryId);
      }
    return lives;
  }

  /**
   * How many queries are known to have run at one moment, by leaf group: at the time of the oldest of all newest reports.
   * Reports of different times must not be added up as they are: a slot that moved would count twice.
   */
  runningByGroup(): Map<string, number> {
    let at = Infinity;
    for (const { reportedAt, lostAt } of this.workers.values())
      if (reportedAt !== undefined && lostAt === undefined) at = Math.min(at, reportedAt);
    const groups = new Map<string, Set<string>>();
    for (const { queries } of this.workers.values())
      for (const [queryId, { group, since }] of queries) {
        if (since > at) continue;
        const ids = groups.get(group);
        if (ids === undefined) groups.set(group, new Set([queryId]));
        else ids.add(queryId);
      }
    return new Map(Array.from(groups, ([group, ids]) => [group, ids.size]));
  }
}

export interface LifeQueries {
  readonly life: CoordinatorLife;
  readonly groups: Map<string, Set<string>>;
}
