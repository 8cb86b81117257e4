import type { Interceptor } from '@connectrpc/connect';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { CLIENT_PING_INTERVAL_MS, CLIENT_PING_TIMEOUT_MS, MESSAGE_BYTES_MAX } from '../limits.js';
import type { Mounted } from '../router.js';
import { TcpFront } from '../tcp-front.js';
import { serviceDefinition } from './definition.js';
import { serviceHandlers } from './handlers.js';

/** How a server finds out that a client is gone whose connection stands. */
export interface ClientPings {
  /** Time from an answer to the next ping. */
  readonly intervalMs: number;
  /** Without an answer for so long the connection is cut, and its calls are canceled. */
  readonly timeoutMs: number;
}

const CLIENT_PINGS: ClientPings = { intervalMs: CLIENT_PING_INTERVAL_MS, timeoutMs: CLIENT_PING_TIMEOUT_MS };

/** The cluster port: gRPC served by grpc-js. */
export class ClusterServer {
  readonly front: TcpFront;
  private readonly server: Server;

  constructor(options: {
    readonly mounted: readonly Mounted[];
    readonly interceptors: Interceptor[];
    readonly shutdownSignal: AbortSignal;
    readonly clientPings?: ClientPings | undefined;
  }) {
    const { intervalMs, timeoutMs } = options.clientPings ?? CLIENT_PINGS;
    this.server = new Server({
      'grpc.keepalive_time_ms': intervalMs,
      'grpc.keepalive_timeout_ms': timeoutMs,
      'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.enable_channelz': 0,
    });
    for (const mounted of options.mounted) {
      this.server.addService(serviceDefinition(mounted.service), serviceHandlers(mounted, options));
    }
    const injector = this.server.createConnectionInjector(ServerCredentials.createInsecure());
    this.front = new TcpFront((socket) => injector.injectConnection(socket));
  }

  /** Takes no more connections and calls; resolves when the last call has ended and all connections are closed. */
  close(): Promise<void> {
    const stopped = this.front.stopListening();
    // Its callback is not to be relied on (grpc-node issue 1664); sockets are, and whoever waits has a timer.
    this.server.tryShutdown(() => undefined);
    return stopped;
  }

  destroy(): void {
    this.server.forceShutdown();
    this.front.destroySockets();
  }
}
