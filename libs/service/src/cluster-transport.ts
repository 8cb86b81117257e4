import type { Interceptor, Transport } from '@connectrpc/connect';
import { Client, credentials } from '@grpc/grpc-js';
import { createGrpcJsTransport } from './grpcjs/transport.js';
import {
  CLUSTER_TIMEOUT_MS,
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_TIMEOUT_MS,
  MESSAGE_BYTES_MAX,
  WINDOW_BYTES,
} from './limits.js';
import { forwardRequestId } from './request-id.js';

const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 1_000;

/** A transport that holds a connection until it is closed. */
export type ClosableTransport = Transport & { close(): void };

/**
 * A channel to one address of the cluster port: reconnects by itself (50 ms to 1 s apart), notices a frozen peer within
 * 15 s, and retries nothing but calls that no server has seen.
 *
 * Unary calls without a timeout get `defaultTimeoutMs` (10 s); a timeout of 0 means none. Streams live as long as their
 * signal: give them one, and read them with readStream.
 */
export function createClusterTransport(options: {
  /** host:port */
  readonly address: string;
  readonly defaultTimeoutMs?: number;
  readonly interceptors?: readonly Interceptor[];
}): ClosableTransport {
  const client = new Client(options.address, credentials.createInsecure(), {
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MIN_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc-node.flow_control_window': WINDOW_BYTES,
    // Addresses of the cluster are never behind a proxy, and no DNS record tells us how to use them.
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // One channel per address: sharing a connection with another channel would make closing one of them a riddle.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
  });
  const transport = createGrpcJsTransport({
    client,
    url: `http://${options.address}`,
    interceptors: [forwardRequestId, ...(options.interceptors ?? [])],
    defaultTimeoutMs: options.defaultTimeoutMs ?? CLUSTER_TIMEOUT_MS,
  });
  return { ...transport, close: () => client.close() };
}
