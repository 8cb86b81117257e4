// The worker runs tasks: parts of queries that coordinators send, each in an executor process of its own.
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { nodeId, seededRandom, systemClock } from '@tutti/base';
import { createNodePresence } from '@tutti/discovery';
import { createDuckdbExecutorPool } from '@tutti/engine';
import { ExchangeStore } from '@tutti/exchange';
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
import { drainWorker } from './drain.js';
import { becomeReady } from './readiness.js';
import { relations, settings } from './settings.js';
import { createWorker } from './worker.js';

await runMain('worker', async () => {
  // config
  const program = 'worker';
  const config = loadConfig(settings, { argv: process.argv.slice(2), env: process.env, relations, program });
  const id = nodeId(nodeIdOf(config, program));
  const clock = systemClock;
  const incarnation = clock.wallMs();
  const random = seededRandom(incarnation);
  const log = createLog({ ...config.log, fields: { node: id, role: program } });
  const metrics = createMetrics({ node: id, role: program });

  // wiring
  const stop = untilStopped(config);
  const loops = new AbortController();
  const { task, executor } = config;
  const spillDirectory = task.spillDirectory === '' ? tmpdir() : task.spillDirectory;
  const pool = createDuckdbExecutorPool({
    executorPath: fileURLToPath(new URL('./executor.mjs', import.meta.url)),
    warm: executor.warm,
    maxTasks: task.maxTasks,
    spillDirectory,
    spillLimitBytes: task.spillLimit,
    interruptGraceMs: executor.interruptGrace,
    recycleRssBytes: executor.recycleRss,
    log,
    clock,
  });
  const exchange = ExchangeStore.open({
    directory: config.exchange.directory === '' ? spillDirectory : config.exchange.directory,
    limitBytes: config.exchange.limit,
    log,
  });
  const reportSoon = () => heartbeats.sendSoon();
  const onPassedBytes = collectBuffersEarly();
  const worker = createWorker({ config, pool, exchange, reportSoon, onPassedBytes, clock, random, log, metrics });
  const { addresses: specs, resolveInterval: resolveIntervalMs } = config.resourceManagers;
  const addresses = new AddressWatcher({ specs, resolveIntervalMs, resolve: resolveDns, clock, log });
  const { connect } = new ChannelPool();
  const node = { nodeId: id, incarnation, addresses, clock, random, log, connect };
  const monitor = new ProcessMonitor(clock, () => pool.stats().pids);
  const processUsage = () => monitor.usage();
  const intervalMs = config.heartbeat.interval;
  const heartbeats = new HeartbeatSender({
    ...{ ...node, intervalMs, processUsage, status: () => worker.status() },
    onAck: (ack, sentAt) => worker.heard(sentAt, ack),
  });
  const lastLife = new AbortController();
  const presence = createNodePresence({
    ...{ ...node, role: program },
    onNameTaken: (message) => readiness.nameTaken(message),
    onNameFree: () => lastLife.abort(),
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
    clusterRoutes: worker.clusterRoutes,
    edgeRoutes: worker.edgeRoutes,
    drainGraceMs: executor.interruptGrace,
    drainReason: 'WORKER_DRAINING',
    name: `tutti worker ${id}`,
    clock,
    log,
    metrics,
  });
  const { cluster: clusterPort, edge: edgePort, metrics: metricsPort, health: healthPort } = server.ports;
  log.info('serving', { nodeId: id, clusterPort, edgePort, metricsPort, healthPort });
  await pool.start();
  const host = advertisedHost(config);
  const endpoints = { clusterAddress: hostAndPort(host, clusterPort), edgeAddress: hostAndPort(host, edgePort) };
  addresses.start(loops.signal);
  const readiness = becomeReady({ server, directory: presence.directory, log });
  const running = [presence.run(endpoints, loops.signal), heartbeats.run(loops.signal), worker.run(loops.signal)];

  // drain
  await aborted(AbortSignal.any([stop, lastLife.signal]));
  const isOver = stop.aborted;
  const { grace: graceMs, announceDelay: announceDelayMs } = config.drain;
  await drainWorker({ server, presence, tasks: worker.tasks, graceMs, announceDelayMs, clock, log });
  loops.abort();
  await Promise.all([...running, pool.close()]);
  await exchange.close();
  monitor.close();
  return isOver ? undefined : 'again';
});
