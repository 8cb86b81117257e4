// What must hold, counted where queries run: on the workers, never in anybody's books.
//   A1. At every instant, for every group, at most its limit of queries run on workers. After a limit fell: the former
//       one, for as long as what was dealt by it may last.
//   A2. A query starts only while it is queued, ends once, and every query ends that its coordinator did not take with it.
//   A3. While nothing is wrong, nobody waits where there is room: no group, and no coordinator.
import { type GroupConfig, lineageOf } from '@tutti/resource-groups';
import { targetAt } from '../plans/groups.js';
import type { QueryEnd, SimQuery } from '../world/sim-query.js';
import { CountedGroup } from './counted-group.js';

export interface Violation {
  readonly rule: 'A1' | 'A2' | 'A3' | 'A4';
  readonly atMs: number;
  readonly text: string;
  /** Of A1: how many are too many. */
  readonly over: number;
}

/** A lowered limit counts once nothing that was dealt before can be left. */
const FORMER_LIMIT_MS = 20_000;
const KEPT_MAX = 10;

interface FormerLimit {
  readonly limit: number;
  readonly until: number;
}

export class AdmissionChecks {
  /** The first of them. */
  readonly violations: Violation[] = [];
  violationCount = 0;
  /** The most that ran of a group, as a part of what may. */
  peakOverLimit = 0;
  overLimitMs = 0;
  /** Slots that could be used while somebody waited, by time; and those that were. */
  usableSlotMs = 0;
  usedSlotMs = 0;
  /** Of queries for which there was room when they came, how long each waited. */
  readonly slackWaitsMs: number[] = [];
  readonly waitsMs: number[] = [];
  private readonly groups = new Map<string, CountedGroup>();
  private readonly roots: CountedGroup[] = [];
  private readonly former = new Map<CountedGroup, FormerLimit[]>();
  private readonly over = new Set<CountedGroup>();
  private countedUntil = 0;

  constructor(
    private config: GroupConfig,
    private readonly now: () => number,
    /** How long queries wait is of interest until then. */
    private readonly slackUntilMs: number,
    private readonly onViolation: (violation: Violation) => void,
  ) {}

  /** The group with this path, with all above it. */
  group(path: string): CountedGroup {
    const known = this.groups.get(path);
    if (known !== undefined) return known;
    const [, above] = lineageOf(path);
    const group = new CountedGroup(path, above === undefined ? undefined : this.group(above));
    if (above === undefined) this.roots.push(group);
    this.groups.set(path, group);
    group.limit = group.allowed = limitIn(this.config, path);
    return group;
  }

  get all(): Iterable<CountedGroup> {
    return this.groups.values();
  }

  /** Others hold from now on. */
  configure(config: GroupConfig): void {
    this.advance();
    this.config = config;
    for (const group of this.groups.values()) {
      const limit = limitIn(config, group.path);
      if (limit < group.limit) {
        const former = this.former.get(group) ?? [];
        former.push({ limit: group.limit, until: this.now() + FORMER_LIMIT_MS });
        this.former.set(group, former);
      }
      group.limit = limit;
      this.settleAllowed(group);
      group.settle();
    }
  }

  submitted(query: SimQuery): void {
    this.advance();
    query.hadSlack = this.now() < this.slackUntilMs && query.leaf.hasSlack;
    query.state = 'queued';
    query.leaf.addWaiting(1);
  }

  started(query: SimQuery): void {
    if (query.state !== 'queued') return this.violate('A2', `${query.name} starts while it is ${query.state}`);
    query.state = 'started';
    query.startedAt = this.now();
    query.startCount++;
    query.leaf.starts++;
  }

  /** It was started, and nothing of it has left for a worker. */
  requeued(query: SimQuery): void {
    if (query.state !== 'started')
      return this.violate('A2', `${query.name} is queued again while it is ${query.state}`);
    if (query.tasksRunning > 0) return this.violate('A2', `${query.name} is queued again while it runs on workers`);
    query.state = 'queued';
  }

  /** Its first task leaves for a worker. */
  sent(query: SimQuery): void {
    const waitMs = query.startedAt - query.submittedAt;
    this.waitsMs.push(waitMs);
    if (query.hadSlack) this.slackWaitsMs.push(waitMs);
  }

  ended(query: SimQuery, end: QueryEnd): void {
    if (query.isOver) return this.violate('A2', `${query.name} ends again: ${end} after ${query.state}`);
    this.advance();
    if (query.state !== 'planned' && !this.hasRun.has(query)) query.leaf.addWaiting(-1);
    query.state = end;
  }

  /** A task of it begins on a worker. */
  taskBegan(query: SimQuery): void {
    if (query.tasksRunning++ > 0) return;
    this.advance();
    if (!this.hasRun.has(query) && !query.isOver) query.leaf.addWaiting(-1);
    this.hasRun.add(query);
    for (const group of query.leaf.lineage) {
      const running = ++group.running;
      this.peakOverLimit = Math.max(this.peakOverLimit, running / Math.max(1, group.allowed));
      if (running > group.allowed && this.isStillOver(group)) {
        this.over.add(group);
        this.violate(
          'A1',
          `${running} queries run in ${group.path}, where ${group.allowed} may (the last is ${query.name})`,
          running - group.allowed,
        );
      }
    }
    query.leaf.settle();
  }

  taskEnded(query: SimQuery): void {
    if (--query.tasksRunning > 0) return;
    this.advance();
    for (const group of query.leaf.lineage) {
      group.running--;
      if (group.running <= group.allowed) this.over.delete(group);
    }
    query.leaf.settle();
  }

  violate(rule: Violation['rule'], text: string, over = 0): void {
    const violation = { rule, atMs: this.now(), text, over };
    this.violationCount++;
    if (this.violations.length < KEPT_MAX) this.violations.push(violation);
    this.onViolation(violation);
  }

  /** Whether no slot is unused that a query that waits anywhere could use. */
  get isAllUsed(): boolean {
    return [...this.roots].every(({ running, usable }) => running >= usable);
  }

  /** Adds up until now. */
  advance(): void {
    const now = this.now();
    const elapsedMs = now - this.countedUntil;
    if (elapsedMs === 0) return;
    this.countedUntil = now;
    if (this.over.size > 0) this.overLimitMs += elapsedMs;
    for (const root of this.roots) {
      if (root.waiting === 0) continue;
      this.usableSlotMs += root.usable * elapsedMs;
      this.usedSlotMs += Math.min(root.running, root.usable) * elapsedMs;
    }
  }

  /** Queries that run, or ran, on a worker: what waits of them is no query of a group any more. */
  private readonly hasRun = new WeakSet<SimQuery>();

  /** A former limit may have had its time: looked at when it matters. */
  private isStillOver(group: CountedGroup): boolean {
    this.settleAllowed(group);
    return group.running > group.allowed;
  }

  private settleAllowed(group: CountedGroup): void {
    const former = (this.former.get(group) ?? []).filter(({ until }) => until > this.now());
    this.former.set(group, former);
    group.allowed = Math.max(group.limit, ...former.map(({ limit }) => limit));
  }
}

/** 0 for a group that the configuration does not have. */
function limitIn(config: GroupConfig, path: string): number {
  const names = [...lineageOf(path)].length;
  return targetAt(config, path)?.specs[names - 1]?.hardConcurrencyLimit ?? 0;
}
