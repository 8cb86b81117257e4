export { demandFromWire, demandToWire, type ShardDemand } from './demand-codec.js';
export {
  fenceListFromWire,
  fenceListsFromWire,
  fenceListToWire,
  type FencesKept,
  fencesKeptFromWire,
  fencesKeptToWire,
  LEASE_FENCED,
  LEASE_REQUIRED,
  type ShardFences,
  type ShardStamp,
  taskLeaseFromWire,
  taskLeaseToWire,
  WORKER_NOT_ENROLLED,
} from './fence-codec.js';
export { grantFromWire, grantToWire, type ShardGrant } from './grant-codec.js';
export { seatSetFromWire, seatSetToWire } from './holder-codec.js';
export {
  GRANTS_MAX,
  type LeaseAsk,
  leaseRequestFromWire,
  leaseRequestToWire,
  leaseResponseFromWire,
  leaseResponseToWire,
  type LeaseTelling,
  type OwnedShard,
} from './lease-codec.js';
export { seatMessageFromWire, seatMessagesToWire } from './seat-codec.js';
export { BadMessage } from './wire-fields.js';
