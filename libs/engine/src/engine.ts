// The port: what Tutti asks of a SQL engine. Nothing outside this library knows which engine it is.
import type { Session, StatementError } from '@tutti/sql';

/** A column of a result. `type` is the engine's SQL spelling. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/** A value of a small result, as in tutti.query.v1.Rows. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Turns statements into work for executors, without touching data. */
export interface Planner {
  /** Parses, checks and binds one statement. Rejects only when `signal` aborts or the planner is closed. */
  plan(statement: string, session: Session, signal: AbortSignal): Promise<PlanOutcome>;
  close(): Promise<void>;
}

export type PlanOutcome =
  /** Run `fragment` on a worker. `tables` are full names, such as demo.main.flights. */
  | {
      readonly kind: 'query';
      readonly columns: readonly Column[];
      readonly fragment: Uint8Array;
      readonly tables: readonly string[];
    }
  /** SHOW, DESCRIBE and EXPLAIN: the answer itself. */
  | { readonly kind: 'rows'; readonly columns: readonly Column[]; readonly rows: readonly (readonly JsonValue[])[] }
  | { readonly kind: 'error'; readonly error: StatementError };

/** What an executor is to run. */
export interface EngineTask {
  readonly taskId: string;
  /** From PlanOutcome. */
  readonly fragment: Uint8Array;
  /** The most memory that the engine may hold for the task. */
  readonly memoryLimitBytes: number;
  /** Threads that the task may use. */
  readonly threads: number;
}

/** Runs tasks, each in a process of its own. */
export interface ExecutorPool {
  /** Starts the warm executors. Resolves when the first one can take a task; rejects when none can be started. */
  start(): Promise<void>;
  /**
   * Runs a task. Resolves when the engine has accepted it and its columns are known; rejects with TaskError, and then
   * the executor is free again or gone. When
   * `signal` aborts, now or later, the task ends with the reason CANCELED, at the latest when the executor was killed.
   */
  run(task: EngineTask, signal: AbortSignal): Promise<TaskRun>;
  stats(): ExecutorPoolStats;
  /** Kills all executors. */
  close(): Promise<void>;
}

export interface ExecutorPoolStats {
  /** Executors that wait for a task. */
  readonly warm: number;
  /** Executors that run one. */
  readonly busy: number;
  /** The executors' processes. */
  readonly pids: readonly number[];
  /** Resident memory of all executors. */
  readonly rssBytes: number;
  /** CPU time of all executors since the pool was made, those that are gone included. */
  readonly cpuMs: number;
}

/** A task that runs. */
export interface TaskRun {
  readonly columns: readonly Column[];
  /**
   * Whole lines of JSON, one array per row, about 256 KiB at a time. Pulled: while nobody asks, the engine stops after a
   * few batches. Throws TaskError. Leaving the loop cancels the task.
   */
  readonly batches: AsyncIterable<Uint8Array>;
  /** What the task used so far, or in all once it has ended. */
  usage(): TaskUsage;
  /** Resolves when the executor is free again or gone. Never rejects. */
  readonly ended: Promise<void>;
}

export interface TaskUsage {
  readonly rows: number;
  readonly cpuMs: number;
  /** As the engine accounts it. */
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
  /** Resident memory of the executor. */
  readonly rssBytes: number;
}

/** Why a task ended badly, as docs/errors.md names it. */
export type TaskErrorReason =
  | 'EXCEEDED_LOCAL_MEMORY_LIMIT'
  | 'EXCEEDED_SPILL_LIMIT'
  | 'QUERY_FAILED'
  | 'TABLE_UNREADABLE'
  | 'PERMISSION_DENIED'
  | 'EXECUTOR_CRASHED'
  | 'WORKER_BUSY'
  | 'CANCELED'
  | 'INTERNAL_ERROR';

/** A task ended badly. */
export class TaskError extends Error {
  override readonly name = 'TaskError';

  constructor(
    readonly reason: TaskErrorReason,
    message: string,
    /** Whether the same task may succeed elsewhere, or later. */
    readonly retriable: boolean,
    /** Line and column of the statement, from 1, when the error has a place. */
    readonly position?: { readonly line: number; readonly column: number },
  ) {
    super(message);
  }
}
