// What a pool and its executors tell each other. Executors are our own child processes: messages are trusted, SQL is not.
import type { Column, FragmentIo, FragmentOutcome, TaskErrorReason } from '../engine.js';

/** What a task or a session is given. */
export interface Allotment {
  readonly fragment: Uint8Array;
  readonly memoryLimitBytes: number;
  readonly threads: number;
  /** The directory of one executor for what it runs, one after the other; it does not exist yet. */
  readonly spillDirectory: string;
  readonly spillLimitBytes: number;
  /** A named pipe for results that the engine writes itself. The parent reads it once it hears of `started` with a pipe. */
  readonly resultPipe: string;
}

/** How results go through the named pipe: as whole lines of JSON, or as the bytes of one file. */
export type PipeContent = 'lines' | 'file';

/** To an executor. It runs one task at a time, or one session with one fragment at a time. */
export type ToExecutor =
  | ({ readonly kind: 'run' } & Allotment)
  | ({ readonly kind: 'open'; readonly exchangeDirectory: string; readonly exchangeRoot: string } & Allotment)
  /** To be run in the session that is open. */
  | ({ readonly kind: 'fragment'; readonly fragment: Uint8Array } & FragmentIo)
  /** End the fragment that runs, and the session. */
  | { readonly kind: 'close' }
  /** One more batch may be sent. */
  | { readonly kind: 'credit' }
  /** Stop the task or fragment that runs, if one does. */
  | { readonly kind: 'cancel' }
  /** The parent does not stand still. Sent each ALIVE_MS while a task runs or a session is open. */
  | { readonly kind: 'alive' };

export const ALIVE_MS = 1_000;
/**
 * An executor whose parent says nothing for so long while it has a task or session ends itself: others may have given the task up. Less than
 * the time after which the cluster forgets a worker that stands still (10 s).
 */
export const PARENT_SILENT_MS = 7_000;

/**
 * From an executor. A task is answered by `failed`, or by `started`, any number of `batch` and then `ended` or `failed`. A
 * session is answered by `failed`, or by `opened` and in the end `ended` or `failed`; each of its fragments by `fragmentFailed`,
 * or by `started`, any number of `batch` and then `fragmentEnded` or `fragmentFailed`.
 */
export type FromExecutor =
  /**
   * It has so many databases that no task has had; told of each that is opened, and after each task. It can take a task unless it
   * has one.
   */
  | { readonly kind: 'ready'; readonly spares: number }
  /** With `pipe`: the result comes through the named pipe instead of batches, and the engine waits for its reader. */
  | { readonly kind: 'started'; readonly columns: readonly Column[]; readonly pipe?: PipeContent }
  | { readonly kind: 'opened' }
  | { readonly kind: 'batch'; readonly lines: Uint8Array; readonly rows: number }
  | { readonly kind: 'memory'; readonly memoryBytes: number; readonly spilledBytes: number }
  /** `rows`: those that went through the pipe. */
  | { readonly kind: 'ended'; readonly cpuMs: number; readonly rows: number }
  | ({ readonly kind: 'failed' } & Failure)
  | { readonly kind: 'fragmentEnded'; readonly outcome: FragmentOutcome; readonly isResult: boolean }
  /** When the engine is broken `failed` follows. */
  | ({ readonly kind: 'fragmentFailed' } & Failure);

export interface Failure {
  readonly cpuMs: number;
  readonly reason: TaskErrorReason;
  readonly message: string;
  readonly retriable: boolean;
  readonly position?: { readonly line: number; readonly column: number };
  /** The engine is broken: this process must not be used again. */
  readonly broken: boolean;
}

/** Batches that an executor may send before the first is taken. */
export const CREDIT_WINDOW = 2;
