import { create } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { nodeId, seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { CoordinatorStatusSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type { ExecuteQueryResponse, QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import { QueryService, QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import type { DirectoryNode } from '@tutti/discovery';
import type { GroupConfig } from '@tutti/resource-groups';
import { createMetrics, type Routes } from '@tutti/service';
import { memoryTransport, TestLog } from '@tutti/service/testing';
import type { Catalog } from '@tutti/sql';
import { type Coordinator, createCoordinator } from '../coordinator.js';
import { FakeGroupFile, oneGroup } from './fake-group-file.js';
import { FakePlanner } from './fake-planner.js';
import { FakeResourceManager } from './fake-resource-manager.js';
import { FakeWorker } from './fake-worker.js';

export { groupsOf, oneGroup } from './fake-group-file.js';

const catalogs: Catalog[] = ['demo', 'tpch'].map((name) => ({ name, schemas: [{ name: 'main', tables: [] }] }));

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

/** Coordinators, workers and a resource manager in one process, with a clock that moves when it is told. */
export class TestCluster {
  readonly clock = new FakeClock(1_000);
  readonly resourceManager = new FakeResourceManager(this.clock);
  readonly workers = new Map<string, FakeWorker>();
  readonly coordinators: TestCoordinator[] = [];
  private readonly transports = new Map<string, Transport>();
  private readonly listeners = new Set<() => void>();
  private readonly stopped = new AbortController();
  private nodes: DirectoryNode[] = [];

  constructor() {
    this.listen('rm', (router) => {
      router.service(ResourceGroupService, this.resourceManager.usage);
      router.service(ClusterService, this.resourceManager.cluster);
    });
  }

  worker(id: string): FakeWorker {
    const worker = new FakeWorker(this.clock);
    this.workers.set(id, worker);
    this.listen(id, (router) => router.service(TaskService, worker.service));
    const load = { runningTasks: 0, tasksMax: 4, memoryReservedBytes: 0, memoryLimitBytes: 4 << 20, sequence: 1 };
    this.addNode({ nodeId: nodeId(id), role: 'worker', load });
    return worker;
  }

  coordinator(id: string, suffix: string, groupConfig: GroupConfig = oneGroup(100)): TestCoordinator {
    const planner = new FakePlanner();
    const log = new TestLog();
    const groupFile = new FakeGroupFile(groupConfig);
    const metrics = createMetrics({}, { processMetrics: false });
    let sequence = 0;
    const report = () => {
      const { value } = coordinator.status();
      this.resourceManager.report(id, 1, ++sequence, create(CoordinatorStatusSchema, value as object));
      if (this.resourceManager.reachable) coordinator.heard(this.clock.now());
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
      },
      catalogs,
      groupFile,
      planner,
      directory: {
        nodes: () => this.nodes,
        activeWorkers: () => this.nodes.filter(({ role, state }) => role === 'worker' && state === 'ACTIVE'),
        byQuerySuffix: (wanted) => this.nodes.find(({ querySuffix }) => querySuffix === wanted),
        get: (wanted) => this.nodes.find((node) => node.nodeId === wanted),
        onChange: (listener) => {
          this.listeners.add(listener);
          return () => this.listeners.delete(listener);
        },
        resourceManagers: () => (this.resourceManager.reachable ? ['rm'] : []),
      },
      transportTo: (address) => this.transportTo(address),
      heartbeats: { sendSoon: report, nextSequence: () => ++sequence },
      clock: this.clock,
      random: seededRandom(1),
      log,
      metrics,
    });
    const beat = () => {
      if (this.stopped.signal.aborted) return;
      if (this.resourceManager.reachable) coordinator.heard(this.clock.now());
      this.clock.schedule(1_000, beat);
    };
    beat();
    this.listen(id, coordinator.routes);
    this.addNode({ nodeId: nodeId(id), role: 'coordinator', querySuffix: suffix });
    void coordinator.run(this.stopped.signal);
    const transport = this.transportTo(id);
    const client = createClient(QueryService, transport);
    const groupClient = createClient(ResourceGroupService, transport);
    const expose = async () => (await metrics.expose()).text;
    const test = { ...coordinator, id, suffix, planner, log, transport, client, groupClient, groupFile, expose };
    this.coordinators.push(test);
    return test;
  }

  /** Takes a node out of the directory, or changes what the directory says of it. */
  change(id: string, change: Partial<DirectoryNode> | 'gone'): void {
    this.nodes =
      change === 'gone'
        ? this.nodes.filter((node) => node.nodeId !== id)
        : this.nodes.map((node) => (node.nodeId === id ? { ...node, ...change } : node));
    for (const listener of [...this.listeners]) listener();
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

  private addNode(node: Partial<DirectoryNode> & Pick<DirectoryNode, 'nodeId' | 'role'>): void {
    this.nodes.push({
      incarnation: 1,
      version: 1,
      state: 'ACTIVE',
      announcedState: 'ACTIVE',
      clusterAddress: node.nodeId,
      edgeAddress: node.nodeId,
      querySuffix: '',
      programVersion: '',
      ageMs: 0,
      ...node,
    });
    for (const listener of [...this.listeners]) listener();
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

/** What a client has heard of its query so far, and how the call ended. */
export class Listening {
  readonly events: ExecuteQueryResponse['event'][] = [];
  error: ConnectError | undefined;
  over = false;
  private readonly leaving = new AbortController();

  constructor(client: Client<typeof QueryService>, request: Parameters<typeof client.executeQuery>[0]) {
    void this.listen(client.executeQuery(request, { signal: this.leaving.signal }));
  }

  leave(): void {
    this.leaving.abort();
  }

  /** The states in the order in which they were told. */
  get states(): string[] {
    return this.queries.map(({ state }) => QueryState[state]);
  }

  get queries(): QueryInfo[] {
    return this.events.flatMap((event) => (event.case === 'query' ? [event.value] : []));
  }

  get last(): QueryInfo | undefined {
    return this.queries.at(-1);
  }

  get rowCount(): number {
    return this.events.reduce((sum, event) => sum + (event.case === 'rows' ? event.value.rows.length : 0), 0);
  }

  private async listen(stream: AsyncIterable<ExecuteQueryResponse>): Promise<void> {
    try {
      for await (const { event } of stream) this.events.push(event);
    } catch (error) {
      this.error = ConnectError.from(error);
    }
    this.over = true;
  }
}
