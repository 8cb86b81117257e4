// What every role serves: its services on the cluster and the edge port, with health and reflection; probes; metrics.
import { setMaxListeners } from 'node:events';
import type { Clock } from '@tutti/base';
import { Health } from '@tutti/contracts/grpc/health/v1/health_pb';
import { createDrain } from './drain.js';
import { EdgeServer } from './edge/edge-server.js';
import { friendlyFallback } from './edge/fallback.js';
import { type ClientPings, ClusterServer } from './grpcjs/cluster-server.js';
import { HealthState, healthService } from './health.js';
import { serverInterceptors } from './interceptors.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import { MetricsServer } from './metrics-server.js';
import { probesFallback } from './probes.js';
import { REFLECTION_SERVICES, mountReflection } from './reflection.js';
import { type Mounted, type Routes, mountedBy } from './router.js';

export interface Ports {
  readonly cluster: number;
  readonly edge: number;
  readonly metrics: number;
  readonly health: number;
}

export interface ServeOptions {
  /** 0 takes any free port; Server.ports says which. */
  readonly ports: Ports;
  readonly bindHost: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly clusterRoutes: Routes;
  readonly edgeRoutes: Routes;
  /** How long calls in flight may go on in drain(). */
  readonly drainGraceMs: number;
  /** Names the program and the node to people who look at the edge port. */
  readonly name?: string;
  /** The reason that calls get which a drain ends, such as WORKER_DRAINING. The default is SERVER_DRAINING. */
  readonly drainReason?: string;
  /** How soon clients of the cluster port are given up that answer nothing: 9 s by default. */
  readonly clientPings?: ClientPings;
}

export interface Server {
  readonly ports: Ports;
  /** Whether work may be sent here. A new server is not ready. `why` is shown by /readyz. */
  setReady(ready: boolean, why?: string): void;
  /** Aborts when drain() begins, with an UNAVAILABLE error as its reason: what endless streams end with. */
  readonly drainSignal: AbortSignal;
  /** Aborts, with an UNAVAILABLE error as its reason, when the grace of a drain is over: calls in flight end now. */
  readonly shutdownSignal: AbortSignal;
  /**
   * Not ready, no new connections and calls, then waits for the calls in flight up to the grace; then aborts them with
   * UNAVAILABLE, waits a moment for that to reach the clients, and closes whatever is left. Resolves in bounded time.
   */
  drain(): Promise<void>;
}

/** Opens all ports. Throws PortTakenError, with nothing left open, when one of them cannot be had. */
export async function serve(options: ServeOptions): Promise<Server> {
  const { log, clock, metrics, bindHost, ports } = options;
  const draining = new AbortController();
  const shutdown = new AbortController();
  // Every open call listens; ten, after which Node suspects a leak, are few.
  for (const { signal } of [draining, shutdown]) setMaxListeners(0, signal);

  const clusterMounted = mountedBy(options.clusterRoutes, draining.signal);
  const edgeMounted = mountedBy(options.edgeRoutes, draining.signal);
  const serviceNames = new Set([...clusterMounted, ...edgeMounted].map(({ service }) => service.typeName));
  const health = new HealthState(serviceNames);
  const interceptors = serverInterceptors({ log, metrics, clock });
  const common = { interceptors, shutdownSignal: shutdown.signal, log };

  const { clientPings } = options;
  const clusterServices = withStandards(clusterMounted, health, draining.signal);
  const cluster = new ClusterServer({ ...common, mounted: clusterServices, clientPings });
  const edgeServices = withStandards(edgeMounted, health, draining.signal);
  const edgeNames = edgeServices.map(({ service }) => service.typeName);
  const edge = new EdgeServer({
    ...common,
    mounted: edgeServices,
    fallback: friendlyFallback(options.name ?? 'tutti', edgeNames),
  });
  const probes = new EdgeServer({
    ...common,
    mounted: mountedBy((router) => router.service(Health, healthService(health, draining.signal)), draining.signal),
    fallback: probesFallback(health),
  });
  const metricsServer = new MetricsServer(metrics);

  const opened = { cluster: cluster.front, edge: edge.front, metrics: metricsServer.front, health: probes.front };
  await openAll(opened, ports, bindHost);
  return {
    ports: {
      cluster: cluster.front.port,
      edge: edge.front.port,
      metrics: metricsServer.front.port,
      health: probes.front.port,
    },
    setReady: (ready, why) => {
      // A drain cannot be taken back by a late "ready" of some loop.
      if (!draining.signal.aborted) health.setReady(ready, why);
    },
    drainSignal: draining.signal,
    shutdownSignal: shutdown.signal,
    drain: createDrain({
      health,
      draining,
      shutdown,
      servers: [cluster, edge],
      last: [probes, metricsServer],
      graceMs: options.drainGraceMs,
      reason: options.drainReason ?? 'SERVER_DRAINING',
      clock,
      log,
    }),
  };
}

/** The services of a port, and those that every port has. */
function withStandards(mounted: readonly Mounted[], health: HealthState, drainSignal: AbortSignal): Mounted[] {
  const standards = mountedBy((router) => {
    router.service(Health, healthService(health, drainSignal));
    const services = [...mounted.map(({ service }) => service), Health, ...REFLECTION_SERVICES];
    mountReflection(router, services);
  }, drainSignal);
  return [...mounted, ...standards];
}

type Front = EdgeServer['front'];

async function openAll(fronts: Record<keyof Ports, Front>, ports: Ports, host: string): Promise<void> {
  try {
    for (const name of ['cluster', 'edge', 'metrics', 'health'] as const) {
      await fronts[name].listen(ports[name], host, `${name}.port`);
    }
  } catch (error) {
    await Promise.all(Object.values(fronts).map((front) => front.stopListening()));
    throw error;
  }
}
