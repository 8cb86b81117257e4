import { type Instant, type Random, seededRandom } from '@tutti/base';
import { type GroupConfig, type UsageSnapshot, type WaitExplanation, type WorkerTask } from '@tutti/resource-groups';
import { type Breach, RunningCounts } from './running-counts.js';
import { SimCoordinator } from './sim-coordinator.js';
import { calmNetwork, type NetworkFaults, SimNetwork } from './sim-network.js';
import { SimResourceManager } from './sim-resource-manager.js';
import { VirtualTime } from './virtual-time.js';

export interface SimClusterOptions {
  readonly seed: number;
  readonly config: GroupConfig;
  readonly coordinatorCount: number;
  readonly resourceManagerCount: number;
  readonly faults?: NetworkFaults;
  readonly tamper?: (usage: UsageSnapshot, now: Instant) => UsageSnapshot;
}

type QueryEnd = 'ended' | 'rejected' | 'lost';

/** What a query asks for, and what it takes while it runs. */
export interface QueryWishes {
  readonly priority?: number;
  readonly memoryBytes?: number;
  readonly cpuMs?: number;
}

export interface SimQuery {
  readonly group: string;
  readonly durationMs: number;
  readonly memoryBytes: number;
  readonly cpuMs: number;
  /** Set when it comes. */
  id: string;
  coordinator: SimCoordinator | undefined;
  submittedAt: number;
  state: 'planned' | 'submitted' | 'running' | QueryEnd;
}

const USAGE_MAX_AGE_MS = 3_000;
const EXPIRE_AFTER_MS = 10_000;
const LEASE_MS = 10_000;
/** Workers end the tasks of a coordinator that they do not hear of any more. */
const ORPHAN_MS = 12_000;
const WORKER = 'worker';
const WORKERS = { activeWorkers: 10, memoryBytes: 1_000 };

/** One world from one seed. What runs is counted where it runs, on the workers, never from anybody's books. */
export class SimCluster {
  readonly time = new VirtualTime();
  readonly random: Random;
  /** Those that live, one life after another in the same place. */
  readonly coordinators: SimCoordinator[];
  readonly resourceManagers: readonly SimResourceManager[];
  /** What runs in each group. */
  readonly groups = new RunningCounts();
  /** Milliseconds that each started query waited. */
  readonly waitsMs: number[] = [];
  /** Queries in the order in which they started. */
  readonly started: string[] = [];
  /** How many queries waited, when a scenario looked. */
  readonly waitingSeen: number[] = [];
  /** What waiting queries said, when a scenario looked. */
  readonly explanations = new Map<string, WaitExplanation>();
  private config: GroupConfig;
  private readonly queries = new Map<string, SimQuery>();
  private readonly network: SimNetwork;
  private unfinished = 0;
  private planned = 0;
  private workerSequence = 0;
  private workerReportPending = false;
  private idleSince = 0;
  private idleSlotMs = 0;
  private demandedSlotMs = 0;

  constructor(private readonly options: SimClusterOptions) {
    this.random = seededRandom(options.seed);
    this.config = options.config;
    this.network = new SimNetwork(this.time, this.random, options.faults ?? calmNetwork);
    const ids = Array.from({ length: options.coordinatorCount }, (_, index) => `coordinator-${index}`);
    this.resourceManagers = Array.from(
      { length: options.resourceManagerCount },
      (_, index) => new SimResourceManager(`rm-${index}`, this.time, [...ids, WORKER], EXPIRE_AFTER_MS, LEASE_MS),
    );
    this.coordinators = ids.map((id) => this.createCoordinator(id, 1));
    const beat = (): void => {
      this.reportWorker();
      this.time.after(1_000, beat);
    };
    beat();
  }

  /** A query that comes `atMs` and runs `durationMs` once it has started. */
  submit(atMs: number, place: number, group: string, durationMs: number, wishes: QueryWishes = {}): SimQuery {
    const { priority = 1, memoryBytes = 0, cpuMs = 0 } = wishes;
    const query: SimQuery = {
      ...{ group, durationMs, memoryBytes, cpuMs },
      ...{ id: '', coordinator: undefined, submittedAt: 0, state: 'planned' },
    };
    this.groups.allow(this.config, group);
    const number = String(this.planned++).padStart(5, '0');
    this.unfinished++;
    this.time.after(atMs - this.time.now(), () => {
      const coordinator = this.coordinatorAt(place);
      query.id = `20260101_000000_${number}_${coordinator.queryIdSuffix}`;
      query.coordinator = coordinator;
      query.submittedAt = this.time.now();
      this.queries.set(query.id, query);
      this.account();
      query.state = 'submitted';
      if (coordinator.isUp) coordinator.submit(query.id, group, priority);
      else this.end(query, 'lost');
    });
    return query;
  }

  /** Ends a query from outside, whatever its state. */
  cancel(atMs: number, query: SimQuery): void {
    this.time.after(atMs - this.time.now(), () => {
      this.end(query, 'ended');
      query.coordinator?.finish(query.id);
    });
  }

  /** The coordinator dies; its tasks run on until the workers notice. With `backAfterMs` a new life follows. */
  crash(place: number, backAfterMs?: number): void {
    const coordinator = this.coordinatorAt(place);
    coordinator.crash();
    for (const query of this.queries.values()) {
      if (query.coordinator !== coordinator) continue;
      if (query.state === 'submitted') this.end(query, 'lost');
      if (query.state === 'running') this.time.after(ORPHAN_MS, () => this.end(query, 'lost'));
    }
    if (backAfterMs === undefined) return;
    this.time.after(backAfterMs, () => {
      this.coordinators[place % this.coordinators.length] = this.createCoordinator(coordinator.id, 2);
    });
  }

