import type { GroupConfig, GroupSpec, GroupTarget } from '../group-config.js';
import { effectiveLimit } from '../effective-limit.js';
import type { GroupCounts } from '../group-events.js';
import { lineageOf, parentPath } from '../group-path.js';
import type { ClaimsAhead, UsageSnapshot } from '../group-usage.js';
import { ReferenceGroups, type ReferenceQuery } from './reference-groups.js';

/** Use elsewhere, at the groups that it was spread over when it was heard. */
interface Spread {
  running: number;
  queued: number;
  memoryBytes: number;
  claims: ClaimsAhead[];
}

const NOTHING: Spread = { running: 0, queued: 0, memoryBytes: 0, claims: [] };

/** The rules of admission once more, slow and obvious: everything is counted anew for each question. */
export class ReferenceTree {
  readonly queries = new Map<string, ReferenceQuery>();
  readonly groups = new ReferenceGroups();
  readonly cluster = { activeWorkers: 0, memoryBytes: 0 };
  private spread = new Map<string, Spread>();
  private cpu = new Map<string, number>();
  /** Groups that went and perhaps came again since the usage was spread: there it counts above them only. */
  private readonly renewed = new Set<string>();
  /** Of groups that went since then. */
  private readonly lastLimits = new Map<string, number>();
  private lastNumber = 0;

  constructor(private config: GroupConfig) {
    this.groups.addStatic(this.config, this.queries.values());
  }

  submit(id: string, target: GroupTarget, priority: number, now: number, queuedSince: number): void {
    target.specs.forEach((spec, depth) => {
      const path = [...lineageOf(target.path)].reverse()[depth] ?? '';
      const known = this.groups.get(path);
      if (known === undefined || known.isGone) this.groups.adopt(path, spec, this.queries.values());
    });
    const virtualKey = (this.groups.get(target.path)?.virtualTime ?? 0) + 1 / priority;
    this.queries.set(id, {
      ...{ id, path: target.path, priority, number: ++this.lastNumber, queuedSince, virtualKey },
      ...{ isRunning: false, provisionalSince: now, memoryBytes: 0 },
    });
  }

  /** Whether a group would have to be made of which there are enough. */
  hasTooManyFor(target: GroupTarget): boolean {
    return target.specs.some((spec, depth) => {
      const path = [...lineageOf(target.path)].reverse()[depth] ?? '';
      const known = this.groups.get(path);
      if (!spec.isDynamic || (known !== undefined && !known.isGone)) return false;
      const same = [...this.groups.values()].filter((group) => group.spec.template === spec.template);
      return same.length >= spec.maxGroups;
    });
  }

  /** Takes a query out of wherever it is. */
  remove(id: string): void {
    this.queries.delete(id);
    this.prune();
  }

  start(id: string): void {
    const query = this.queries.get(id);
    if (query === undefined) return;
    query.isRunning = true;
    query.provisionalSince = undefined;
    const group = this.groups.get(query.path);
    if (group !== undefined) group.virtualTime = Math.max(group.virtualTime, query.virtualKey);
  }

  /** The queries that must select anew under another configuration: they are taken out. */
  reload(config: GroupConfig): ReferenceQuery[] {
    this.config = config;
    const byTemplate = new Map<string, GroupSpec>();
    const note = (spec: GroupSpec): void => {
      byTemplate.set(spec.template, spec);
      spec.subGroups.forEach(note);
    };
    config.rootGroups.forEach(note);
    const leaving = [...this.queries.values()].filter(({ path, isRunning }) => {
      const spec = byTemplate.get(this.groups.get(path)?.spec.template ?? '');
      return !isRunning && spec?.subGroups.length !== 0;
    });
    for (const { id } of leaving) this.queries.delete(id);
    this.prune();
    for (const [path, group] of this.groups) {
      const spec = byTemplate.get(group.spec.template);
      group.isGone = spec === undefined;
      if (spec !== undefined) this.groups.adopt(path, spec, this.queries.values());
    }
    this.groups.addStatic(this.config, this.queries.values());
    this.prune();
    return leaving;
  }

  /** An answer is taken in, or forgotten, or spread over other groups. */
  hear(usage: UsageSnapshot | undefined): void {
    this.spread = new Map();
    this.renewed.clear();
    this.lastLimits.clear();
    for (const [path, use] of usage?.groups ?? []) {
      const at = [...lineageOf(path)].find((above) => this.groups.has(above));
      if (at === undefined) continue;
      const known = this.spread.get(at) ?? { ...NOTHING, claims: [] };
      this.spread.set(at, {
        running: known.running + use.running,
        queued: known.queued + use.queued,
        memoryBytes: known.memoryBytes + use.memoryBytes,
        claims: [...known.claims, ...use.claimsAhead],
      });
    }
    this.cpu = new Map([...(usage?.cpu ?? [])].filter(([path]) => this.groups.has(path)));
  }

  /** Q3: the queries that wait in a leaf, in the order in which they start. */
  queuedIn(path: string): ReferenceQuery[] {
    const { policy = 'fair' } = this.groups.get(path) ?? {};
    const queued = [...this.queries.values()].filter((query) => query.path === path && !query.isRunning);
    if (policy === 'fair') return queued.sort((a, b) => a.number - b.number);
    if (policy === 'weighted') return queued.sort((a, b) => a.virtualKey - b.virtualKey || a.number - b.number);
    return queued.sort((a, b) => b.priority - a.priority || a.number - b.number);
  }

