// One coordinator, wired from its parts. What comes from outside (the engine, the other nodes, time) is passed in, so
// that tests run whole coordinators in one process.
import type { Transport } from '@connectrpc/connect';
import { type Clock, type Instant, QueryIdGenerator, type NodeId, type Random } from '@tutti/base';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { Planner } from '@tutti/engine';
import type { GroupFile } from '@tutti/group-file';
import type { NodeStatus } from '@tutti/heartbeat';
import { GroupTree } from '@tutti/resource-groups';
import type { AddressWatcher, ClosableTransport, Log, Metrics, Routes } from '@tutti/service';
import type { Catalog } from '@tutti/sql';
import { clusterProxy, resourceGroupProxy } from './cluster-proxy.js';
import { createCoordinatorMetrics } from './coordinator-metrics.js';
import { coordinatorStatus, EndedWindow, ReportPacer } from './coordinator-status.js';
import { Contact } from './core/contact.js';
import { Placements } from './core/placement.js';
import { failure } from './core/query.js';
import { QueryHistory } from './core/query-history.js';
import { Dispatcher } from './dispatcher.js';
import { createFragmentClient } from './fragment-client.js';
import { createLeaseSource } from './lease-client.js';
import { LeaseStreams } from './lease-streams.js';
import { CapacityWatch, type Directory, peersIn, workersIn } from './node-views.js';
import { CoordinatorQueries } from './own-queries.js';
import { Peers } from './peers.js';
import { QueryExecution } from './query-execution.js';
import { QueryFinder } from './query-finder.js';
import { QueryList } from './query-list.js';
import { QueuedList } from './queued-list.js';
import { queryService } from './query-service.js';
import { type CoordinatorConfig, distributionOf } from './settings.js';
import { SubmittedQueries } from './submitted-queries.js';
import { createTaskClient } from './task-client.js';
import { TaskEnds } from './task-ends.js';
import { TaskPlacement } from './task-placement.js';
import { TaskWatch } from './task-watch.js';
import { createUsageClient } from './usage-client.js';
import { UsagePoller } from './usage-poller.js';

export interface CoordinatorOptions {
  readonly nodeId: NodeId;
  readonly incarnation: number;
  readonly querySuffix: string;
  readonly config: Pick<CoordinatorConfig, 'catalogs' | 'usage' | 'query' | 'history' | 'distribution'>;
  readonly catalogs: readonly Catalog[];
  readonly groupFile: Pick<GroupFile, 'current' | 'status' | 'onChange' | 'run'>;
  readonly planner: Planner;
  readonly directory: Directory;
  /** The resource managers, whether they answer or not. */
  readonly addresses: AddressWatcher;
  /** A channel to a node of the cluster; the same one for the same address. */
  readonly transportTo: (address: string) => Transport;
  /** Opens a channel to a resource manager, for streams that are closed with it. */
  readonly connect: (address: string) => ClosableTransport;
  readonly heartbeats: { sendSoon(): void; nextSequence(): number };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** So many bytes of a result have been given to the connection of its client. */
  readonly onPassedBytes?: (bytes: number) => void;
}

