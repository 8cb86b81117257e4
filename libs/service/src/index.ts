export { orAbort } from './abortable.js';
export { AddressWatcher, type Resolve, hostAndPort } from './addresses.js';
export { ChannelPool } from './channel-pool.js';
export { type ClosableTransport, createClusterTransport } from './cluster-transport.js';
export { collectBuffersEarly } from './collect-buffers-early.js';
export { ConfigAccepted, ConfigError, HelpRequested, type LoadConfigOptions, loadConfig } from './config.js';
export { type ConnectionEnd, type EachAddressOptions, eachAddress } from './each-address.js';
export { createEdgeTransport } from './edge/edge-transport.js';
export { ERROR_DOMAIN, type ErrorDetails, type RemoteError, errorInfo, readRpcError, rpcError } from './errors.js';
export { aborted, every, explainEnd, runMain, untilStopped } from './lifecycle.js';
export { withEncoded } from './large-message.js';
export { CLUSTER_TIMEOUT_MS, EDGE_TIMEOUT_MS, MESSAGE_BYTES_MAX } from './limits.js';
export { PortTakenError } from './listen.js';
export { type CreateLogOptions, type Log, type LogFields, createLog } from './log.js';
export { type Counter, type Gauge, type Histogram, type Metrics, createMetrics } from './metrics.js';
export { News } from './news.js';
export { readStream } from './read-stream.js';
export { requestId } from './request-id.js';
export { resolveDns } from './resolve-dns.js';
export type { Router, Routes } from './router.js';
export { inUse, removeLeftovers } from './scratch/leftovers.js';
export { makeDirectory } from './scratch/make-directory.js';
export { type Ports, type ServeOptions, type Server, serve } from './serve.js';
export {
  type CommonConfig,
  type ConfigOf,
  type Setting,
  type Settings,
  addressList,
  advertisedHost,
  choice,
  commonSettings,
  count,
  duration,
  flag,
  list,
  nodeIdOf,
  port,
  requiredText,
  sensitive,
  size,
  text,
} from './settings.js';
export { type TellNewestOptions, tellNewest } from './tell-newest.js';
export { untilAborted } from './until-aborted.js';
export { PROGRAM_VERSION } from './version.js';
