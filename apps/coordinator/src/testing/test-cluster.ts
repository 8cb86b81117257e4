import { create } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { nodeId, seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { CoordinatorStatusSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import type { DirectoryNode } from '@tutti/discovery';
import type { GroupConfig } from '@tutti/resource-groups';
import { AddressWatcher, createMetrics, type Routes } from '@tutti/service';
import { memoryTransport, TestLog } from '@tutti/service/testing';
import type { Catalog } from '@tutti/sql';
import { type Coordinator, createCoordinator } from '../coordinator.js';
import { FakeDirectory } from './fake-directory.js';
import { FakeGroupFile, oneGroup } from './fake-group-file.js';
import { FakeLeaseDesk } from './fake-lease-desk.js';
import { FakePlanner } from './fake-planner.js';
import { FakeResourceManager } from './fake-resource-manager.js';
import { FakeWorker } from './fake-worker.js';

export { groupsOf, oneGroup } from './fake-group-file.js';
export { Listening } from './listening.js';

const catalogs: Catalog[] = ['demo', 'tpch'].map((name) => ({ name, schemas: [{ name: 'main', tables: [] }] }));

const REPORTS_AT_ONCE = 4;

export interface TestCoordinator extends Coordinator {
  readonly id: string;
  readonly suffix: string;
  readonly client: Client<typeof QueryService>;
  readonly groupClient: Client<typeof ResourceGroupService>;
  readonly groupFile: FakeGroupFile;
  readonly transport: Transport;
  readonly planner: FakePlanner;
  readonly log: TestLog;
  /** The text of its metrics. */
  expose(): Promise<string>;
}

/** Coordinators, workers and resource managers in one process, with a clock that moves when it is told. */
export class TestCluster {
  readonly clock = new FakeClock(1_000);
  readonly resourceManagers: readonly FakeResourceManager[];
  readonly workers = new Map<string, FakeWorker>();
  readonly coordinators: TestCoordinator[] = [];
  private readonly transports = new Map<string, Transport>();
  private readonly stopped = new AbortController();
  private readonly directory = new FakeDirectory(() => this.reachable);
  private reportsDue = 0;

  constructor(resourceManagerIds: readonly string[] = ['rm']) {
    this.resourceManagers = resourceManagerIds.map((id) => new FakeResourceManager(nodeId(id), this.clock));
    for (const manager of this.resourceManagers) {
      this.directory.add(manager.id, { role: 'resourceManager' });
      this.listen(manager.id, (router) => {
        router.service(ResourceGroupService, manager.usage);
        router.service(ClusterService, manager.cluster);
      });
    }
    this.directory.onChange(() => this.tellMembership());
    this.beat();
  }

  /** The first resource manager. */
  get resourceManager(): FakeResourceManager {
    const [first] = this.resourceManagers;
    if (first === undefined) throw new Error('the cluster has no resource manager');
    return first;
  }

  /** The reachable resource manager that deals the slots of a group. */
  ownerOf(group: string): string | undefined {
    return this.resourceManagers.find(({ reachable, leases }) => reachable && leases?.owns(group))?.id;
  }

  worker(id: string): FakeWorker {
    const worker = new FakeWorker(id, this.clock);
    this.workers.set(id, worker);
    this.listen(id, (router) => router.service(TaskService, worker.service));
    const load = { runningTasks: 0, tasksMax: 4, memoryReservedBytes: 0, memoryLimitBytes: 4 << 20, sequence: 1 };
    this.directory.add(id, { role: 'worker', load });
    return worker;
  }

  coordinator(id: string, suffix: string, groupConfig: GroupConfig = oneGroup(100)): TestCoordinator {
    const planner = new FakePlanner();
    const log = new TestLog();
    const groupFile = new FakeGroupFile(groupConfig);
    this.configure(groupConfig);
    groupFile.onChange(({ config }) => this.configure(config));
    const metrics = createMetrics({}, { processMetrics: false });
    let sequence = 0;
    const report = () => {
      const { value } = coordinator.status();
      const status = create(CoordinatorStatusSchema, value as object);
      const number = ++sequence;
      for (const manager of this.resourceManagers) manager.report(id, 1, number, status);
      if (this.reachable.length > 0) coordinator.heard(this.clock.now());
    };
    const coordinator: Coordinator = createCoordinator({
      nodeId: nodeId(id),
      incarnation: 1,
      querySuffix: suffix,
      config: {
        catalogs: { path: [], default: 'demo' },
        usage: { maxAge: 3_000, refreshInterval: 100 },
        query: {
          maxExecutionTime: 3_600_000,
          maxLength: 1 << 20,
          clientTimeout: 300_000,
          requiredWorkersMaxWait: 300_000,
        },
        history: { maxBytes: 1 << 20, keep: 900_000 },
        distribution: {
          mode: 'auto',
          tasksPerWorker: 4,
          taskRows: 5_000_000,
          broadcastRowsMax: 200_000,
          replicatedRowsMax: 200_000,
          adaptive: true,
          exchangeCompression: 'none',
        },
      },
      catalogs,
      groupFile,
      planner,
      directory: this.directory,
      addresses: new AddressWatcher({
        ...{
          specs: this.resourceManagers.map((manager) => manager.id),
          resolveIntervalMs: 5_000,
          resolve: async () => [],
        },
        ...{ clock: this.clock, log },
      }),
      transportTo: (address) => this.transportTo(address),
      connect: (address) => ({ ...this.transportTo(address), close: () => {} }),
      heartbeats: { sendSoon: report, nextSequence: () => ++sequence },
      clock: this.clock,
      random: seededRandom(1),
      log,
      metrics,
    });
    const beat = () => {
      if (this.stopped.signal.aborted) return;
      if (this.reachable.length > 0) coordinator.heard(this.clock.now());
      this.clock.schedule(1_000, beat);
    };
    beat();
    this.listen(id, coordinator.routes);
    this.directory.add(id, { role: 'coordinator', querySuffix: suffix });
    void coordinator.run(this.stopped.signal);
    const transport = this.transportTo(id);
    const client = createClient(QueryService, transport);
    const groupClient = createClient(ResourceGroupService, transport);
    const expose = async () => (await metrics.expose()).text;
    const test = { ...coordinator, id, suffix, planner, log, transport, client, groupClient, groupFile, expose };
    this.coordinators.push(test);
    return test;
  }

  /** Lets coordinators, workers and the owners of groups hear of each other. */
  async meet(): Promise<void> {
    await this.clock.advance(50);
  }

  /** Takes a node out of the directory, or changes what the directory says of it. */
  change(id: string, change: Partial<DirectoryNode> | 'gone'): void {
    this.directory.change(id, change);
  }

  /** Cuts a node off the network. */
  cut(id: string): void {
    this.transports.delete(id);
  }

  stop(): void {
    this.stopped.abort();
  }

  /** Lets everything happen that can happen now, until `condition` holds; moves the clock by `stepMs` between looks. */
  async until(condition: () => boolean, stepMs = 0): Promise<void> {
    for (let look = 0; look < 2_000; look++) {
      if (condition()) return;
      await this.clock.advance(stepMs);
    }
    throw new Error(`it never came about: ${condition.toString()}`);
  }

  private get reachable(): readonly string[] {
    return this.resourceManagers.filter(({ reachable }) => reachable).map(({ id }) => id);
  }

  /** The resource managers keep to the groups that were last told. */
  private configure(config: GroupConfig): void {
    const seats = this.resourceManagers.map(({ id }) => id);
    for (const manager of this.resourceManagers) {
      if (manager.leases) manager.leases.apply({ kind: 'configured', config });
      else
        manager.leases = new FakeLeaseDesk({
          ...{ id: manager.id, seats, config, clock: this.clock, onNote: () => this.reportSoon() },
          toSeat: (to, message) =>
            this.clock.schedule(1, () => {
              const other = this.resourceManagers.find(({ id }) => id === to);
              if (manager.reachable && other?.reachable) other.leases?.apply({ kind: 'seatMessage', message });
            }),
        });
    }
    this.tellMembership();
  }

  private tellMembership(): void {
    const { directory } = this;
    const coordinators = directory
      .lives('coordinator')
      .map(({ nodeId, incarnation }) => ({ coordinatorId: nodeId, incarnation }));
    const workers = directory.lives('worker').map(({ nodeId, incarnation }) => ({ workerId: nodeId, incarnation }));
    const memoryBytes = directory.lives('worker').reduce((sum, { load }) => sum + (load?.memoryLimitBytes ?? 0), 0);
    for (const { leases } of this.resourceManagers) {
      leases?.apply({ kind: 'membership', coordinators, workers });
      leases?.apply({ kind: 'measured', cluster: { activeWorkers: workers.length, memoryBytes }, levels: [] });
    }
    this.reportSoon();
  }

  /** Workers report every second, and a few times at once when nodes have come: they ask until they have heard an owner. */
  private beat(): void {
    if (this.stopped.signal.aborted) return;
    this.reportSoon();
    this.clock.schedule(1_000, () => this.beat());
  }

  private reportSoon(): void {
    if (this.reportsDue > 0) return;
    this.reportsDue = REPORTS_AT_ONCE;
    this.clock.schedule(0, () => this.report());
  }

  private report(): void {
    for (const worker of this.workers.values())
      for (const { leases } of this.resourceManagers)
        if (worker.mode !== 'unreachable' && leases) worker.hear(leases.report(worker.report()));
    if (--this.reportsDue > 0) this.clock.schedule(0, () => this.report());
  }

  private listen(address: string, routes: Routes): void {
    this.transports.set(address, memoryTransport(routes));
  }

  private transportTo(address: string): Transport {
    const unreachable = () => Promise.reject(new ConnectError('No connection established', Code.Unavailable));
    return {
      unary: (...call) => this.transports.get(address)?.unary(...call) ?? unreachable(),
      stream: (...call) => this.transports.get(address)?.stream(...call) ?? unreachable(),
    };
  }
}
