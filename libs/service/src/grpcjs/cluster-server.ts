import type { Interceptor } from '@connectrpc/connect';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { KEEPALIVE_INTERVAL_MS, KEEPALIVE_TIMEOUT_MS, MESSAGE_BYTES_MAX } from '../limits.js';
import type { Mounted } from '../router.js';
import { TcpFront } from '../tcp-front.js';
import { serviceDefinition } from './definition.js';
import { serviceHandlers } from './handlers.js';

/** The cluster port: gRPC served by grpc-js. */
export class ClusterServer {
  readonly front: TcpFront;
  private readonly server: Server;

  constructor(options: {
    readonly mounted: readonly Mounted[];
    readonly interceptors: Interceptor[];
    readonly shutdownSignal: AbortSignal;
  }) {
    this.server = new Server({
      'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
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