  runningIn(path: string): ReferenceQuery[] {
    return [...this.queries.values()].filter((query) => query.path === path && query.isRunning);
  }

  /** All that limits a group. */
  limitOf(group: string): number {
    const known = this.groups.get(group);
    if (known === undefined) return 0;
    const memoryBytes = this.memoryIn(group) + (this.renewed.has(group) ? 0 : this.elsewhere(group, 'memoryBytes'));
    const cpuUsedMs = this.renewed.has(group) ? 0 : (this.cpu.get(group) ?? 0);
    return effectiveLimit(known.spec, { memoryBytes, cpuUsedMs }, this.cluster).limit;
  }

  hardLimitOf(group: string): number {
    return this.groups.get(group)?.spec.hardConcurrencyLimit ?? this.lastLimits.get(group) ?? Infinity;
  }

  /** Running in a group and below it: here, and elsewhere as far as known. */
  allRunning(group: string): number {
    return this.runningHere(group) + (this.renewed.has(group) ? 0 : this.elsewhere(group, 'running'));
  }

  runningHere(group: string): number {
    return this.below(group).filter(({ isRunning }) => isRunning).length;
  }

  memoryIn(group: string): number {
    return this.below(group).reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  }

  /** Whether the first query of a leaf may start, as G2 says, when its claim is of `round`. */
  mayStart(path: string, round: number, claims: readonly GroupCounts[]): boolean {
    return [...lineageOf(path)].every((group) => this.taken(group, round, claims) < this.limitOf(group));
  }

  /** Whether what is here alone leaves no room for the newest of the leaf to wait, as G6 says. */
  isFullHere(path: string): boolean {
    return [...lineageOf(path)].some((group) => {
      const queued = this.below(group).filter(({ isRunning }) => !isRunning).length;
      const room = Math.max(0, this.limitOf(group) - this.runningHere(group));
      return queued - room > (this.groups.get(group)?.spec.maxQueued ?? 0);
    });
  }

  /** Who must go on an answer, as G6 says: each is decided after those that came before it. */
  turnedAwayOn(usage: UsageSnapshot): string[] {
    const turnedAway: string[] = [];
    for (const query of [...this.queries.values()]) {
      if (query.provisionalSince === undefined || query.provisionalSince > usage.requestedAt) continue;
      query.provisionalSince = undefined;
      if (![...lineageOf(query.path)].some((group) => this.isFull(group))) continue;
      this.remove(query.id);
      turnedAway.push(query.id);
    }
    return turnedAway;
  }

  /** Who has waited too long. */
  overdue(now: number): string[] {
    return [...this.queries.values()]
      .filter(({ path, isRunning, queuedSince }) => {
        const timeouts = [...lineageOf(path)].map((group) => this.groups.get(group)?.spec.queueTimeoutMs ?? Infinity);
        return !isRunning && now - queuedSince >= Math.min(...timeouts);
      })
      .map(({ id }) => id);
  }

  private isFull(group: string): boolean {
    const waiting = this.waiting(group) + this.elsewhere(group, 'queued');
    return waiting - this.startable(group) > (this.groups.get(group)?.spec.maxQueued ?? 0);
  }

  /** How many of those that wait in a group there is room for. */
  private startable(group: string): number {
    const below = this.children(group).reduce((sum, child) => sum + this.startable(child), 0);
    const own = this.queuedIn(group).filter(({ provisionalSince }) => provisionalSince === undefined).length;
    const room = Math.max(0, this.limitOf(group) - this.allRunning(group));
    return Math.min(room, below + own + (this.spread.get(group)?.queued ?? 0));
  }

  private waiting(group: string): number {
    return this.below(group).filter((query) => !query.isRunning && query.provisionalSince === undefined).length;
  }

  /** Running in a group, and claims before those of `round` as far as their groups let them run (U1). */
  private taken(group: string, round: number, claims: readonly GroupCounts[]): number {
    const running = this.runningHere(group) + this.elsewhere(group, 'running');
    let before = 0;
    for (const child of this.children(group))
      before += this.taken(child, round, claims) - this.runningHere(child) - this.elsewhere(child, 'running');
    for (const own of claims)
      if (own.group === group && own.claimed > 0 && own.claimRound < round) before += own.claimed;
    for (const ahead of this.spread.get(group)?.claims ?? []) if (ahead.round <= round) before += ahead.count;
    return running + Math.min(before, Math.max(0, this.hardLimitOf(group) - running));
  }

  private children(group: string): string[] {
    const all = new Set([...this.groups.keys(), ...this.spread.keys()]);
    return [...all].filter((path) => parentPath(path) === group);
  }

  private below(group: string): ReferenceQuery[] {
    return [...this.queries.values()].filter(({ path }) => isIn(path, group));
  }

  private elsewhere(group: string, what: 'running' | 'queued' | 'memoryBytes'): number {
    let sum = 0;
    for (const [path, use] of this.spread) if (isIn(path, group)) sum += use[what];
    return sum;
  }

  /** F1 and F4: groups go that nobody uses. */
  private prune(): void {
    for (const path of [...this.groups.keys()].reverse()) {
      const group = this.groups.get(path);
      if (group === undefined || !(group.isGone || group.spec.isDynamic)) continue;
      if (this.below(path).length > 0) continue;
      this.groups.delete(path);
      this.renewed.add(path);
      this.lastLimits.set(path, group.spec.hardConcurrencyLimit);
    }
  }
}

const isIn = (path: string, group: string): boolean => path === group || path.startsWith(`${group}.`);
