// A cluster on a virtual clock and network: real group trees, lease desks, seats, usage ledgers and task fences, in the
// little of a shell that each needs. Everything that happens follows from the plan and its seed.
import { type Random, seededRandom } from '@tutti/base';
import { type GroupConfig, type GroupSpec, shardOfGroup } from '@tutti/resource-groups';
import { AdmissionChecks, type Violation } from '../checks/admission-checks.js';
import { LeaseWatch } from '../checks/lease-watch.js';
import { SimNetwork } from '../kernel/sim-network.js';
import type { SimProcess, Surroundings } from '../kernel/sim-process.js';
import { Timeline } from '../kernel/timeline.js';
import { SimCoordinator } from '../nodes/sim-coordinator.js';
import { SimResourceManager } from '../nodes/sim-resource-manager.js';
import { SimWorker } from '../nodes/sim-worker.js';
import { RedealWatch } from './redeal-watch.js';
import { OWNER, type Plan, type Target } from './planned.js';
import type { PlantedBugs } from './planted-bugs.js';
import type { QueryEnd, SimQuery } from './sim-query.js';
import { Trace } from './trace.js';

export interface WorldOptions {
  readonly bugs?: PlantedBugs;
  /** How many lines are told of it; 0: it is not told. */
  readonly traceLines?: number;
  readonly onViolation?: (violation: Violation) => void;
}

export class SimWorld implements Surroundings {
  readonly time = new Timeline();
  readonly random: Random;
  readonly driftMax: number;
  readonly network: SimNetwork;
  readonly checks: AdmissionChecks;
  readonly redeals = new RedealWatch(this);
  readonly leaseWatch: LeaseWatch;
  readonly coordinators: readonly SimCoordinator[];
  readonly resourceManagers: readonly SimResourceManager[];
  readonly workers: readonly SimWorker[];
  readonly trace: Trace | undefined;
  readonly queries: SimQuery[] = [];
  readonly bugs: PlantedBugs;
  /** Of the file of groups that processes read when they start. */
  config: GroupConfig;
  /** Messages of leases between coordinators and resource managers, and questions and answers about usage. */
  leaseMessages = 0;
  usageMessages = 0;
  /** Times that a coordinator said it holds what is not booked for it. */
  overclaims = 0;
  unfinished = 0;
  /** Whether some group has limits besides the number of queries. */
  readonly measuresLevels: boolean;
  private readonly shards = new Map<string, number>();
  private readonly open = new Set<SimQuery>();

  constructor(
    readonly plan: Plan,
    options: WorldOptions = {},
  ) {
    this.bugs = options.bugs ?? {};
    this.random = seededRandom(plan.seed);
    this.driftMax = plan.driftMax;
    this.leaseWatch = new LeaseWatch(this);
    this.config = plan.config;
    this.measuresLevels = plan.config.rootGroups.some(hasSoftLimits);
    this.network = new SimNetwork(this.time, this.random, plan.network);
    const now = (): number => this.time.now;
    this.trace = options.traceLines ? new Trace(now, options.traceLines) : undefined;
    this.checks = new AdmissionChecks(plan.config, now, plan.slackUntilMs, (violation) => {
      this.trace?.note('!!!', `${violation.rule}: ${violation.text}`);
      options.onViolation?.(violation);
    });
    let index = 0;
    const many = <T>(count: number, make: (name: number, index: number) => T): T[] =>
      Array.from({ length: count }, (_, place) => make(place + 1, index++));
    this.resourceManagers = many(plan.resourceManagers, (name, at) => new SimResourceManager(this, `m${name}`, at));
    this.coordinators = many(plan.coordinators, (name, at) => new SimCoordinator(this, `c${name}`, at));
    this.workers = many(plan.workers, (name, at) => new SimWorker(this, `w${name}`, at));
  }

  get everybody(): readonly SimProcess[] {
    return [...this.resourceManagers, ...this.coordinators, ...this.workers];
  }

  start(): void {
    for (const process of this.everybody) this.time.after(20 * this.random(), () => process.start());
  }

  /** Undefined when nobody is meant by it now. */
  process(target: Target): SimProcess | undefined {
    return target === OWNER ? this.owner : this.everybody.find(({ name }) => name === target);
  }

  /** Who owns the first root group, as it believes itself. */
  get owner(): SimResourceManager | undefined {
    const [root] = this.config.rootGroups;
    if (root === undefined) return undefined;
    const shard = this.shardOf(root.name);
    const believers = this.resourceManagers.filter((manager) => manager.isAlive && manager.epochOf(shard) > 0);
    return believers.sort((a, b) => b.epochOf(shard) - a.epochOf(shard))[0];
  }

  /** The coordinator that a client finds: the one at the place, or the next that lives and takes queries. */
  coordinatorAt(place: number): SimCoordinator | undefined {
    const { coordinators } = this;
    for (let step = 0; step < coordinators.length; step++) {
      const coordinator = coordinators[(place + step) % coordinators.length];
      if (coordinator?.takesQueries) return coordinator;
    }
    return undefined;
  }

  /** Which part of the root groups one owner deals. */
  shardOf(rootGroup: string): number {
    let shard = this.shards.get(rootGroup);
    if (shard === undefined) this.shards.set(rootGroup, (shard = shardOfGroup(rootGroup)));
    return shard;
  }

  placementMs(): number {
    return this.plan.placementMaxMs * this.random();
  }

  /** A query has come to a coordinator. */
  submitted(query: SimQuery): void {
    this.open.add(query);
    this.checks.submitted(query);
  }

  end(query: SimQuery, how: QueryEnd): void {
    if (!query.isOver) this.unfinished--;
    this.open.delete(query);
    this.checks.ended(query, how);
  }

  /** Those that have come and not ended. */
  openQueries(): Iterable<SimQuery> {
    return this.open;
  }
}

const hasSoftLimits = ({
  softMemoryLimit,
  softCpuLimitMs,
  hardCpuLimitMs,
  workersPerQueryLimit,
  subGroups,
}: GroupSpec): boolean =>
  softMemoryLimit !== undefined ||
  softCpuLimitMs !== undefined ||
  hardCpuLimitMs !== undefined ||
  workersPerQueryLimit > 0 ||
  subGroups.some(hasSoftLimits);
