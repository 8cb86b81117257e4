export { defaultGroupConfig, type GroupConfig, type GroupSpec, type Selector } from './group-config.js';
export { parseGroupConfig, type ParsedGroupConfig } from './group-config-decoder.js';
export { selectGroup, type SelectionCriteria } from './group-selector.js';
export { type GroupCounts, type GroupEffect, type GroupEvent, GroupTree, type GroupTreeOptions } from './group-tree.js';
export type { ClaimsAhead, GroupUsage, UsageSnapshot } from './group-usage.js';
export type { NamePattern } from './name-pattern.js';
export { RefreshPace } from './refresh-pace.js';
export {
  type CoordinatorLife,
  type CoordinatorReport,
  type UsageAnswer,
  UsageLedger,
  type WorkerTask,
} from './usage-ledger.js';
export type { WaitExplanation, WaitKind } from './wait-explanation.js';
