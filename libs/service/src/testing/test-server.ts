import { type Transport, createRouterTransport } from '@connectrpc/connect';
import { systemClock } from '@tutti/base';
import { createMetrics } from '../metrics.js';
import { type Routes, mountedBy } from '../router.js';
import { type ServeOptions, type Server, serve } from '../serve.js';
import { TestLog } from './test-log.js';

export interface TestServer extends Server {
  readonly log: TestLog;
  /** host:port of the cluster port, for createClusterTransport. */
  readonly clusterAddress: string;
  /** URL of the edge port, for createEdgeTransport. */
  readonly edgeUrl: string;
}

/** A real server on free ports of 127.0.0.1. Drain it when the test is over; calls in flight are then cut at once. */
export async function createTestServer(options: Partial<ServeOptions> & { routes?: Routes } = {}): Promise<TestServer> {
  const log = new TestLog();
  const routes: Routes = options.routes ?? (() => undefined);
  const server = await serve({
    ports: { cluster: 0, edge: 0, metrics: 0, health: 0 },
    bindHost: '127.0.0.1',
    log,
    clock: systemClock,
    metrics: createMetrics({}, { processMetrics: false }),
    clusterRoutes: routes,
    edgeRoutes: routes,
    drainGraceMs: 0,
    ...options,
  });
  return {
    ...server,
    log,
    clusterAddress: `127.0.0.1:${server.ports.cluster}`,
    edgeUrl: `http://127.0.0.1:${server.ports.edge}`,
  };
}

/** A transport that calls `routes` in this process, without a network. */
export function memoryTransport(routes: Routes, drainSignal: AbortSignal = new AbortController().signal): Transport {
  return createRouterTransport((router) => {
    for (const { service, implementation } of mountedBy(routes, drainSignal)) router.service(service, implementation);
  });
}
