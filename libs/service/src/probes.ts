import type { HttpHandler } from './edge/edge-server.js';
import { send } from './edge/fallback.js';
import type { HealthState } from './health.js';

const TEXT = 'text/plain; charset=utf-8';

/** /livez and /readyz, for probes and scripts that speak plain HTTP. */
export const probesFallback =
  (health: HealthState): HttpHandler =>
  (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path === '/livez') return send(response, 200, TEXT, 'alive\n');
    if (path === '/readyz') {
      const { ready, why } = health.readiness();
      const text = ready && why === 'ready' ? 'ready' : `${ready ? 'ready' : 'not ready'}: ${why}`;
      return send(response, ready ? 200 : 503, TEXT, `${text}\n`);
    }
    send(response, path === '/' ? 200 : 404, TEXT, 'This port has /livez, /readyz and grpc.health.v1.\n');
  };
