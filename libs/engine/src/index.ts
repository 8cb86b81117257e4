export {
  type Column,
  type EngineTask,
  type ExecutorPool,
  type ExecutorPoolStats,
  type JsonValue,
  type Planner,
  type PlanOutcome,
  TaskError,
  type TaskErrorReason,
  type TaskRun,
  type TaskUsage,
} from './engine.js';
export { createDuckdbExecutorPool, type ExecutorPoolOptions } from './executor/executor-pool.js';
export { CatalogError } from './planner/catalog-error.js';
export { createDuckdbPlanner, type DuckdbPlannerOptions } from './planner/duckdb-planner.js';
export type { Session, StatementError } from '@tutti/sql';
