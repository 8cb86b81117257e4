// A coordinator accepts statements, plans and admits them, has workers run them, and returns the rows. There are many.
import { tmpdir } from 'node:os';
import { newQueryIdSuffix, nodeId, systemClock } from '@tutti/base';
import { createNodePresence } from '@tutti/discovery';
import { GroupFile } from '@tutti/group-file';
import { HeartbeatSender, ProcessMonitor } from '@tutti/heartbeat';
import {
  AddressWatcher,
  aborted,
  advertisedHost,
  ChannelPool,
  collectBuffersEarly,
  createLog,
  createMetrics,
  hostAndPort,
  loadConfig,
  nodeIdOf,
  resolveDns,
  runMain,
  serve,
  untilStopped,
} from '@tutti/service';
import { loadCatalogs } from './catalog-files.js';
import { Channels } from './channels.js';
import { createCoordinator } from './coordinator.js';
import { failure } from './core/query.js';
import { drainCoordinator } from './drain.js';
import { relations, settings } from './settings.js';
import { startPlanner } from './start-planner.js';

/** When the queries have ended, the calls that are left are answered at once. */
const LAST_CALLS_MS = 2_000;

/** Who had lost its name begins anew with it: workers refuse what belongs to its former life. */
const lifeOver = failure(
  'COORDINATOR_GONE',
  'Another process had the node id of this coordinator, which begins anew now. Run the query again.',
  true,
);

await runMain('coordinator', async () => {
  // config
  const program = 'coordinator';
  const config = loadConfig(settings, { argv: process.argv.slice(2), env: process.env, relations, program });
  const id = nodeId(nodeIdOf(config, program));
  const clock = systemClock;
  const random = Math.random;
  const incarnation = clock.wallMs();
  const log = createLog({ ...config.log, fields: { node: id, role: program } });
  const metrics = createMetrics({ node: id, role: program });
  const groupFile = await GroupFile.open({ file: config.resourceGroups.file, clock, log, metrics });
  const catalogs = await loadCatalogs(config.catalogs.path, config.catalogs.default);

  // wiring
  const stop = untilStopped(config);
  const loops = new AbortController();
  const planner = await startPlanner({ catalogs, scratchDirectory: tmpdir(), directory: import.meta.dirname, log });
  const { addresses: specs, resolveInterval: resolveIntervalMs } = config.resourceManagers;
  const addresses = new AddressWatcher({ specs, resolveIntervalMs, resolve: resolveDns, clock, log });
  const { connect } = new ChannelPool();
  const channels = new Channels(connect, clock);
  const querySuffix = newQueryIdSuffix(random);
  const known = { nodeId: id, incarnation, addresses, clock, random, log, connect };
  const lastLife = new AbortController();
  const presence = createNodePresence({
    ...{ ...known, role: 'coordinator', querySuffix },
    onNameTaken(message) {
      forgetListener();
      server.setReady(false, message);
      coordinator.nameTaken(message);
    },
    onNameFree: () => lastLife.abort(),
  });
  const monitor = new ProcessMonitor(clock);
  const heartbeats: HeartbeatSender = new HeartbeatSender({
    ...known,
    status: () => coordinator.status(),
    processUsage: () => monitor.usage(),
    intervalMs: config.heartbeat.interval,
    onHeard: (sentAt) => coordinator.heard(sentAt),
  });
  const coordinator = createCoordinator({
    ...known,
    querySuffix,
    config,
    catalogs,
    groupFile,
    planner,
    directory: presence.directory,
    transportTo: channels.to,
    heartbeats,
    metrics,
    onPassedBytes: collectBuffersEarly(),
  });

  // serve
  const server = await serve({
    ports: {
      cluster: config.cluster.port,
      edge: config.edge.port,
      metrics: config.metrics.port,
      health: config.health.port,
    },
    bindHost: config.bind.host,
    clusterRoutes: coordinator.routes,
    edgeRoutes: coordinator.routes,
    drainGraceMs: LAST_CALLS_MS,
    drainReason: 'COORDINATOR_DRAINING',
    name: `tutti coordinator ${id}`,
    clock,
    log,
    metrics,
  });
  const { cluster: clusterPort, edge: edgePort, metrics: metricsPort, health: healthPort } = server.ports;
  log.info('serving', { nodeId: id, clusterPort, edgePort, metricsPort, healthPort });
  const host = advertisedHost(config);
  const endpoints = { clusterAddress: hostAndPort(host, clusterPort), edgeAddress: hostAndPort(host, edgePort) };
  server.setReady(false, 'no resource manager has answered yet');
  const forgetListener = presence.directory.onChange(() => {
    if (presence.directory.resourceManagers().length === 0 || stop.aborted) return;
    forgetListener(); // It stays ready when resource managers go away: they are not needed to serve.
    server.setReady(true);
    log.info('ready', { catalogs: catalogs.map(({ name }) => name) });
  });
  addresses.start(loops.signal);
  const running = Promise.all([
    presence.run(endpoints, loops.signal),
    heartbeats.run(loops.signal),
    coordinator.run(loops.signal),
  ]);

  // drain
  await aborted(AbortSignal.any([stop, lastLife.signal]));
  const isOver = stop.aborted;
  forgetListener();
  if (!isOver) coordinator.dispatcher.endAll(lifeOver);
  await drainCoordinator({
    server,
    presence,
    dispatcher: coordinator.dispatcher,
    submitted: coordinator.submitted,
    sendReport: () => heartbeats.sendSoon(),
    announceDelayMs: config.drain.announceDelay,
    graceMs: config.drain.grace,
    clock,
    log,
  });
  loops.abort();
  await running;
  channels.close();
  monitor.close();
  await planner.close();
  return isOver ? undefined : 'again';
});
