export {
  type Column,
  type EnginePlan,
  type EngineTask,
  type ExecutorPool,
  type ExecutorPoolStats,
  type ExecutorSession,
  type FragmentIo,
  type FragmentOutcome,
  type FragmentRun,
  type JsonValue,
  type Planner,
  type OutputFile,
  type PlanOutcome,
  type ScanTable,
  type SessionEngineTask,
  TaskError,
  type TaskErrorReason,
  type TaskRun,
  type TaskUsage,
} from './engine.js';
export { createDuckdbExecutorPool, type ExecutorPoolOptions } from './executor/executor-pool.js';
export { createDuckdbPlanner, type DuckdbPlannerOptions } from './planner/duckdb-planner.js';
export {
  encodeSession,
  encodeStageTask,
  type ExchangeCompression,
  type FilePart,
  isSession,
  type ResultFormat,
  type StageTable,
  type StageTaskInput,
  type TableSource,
} from './stage-fragment.js';
export type { Session, StatementError } from '@tutti/sql';
export { withResultFormat } from './fragment.js';
