export { type ClusterSize, effectiveLimit, hasSoftLimits, softMemoryLimitBytes } from './effective-limit.js';
export {
  ADMISSION_MODES,
  type AdmissionMode,
  defaultGroupConfig,
  type EstimateRange,
  type EstimateRanges,
  type GroupConfig,
  groupSpec,
  type GroupSpec,
  type GroupTarget,
  type MemoryLimit,
  type PerQueryLimits,
  QUERY_TYPES,
  type QueryType,
  type SchedulingPolicy,
  type Selector,
} from './group-config.js';
export type { CpuLevel, CpuTelling } from './cpu-buckets.js';
export { childPath, groupPath, lineageOf, parentPath, rootName } from './group-path.js';
export { GROUP_FILE_BYTES_MAX, parseGroupConfig, type ParsedGroupConfig } from './group-config-decoder.js';
export { selectGroup, type Selection } from './group-selector.js';
export type {
  GroupCounts,
  GroupEffect,
  GroupEvent,
  GroupTotalsHere,
  QueryRejected,
  QuerySubmitted,
  QueuedQuery,
  RejectReason,
} from './group-events.js';
export { GroupTree, type GroupTreeOptions } from './group-tree.js';
export type { CoordinatorTotal, GroupTotal } from './group-totals.js';
export type { ClaimsAhead, GroupUsage, UsageSnapshot } from './group-usage.js';
export type { LeaseFigure, ShardStamp } from './lease-figures.js';
export type { OwnedShard } from './lease-routes.js';
export type {
  DeskCounters,
  DeskEffect,
  DeskEvent,
  DeskNote,
  DeskReport,
  DeskShardState,
  ShardDemand,
} from './leases/desk-events.js';
export { LeaseDesk, type LeaseDeskOptions } from './leases/lease-desk.js';
export type { HeldBy } from './leases/owner-reads.js';
export type { HolderEffect, HolderEvent, LeaseExplanation } from './leases/holder-events.js';
export type { LeafWants } from './leases/holder-leaf.js';
export { LeaseHolder, type LeaseHolderOptions } from './leases/lease-holder.js';
export type {
  Demand,
  Fence,
  FenceList,
  Grant,
  GrantKind,
  LeafCap,
  LeafDemand,
  LeafHint,
  LeasedTask,
  LeaseReport,
  LeaseStamp,
  TaskStamp,
  WaitingAge,
  Wish,
  WishMode,
} from './leases/lease-messages.js';
export { LeaseOwner, type LeaseOwnerOptions } from './leases/lease-owner.js';
export { LEASE_RULES, LEASE_TIMING, type LeaseRules, type LeaseTiming } from './leases/lease-timing.js';
export type { DealtGroup, LeadershipAcquired, Membership, OwnerEffect, OwnerEvent } from './leases/owner-events.js';
export { TaskFences, type TaskVerdict } from './leases/task-fences.js';
export type { NamePattern } from './name-pattern.js';
export { RefreshPace } from './refresh-pace.js';
export {
  type CoordinatorLife,
  type CoordinatorReport,
  type ReportedVersion,
  type UsageAnswer,
  UsageLedger,
  type WorkerTask,
} from './usage-ledger.js';
export { COPY_LIMITS, type CopyEntry, type CopyLimits, type CopySet } from './seats/copy-store.js';
export type {
  Acquired,
  CopyRefusal,
  HeldBack,
  LedgerEntry,
  LostReason,
  SeatEffect,
  SeatEvent,
} from './seats/seat-events.js';
export { SeatMachine, type SeatMachineOptions } from './seats/seat-machine.js';
export type {
  CopyAnswer,
  CopyRequest,
  HandOver,
  HoldAnswer,
  HoldAnswerItem,
  Holder,
  HoldItem,
  HoldRequest,
  RefusalReason,
  Release,
  ReleaseItem,
  SeatMessage,
} from './seats/seat-messages.js';
export { SEAT_RULES, SEAT_TIMING, type SeatRules, type SeatTiming } from './seats/seat-rules.js';
export {
  judgeSeats,
  type OtherSeats,
  type SeatJudgement,
  type SeatReport,
  textOfSeats,
} from './seats/seat-agreement.js';
export { FIRST_VERSION, SEATS_MAX, seatSet, type SeatSet } from './seats/seat-set.js';
export { preferenceOf, SHARD_COUNT, type SeatId, shardOf, shardOfGroup } from './seats/shard.js';
export { explainSelection, type ExplainedSelection } from './selection-explanation.js';
export type { QueryEstimates, SelectionCriteria } from './selector-match.js';
export type { WaitExplanation, WaitKind, WaitLease } from './wait-explanation.js';
