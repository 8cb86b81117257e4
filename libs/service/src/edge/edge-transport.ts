import type { Interceptor, Transport } from '@connectrpc/connect';
import {
  type GrpcTransportOptions,
  Http2SessionManager,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import type { ClosableTransport } from '../cluster-transport.js';
import {
  EDGE_TIMEOUT_MS,
  FRAME_BYTES_MAX,
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_TIMEOUT_MS,
  MESSAGE_BYTES_MAX,
  WINDOW_BYTES,
} from '../limits.js';
import { forwardRequestId } from '../request-id.js';

/** Connections that carried nothing for so long are closed. Well above the ping interval: see `request` below. */
const IDLE_CONNECTION_TIMEOUT_MS = 15 * 60_000;

/**
 * A transport to an edge port over HTTP/2 without TLS, with wide windows: the one for bulk data. Unary calls without a
 * timeout get `defaultTimeoutMs` (30 s); a timeout of 0 means none. Streams live as long as their signal.
 */
export function createEdgeTransport(options: {
  /** http://host:port */
  readonly url: string;
  readonly protocol?: 'grpc' | 'connect' | 'grpc-web';
  readonly defaultTimeoutMs?: number;
  readonly interceptors?: readonly Interceptor[];
}): ClosableTransport {
  const sessionManager = new WideSessionManager(options.url);
  const common = {
    baseUrl: options.url,
    sessionManager,
    interceptors: [forwardRequestId, ...(options.interceptors ?? [])],
    acceptCompression: [],
    readMaxBytes: MESSAGE_BYTES_MAX,
    writeMaxBytes: MESSAGE_BYTES_MAX,
  };
  const transport = transportFor(options.protocol ?? 'grpc', common);
  const defaultTimeoutMs = options.defaultTimeoutMs ?? EDGE_TIMEOUT_MS;
  return {
    unary: (method, signal, timeoutMs = defaultTimeoutMs, ...rest) =>
      transport.unary(method, signal, timeoutMs > 0 ? timeoutMs : undefined, ...rest),
    stream: (method, signal, timeoutMs, ...rest) => transport.stream(method, signal, timeoutMs, ...rest),
    close: () => sessionManager.abort(),
  };
}

function transportFor(protocol: 'grpc' | 'connect' | 'grpc-web', options: GrpcTransportOptions): Transport {
  switch (protocol) {
    case 'grpc':
      return createGrpcTransport(options);
    case 'connect':
      return createConnectTransport({ ...options, httpVersion: '2' });
    case 'grpc-web':
      return createGrpcWebTransport({ ...options, httpVersion: '2' });
  }
}

/** Sets the window of the whole connection, which settings cannot: they reach only its streams. */
export class WideSessionManager extends Http2SessionManager {
  private readonly widened = new WeakSet<object>();

  constructor(url: string) {
    super(
      url,
      {
        pingIntervalMs: KEEPALIVE_INTERVAL_MS,
        pingTimeoutMs: KEEPALIVE_TIMEOUT_MS,
        // connect-node 2.1.2 can wait for ever when a connection becomes idle in the middle of a ping.
        idleConnectionTimeoutMs: IDLE_CONNECTION_TIMEOUT_MS,
      },
      { settings: { initialWindowSize: WINDOW_BYTES, maxFrameSize: FRAME_BYTES_MAX } },
    );
  }

  override async request(...args: Parameters<Http2SessionManager['request']>) {
    const stream = await super.request(...args);
    const { session } = stream;
    if (session !== undefined && !this.widened.has(session)) {
      this.widened.add(session);
      session.setLocalWindowSize(WINDOW_BYTES);
      // connect-node 2.1.2 stops to listen when it is told to close a connection that is being destroyed after a GOAWAY, and the
      // error of that would end the process. Whom it concerns hears of it by the streams.
      session.on('error', () => {});
    }
    return stream;
  }
}
