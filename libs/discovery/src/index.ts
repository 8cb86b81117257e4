export { Announcer, type AnnouncerOptions, type Endpoints } from './announcer.js';
export type { Connect } from './connect.js';
export { mergeOpinions, mergeSeen } from './core/merged-view.js';
export {
  type AnnouncedState,
  type NodeLoad,
  type NodeRecord,
  type NodeRole,
  type NodeState,
  type SeenNode,
  type WitnessedRecord,
} from './core/node-record.js';
export { NodeTable, type NodeTableOptions } from './core/node-table.js';
export { roleFromWire, roleToWire, seenToWire, stateToWire, wireDuration } from './discovery-codec.js';
export { discoveryService, type DiscoveryServiceOptions } from './discovery-service.js';
export { LiveNodeTable } from './live-node-table.js';
export { type DirectoryNode, NodeDirectory, type NodeDirectoryOptions } from './node-directory.js';
export { createNodePresence, type NodePresence, type NodePresenceOptions } from './node-presence.js';
export { replicate, type ReplicatorOptions } from './replicator.js';
