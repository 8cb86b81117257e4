// The port: what Tutti asks of a SQL engine. Nothing outside this library knows which engine it is.
import type { Session, Split, StatementError } from '@tutti/sql';
import type { TableSource } from './stage-fragment.js';

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
      readonly plan: EnginePlan;
    }
  /** EXPLAIN of a query, or with `isAnalyze` EXPLAIN ANALYZE: the same as of the query, and the engine's own plan, line by line. */
  | {
      readonly kind: 'explain';
      readonly isAnalyze: boolean;
      readonly columns: readonly Column[];
      readonly fragment: Uint8Array;
      readonly tables: readonly string[];
      readonly plan: EnginePlan;
      readonly enginePlan: readonly string[];
    }
  /** SHOW and DESCRIBE: the answer itself. */
  | { readonly kind: 'rows'; readonly columns: readonly Column[]; readonly rows: readonly (readonly JsonValue[])[] }
  | { readonly kind: 'error'; readonly error: StatementError };

/** How a query can be cut into stages, or why it runs whole on one worker: the end of a sentence, for EXPLAIN. */
export type EnginePlan =
  | {
      readonly kind: 'plan';
      /** What decodePlan of @tutti/sql reads: the engine's plan, and what the engine expects of it. */
      readonly planJson: string;
      readonly explainJson: string | undefined;
      /** All tables that the plan scans. */
      readonly tables: readonly ScanTable[];
      /** Not all footers of the files could be read in time: the same statement may soon have a better plan. */
      readonly isProvisional: boolean;
    }
  | { readonly kind: 'whole'; readonly reason: string };

/** A table that a plan scans. */
export interface ScanTable {
  /** Full name. */
  readonly table: string;
  /** The name that the plan has for it. */
  readonly stubPath: string;
  readonly reader: TableSource;
  readonly columns: readonly Column[];
  /** Exact for Parquet; an estimate for other files. */
  readonly rows: number;
  /** Of a file one after another, in order. */
  readonly splits: readonly Split[];
}

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
  /**
   * Gives an executor to a query whose parts it runs one after the other, all on one database. The task's fragment is from
   * encodeSession. Resolves when it has one, which can be given its first fragment at once. Rejects with TaskError when there
   * is none. When `signal` aborts, now or later, the session is closed.
   */
  open(task: SessionEngineTask, signal: AbortSignal): Promise<ExecutorSession>;
  stats(): ExecutorPoolStats;
  /** Kills all executors. */
  close(): Promise<void>;
}

/** What an executor session is to be given. */
export interface SessionEngineTask extends EngineTask {
  /** Files of other fragments are read from here, and output directories are in it. */
  readonly exchangeDirectory: string;
  /** The exchange directories of all sessions are below it: what a database is locked to that several sessions use. */
  readonly exchangeRoot: string;
}

/** A database for the fragments of one query. It is used until it is closed or its executor ends. */
export interface ExecutorSession {
  /** Resolves when the database is ready; rejects with TaskError, and then nothing can run in it. */
  readonly opened: Promise<void>;
  /**
   * Runs one fragment, from encodeStageTask, when none runs. Resolves when the engine has begun it: what is wrong with files and
   * types may be told here or by its outcome. Rejects with TaskError:
   * the fragment has failed, and the session can run another one, unless `ended` has resolved. When `signal` aborts, now or
   * later, the fragment ends with the reason CANCELED, at the latest when the executor was killed, and the session with it.
   */
  run(fragment: Uint8Array, io: FragmentIo, signal: AbortSignal): Promise<FragmentRun>;
  /** What all its fragments used so far. */
  usage(): TaskUsage;
  /** Resolves when the executor is free again or gone. Never rejects. */
  readonly ended: Promise<void>;
  /** Ends the fragment that runs, if one does, and then the session. */
  close(): void;
}

/** Where a fragment reads and writes. */
export interface FragmentIo {
  /** Absolute paths of exchange files, by the number of the read. */
  readonly inputs: readonly { readonly number: number; readonly files: readonly string[] }[];
  /** An absolute path within the exchange directory. It exists and is empty. Results need none. */
  readonly outputDirectory: string;
}

/** A fragment that runs. */
export interface FragmentRun {
  /** Bytes of a result, as TaskRun.batches; empty for fragments that write files. */
  readonly batches: AsyncIterable<Uint8Array>;
  /** Resolves when the fragment is done and its batches are read. Rejects with TaskError. */
  readonly outcome: Promise<FragmentOutcome>;
}

/** What a fragment made and used. */
export interface FragmentOutcome {
  readonly rows: number;
  /** Of its files, or of its result. */
  readonly bytes: number;
  readonly files: readonly OutputFile[];
  /** By column: least and greatest value, where the engine tells them exactly (StageFacts.ranges). */
  readonly ranges: readonly ({ readonly min: string; readonly max: string } | undefined)[];
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
}

export interface OutputFile {
  /** 0 when the output is not partitioned. */
  readonly partition: number;
  /** Relative to the output directory. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
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
  | 'DISK_FULL'
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
