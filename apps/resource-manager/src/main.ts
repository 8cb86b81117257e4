// The resource manager hears every node, and tells coordinators how the cluster stands.
import { nodeId, seededRandom, sleep, systemClock } from '@tutti/base';
import { GroupFile } from '@tutti/group-file';
import {
  AddressWatcher,
  aborted,
  advertisedHost,
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
import { createResourceManager } from './resource-manager.js';
import { relations, settings, warnings } from './settings.js';

await runMain('resource-manager', async () => {
  // config
  const program = 'resource-manager';
  const config = loadConfig(settings, { argv: process.argv.slice(2), env: process.env, relations, warnings, program });
  const id = nodeId(nodeIdOf(config, program));
  const clock = systemClock;
  const incarnation = clock.wallMs();
  const log = createLog({ ...config.log, fields: { node: id, role: program } });
  for (const message of warnings(config)) log.warn('questionable-seats', { message });
  const metrics = createMetrics({ node: id, role: program });
  const groups = await GroupFile.open({ file: config.resourceGroups.file, clock, log, metrics });

  // wiring
  const stop = untilStopped(config);
  const loops = new AbortController();
  const lastLife = new AbortController();
  const random = seededRandom(incarnation);
  const { addresses: specs, resolveInterval: resolveIntervalMs } = config.resourceManagers;
  const addresses = new AddressWatcher({ specs, resolveIntervalMs, resolve: resolveDns, clock, log });
  const resourceManager = createResourceManager({
    nodeId: id,
    incarnation,
    config,
    addresses,
    onNameTaken: (message) => nameTaken(message),
    onNameFree: () => lastLife.abort(),
    groups,
    clock,
    random,
    metrics,
    log,
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
    clusterRoutes: resourceManager.clusterRoutes,
    edgeRoutes: resourceManager.edgeRoutes,
    drainGraceMs: config.drain.grace,
    name: `tutti resource manager ${id}`,
    clock,
    log,
    metrics,
  });
  const { cluster: clusterPort, edge: edgePort, metrics: metricsPort, health: healthPort } = server.ports;
  log.info('serving', { nodeId: id, clusterPort, edgePort, metricsPort, healthPort });
  const host = advertisedHost(config);
  const endpoints = { clusterAddress: hostAndPort(host, clusterPort), edgeAddress: hostAndPort(host, edgePort) };
  addresses.start(loops.signal);
  let wasReady = false;
  let takenOver: Promise<void> | undefined;
  // Two processes that act for one seat could promise one thing to two owners: this one gives up what it deals, for good.
  const nameTaken = (message: string) => {
    server.setReady(false, message);
    takenOver ??= resourceManager.standAside(message);
  };
  const onReady = (ready: boolean, why: string) => {
    if (stop.aborted || takenOver !== undefined) return; // A draining node is never ready again.
    server.setReady(ready, why);
    if (ready && !wasReady) log.info('ready');
    wasReady = ready;
  };
  const running = resourceManager.run(endpoints, onReady, loops.signal);

  // drain
  await aborted(AbortSignal.any([stop, lastLife.signal]));
  const isOver = stop.aborted;
  log.info('draining', { signal: isOver ? String(stop.reason) : 'begins anew with its node id' });
  server.setReady(false, 'draining');
  await (takenOver ?? resourceManager.handOver());
  await resourceManager.depart();
  await sleep(clock, config.drain.announceDelay);
  loops.abort();
  await Promise.all([running, server.drain()]);
  return isOver ? undefined : 'again';
});