  /** The file changes: each coordinator reads it within `spreadMs`. Limits that are checked are the greatest ones. */
  reload(atMs: number, config: GroupConfig, spreadMs: number): void {
    this.time.after(atMs - this.time.now(), () => {
      this.config = config;
      for (const coordinator of this.coordinators)
        this.time.after(spreadMs * this.random(), () => coordinator.reload(config));
    });
  }

  /** Runs until every query has ended, or until `endMs`. Returns how many have not. */
  run(endMs: number): number {
    this.time.run(endMs, () => this.unfinished === 0);
    return this.unfinished;
  }

  /** Part of the root group's slots that queries waited for and that were used. */
  get utilization(): number {
    return this.demandedSlotMs === 0 ? 1 : 1 - this.idleSlotMs / this.demandedSlotMs;
  }

  /** How long a slot of the root group stays free while somebody waits, until a query takes it: the mean. */
  get pickupMs(): number {
    return this.waitsMs.length === 0 ? 0 : this.idleSlotMs / this.waitsMs.length;
  }

  /** Questions that each coordinator asked per second, since `sinceMs`: the mean. */
  questionsPerSecond(sinceMs: number): number {
    const questions = this.coordinators.reduce((sum, { questions }) => sum + questions, 0);
    return questions / this.coordinators.length / ((this.time.now() - sinceMs) / 1_000);
  }

  /** Notes what waits `atMs`. */
  lookAtQueues(atMs: number): void {
    this.time.after(atMs - this.time.now(), () => {
      const waiting = [...this.queries.values()].filter(({ state }) => state === 'submitted');
      this.waitingSeen.push(waiting.length);
      for (const { id, coordinator } of waiting) {
        const explanation = coordinator?.explain(id);
        if (explanation !== undefined) this.explanations.set(id, explanation);
      }
    });
  }

  /** Where and when more ran than may. */
  get breaches(): readonly Breach[] {
    return this.groups.breaches;
  }

  private coordinatorAt(place: number): SimCoordinator {
    const coordinator = this.coordinators[place % this.coordinators.length];
    if (coordinator === undefined) throw new RangeError('a cluster has coordinators');
    return coordinator;
  }

  private createCoordinator(id: string, incarnation: number): SimCoordinator {
    return new SimCoordinator({
      id,
      incarnation,
      config: this.config,
      workers: WORKERS,
      usageMaxAgeMs: USAGE_MAX_AGE_MS,
      resourceManagers: this.resourceManagers,
      time: this.time,
      network: this.network,
      random: this.random,
      onStart: (queryId) => this.start(this.query(queryId)),
      onReject: (queryId) => this.end(this.query(queryId), 'rejected'),
      ...(this.options.tamper && { tamper: this.options.tamper }),
    });
  }

  private query(id: string): SimQuery {
    const query = this.queries.get(id);
    if (query === undefined) throw new Error(`nobody submitted ${id}`);
    return query;
  }

  private start(query: SimQuery): void {
    if (query.state !== 'submitted') throw new Error(`${query.id} started while ${query.state}`);
    this.account();
    query.state = 'running';
    this.started.push(query.id);
    this.waitsMs.push(this.time.now() - query.submittedAt);
    this.groups.enter(query.group, this.time.now());
    this.reportWorkerSoon();
    this.useSoon(query);
    this.time.after(query.durationMs, () => {
      if (query.state !== 'running') return;
      this.end(query, 'ended');
      // The stream of a task ends or breaks: its coordinator hears of it in any case.
      this.time.after(5 * this.random(), () => query.coordinator?.finish(query.id));
    });
  }

  /** Its coordinator hears what it uses soon after it has started, and again when it is half done. */
  private useSoon(query: SimQuery): void {
    const { memoryBytes, cpuMs, durationMs } = query;
    if (memoryBytes + cpuMs === 0) return;
    for (const part of [0.1 * this.random(), 0.5])
      this.time.after(durationMs * part, () => {
        if (query.state === 'running') query.coordinator?.use(query.id, memoryBytes, cpuMs * part);
      });
  }

  private end(query: SimQuery, state: QueryEnd): void {
    if (query.state !== 'submitted' && query.state !== 'running') return;
    this.account();
    if (query.state === 'running') this.groups.leave(query.group);
    query.state = state;
    this.unfinished--;
    this.reportWorkerSoon();
  }

  /** Adds up, until now, the slots of the first root group that waited for somebody. */
  private account(): void {
    const [root] = this.options.config.rootGroups;
    const elapsed = this.time.now() - this.idleSince;
    this.idleSince = this.time.now();
    if (root === undefined || elapsed === 0) return;
    const running = this.groups.running(root.name);
    let waiting = 0;
    for (const { state } of this.queries.values()) if (state === 'submitted') waiting++;
    const idle = Math.min(Math.max(0, root.hardConcurrencyLimit - running), waiting);
    this.idleSlotMs += idle * elapsed;
    this.demandedSlotMs += (running + idle) * elapsed;
  }

  private reportWorkerSoon(): void {
    if (this.workerReportPending) return;
    this.workerReportPending = true;
    this.time.after(20, () => {
      this.workerReportPending = false;
      this.reportWorker();
    });
  }

  private reportWorker(): void {
    const tasks: WorkerTask[] = [];
    for (const { id: queryId, state, coordinator, group } of this.queries.values())
      if (state === 'running' && coordinator) tasks.push({ queryId, coordinatorId: coordinator.id, group });
    const sequence = ++this.workerSequence;
    for (const manager of this.resourceManagers) this.network.send(() => manager.workerReport(WORKER, sequence, tasks));
  }
}
