import { type Server, createServer } from 'node:http';
import { send } from './edge/fallback.js';
import type { Metrics } from './metrics.js';
import { TcpFront } from './tcp-front.js';

/** Serves /metrics, and nothing else, on a port of its own. */
export class MetricsServer {
  readonly front: TcpFront;
  private readonly http: Server;

  constructor(metrics: Metrics) {
    this.http = createServer((request, response) => {
      if (request.url?.split('?', 1)[0] !== '/metrics') {
        return send(response, request.url === '/' ? 200 : 404, 'text/plain', 'This port has /metrics.\n');
      }
      metrics.expose().then(
        ({ contentType, text }) => send(response, 200, contentType, text),
        (error: unknown) => send(response, 500, 'text/plain', `${String(error)}\n`),
      );
    });
    this.http.emit('listening');
    this.front = new TcpFront((socket) => this.http.emit('connection', socket));
  }

  close(): Promise<void> {
    const stopped = this.front.stopListening();
    this.http.close();
    return stopped;
  }

  destroy(): void {
    this.front.destroySockets();
  }
}