export interface Coordinator {
  readonly routes: Routes;
  readonly dispatcher: Dispatcher;
  readonly submitted: SubmittedQueries;
  /** What its heartbeats say. */
  status(): NodeStatus;
  /** A resource manager has heard the heartbeat that was sent at `sentAt`. */
  heard(sentAt: Instant): void;
  /** Another process has the node id: nobody deals slots to this one. */
  nameTaken(message: string): void;
  /** Does what has to be done again and again, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { nodeId, incarnation, querySuffix, config, groupFile, directory, transportTo, clock, random, log } = options;
  const metrics = createCoordinatorMetrics(options.metrics);
  const history = new QueryHistory({ bytesMax: config.history.maxBytes, keepMs: config.history.keep });
  const ids = new QueryIdGenerator(querySuffix);
  const life = { coordinatorId: nodeId, incarnation };
  const groups = new GroupTree({
    config: groupFile.current.config,
    usageMaxAgeMs: config.usage.maxAge,
    leases: { life, random },
  });

  // From a statement to its rows.
  const tasks = createTaskClient({ coordinatorId: nodeId, transportTo, clock });
  const workers = workersIn(directory);
  const maxWaitMs = config.query.requiredWorkersMaxWait;
  const taskEnds = new TaskEnds({ tasks, workers, clock, log });
  const placements = new Placements();
  const placement = new TaskPlacement({ tasks, taskEnds, workers, placements, maxWaitMs, clock, random });
  const endedWindow = new EndedWindow();
  const contact = new Contact(config.usage.maxAge);
  const taskWatch = new TaskWatch({ tasks, clock });
  const fragments = createFragmentClient(transportTo);
  const execution = new QueryExecution({ placement, tasks, fragments, taskEnds, taskWatch, workers, clock, log });
  const pacer = new ReportPacer({
    queryCount: () => dispatcher.queries().size,
    sendSoon: () => options.heartbeats.sendSoon(),
    clock,
  });
  const dispatcher: Dispatcher = new Dispatcher({
    planner: options.planner,
    groups,
    execution,
    history,
    metrics,
    nextQueryId: () => ids.next(clock.wallMs()),
    reportSoon: pacer.reportSoon,
    usage: { ask: () => poller.ask(), watch: () => poller.watch() },
    demand: ({ seat, shard, demand }) => leases.send(seat, shard, demand),
    dealAgainInMs(now) {
      const at = leases.dealAgainAt(now);
      return at === undefined ? undefined : at - now;
    },
    contact,
    distribution: distributionOf(config),
    clock,
    log,
  });

  const { admission } = dispatcher;

  // What the owners of the groups let this one run.
  const leases: LeaseStreams = new LeaseStreams({
    ...options,
    source: createLeaseSource({ life, connect: options.connect }),
    onNews: (news) => admission.hear(news),
    onLost: (seat) => admission.apply({ kind: 'leaseStreamLost', seat }),
    onDemands: () => metrics.admissionRpcs.inc({ kind: 'demand' }),
  });

  // What the other coordinators run.
  const poller: UsagePoller = new UsagePoller({
    source: createUsageClient({ nodeId, incarnation, transportTo }),
    addresses: () => directory.resourceManagers(),
    question: () => {
      metrics.admissionRpcs.inc({ kind: 'question' });
      const sequence = options.heartbeats.nextSequence();
      return { sequence, groups: groups.counts(), configVersion: groupFile.current.version };
    },
    someoneWaits: () => admission.someoneWaits,
    onTick: () => admission.apply({ kind: 'tick' }),
    onUsage: (usage) => {
      contact.heard(usage.requestedAt);
      admission.apply({ kind: 'usageArrived', usage });
    },
    onUnavailable: (since) => admission.apply({ kind: 'usageUnavailable', since }),
    refreshIntervalMs: config.usage.refreshInterval,
    clock,
    log,
  });

  // What the groups keep to: their file, and the workers that there are.
  groupFile.onChange(({ config: changed }) => admission.apply({ kind: 'configured', config: changed }));
  const capacity = new CapacityWatch(directory, (now) => admission.apply({ kind: 'clusterChanged', ...now }));

  // What clients see.
  const peers = new Peers(peersIn(directory, nodeId), transportTo);
  const submitted = new SubmittedQueries({ clientTimeoutMs: config.query.clientTimeout, clock });
  const onResultBytes = (count: number) => {
    metrics.resultBytes.inc(count);
    options.onPassedBytes?.(count);
  };
  const own = new CoordinatorQueries({ nodeId, dispatcher, history, submitted, onResultBytes });
  const finder = new QueryFinder({ own, ownSuffix: querySuffix, peers });
  const list = new QueryList({ nodeId, own: (filter) => own.list(filter), peers, log });
  const queued = new QueuedList({
    nodeId,
    entries: () => admission.queued(),
    infoOf: (queryId) => own.waiting(queryId),
    peers,
    log,
  });
  const limits = {
    catalogs: options.catalogs,
    defaultCatalog: config.catalogs.default,
    statementBytesMax: config.query.maxLength,
    executionMsMax: config.query.maxExecutionTime,
  };
  const queries = queryService({ nodeId, dispatcher, submitted, finder, list, queued, limits, onResultBytes, clock });

  metrics.watch({
    queries: () => dispatcher.queries(),
    groups: () => groups.totals(),
    leases: () => groups.leaseFigures(clock.now()),
    tasksUnconfirmed: () => taskEnds.openCount,
    usageAgeMs: () => poller.dataAgeMs(clock.now()),
    historyBytes: () => history.bytes,
  });
  return {
    routes: (router) => {
      router.service(QueryService, queries);
      router.service(ClusterService, clusterProxy(peers));
      router.service(ResourceGroupService, resourceGroupProxy(peers, groupFile));
    },
    dispatcher,
    submitted,
    status: () => ({
      case: 'coordinator',
      value: coordinatorStatus({
        nodeId,
        queries: () => dispatcher.queries(),
        history,
        counts: () => groups.countsBetweenQuestions(),
        groupConfig: () => groupFile.status(),
        endedWindow,
        clock,
      }),
    }),
    heard: (sentAt) => contact.heard(sentAt),
    nameTaken(message) {
      dispatcher.refuseNew(failure('NODE_ID_TAKEN', `This coordinator takes no queries: ${message}.`, true));
      admission.waitFor(message);
      leases.silence();
    },
    run: async (signal) => {
      await Promise.all([leases.run(signal), poller.run(signal), groupFile.run(signal), capacity.run(signal)]);
    },
  };
}
