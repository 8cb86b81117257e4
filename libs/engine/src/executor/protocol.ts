// What a pool and its executors tell each other. Executors are our own child processes: messages are trusted, SQL is not.
import type { Column, TaskErrorReason } from '../engine.js';

/** To an executor. It runs one task at a time. */
export type ToExecutor =
  | {
      readonly kind: 'run';
      readonly fragment: Uint8Array;
      readonly memoryLimitBytes: number;
      readonly threads: number;
      /** A directory of this task alone; it does not exist yet. */
      readonly spillDirectory: string;
      readonly spillLimitBytes: number;
    }
  /** One more batch may be sent. */
  | { readonly kind: 'credit' }
  /** Stop the task that runs, if one does. */
  | { readonly kind: 'cancel' }
  /** The parent does not stand still. Sent each ALIVE_MS while a task runs. */
  | { readonly kind: 'alive' };

export const ALIVE_MS = 1_000;
/**
 * An executor whose parent says nothing for so long while a task runs ends itself: others may have given the task up. Less than
 * the time after which the cluster forgets a worker that stands still (10 s).
 */
export const PARENT_SILENT_MS = 7_000;

/** From an executor. A task is answered by `failed`, or by `started`, any number of `batch` and then `ended` or `failed`. */
export type FromExecutor =
  /** It can take a task. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'started'; readonly columns: readonly Column[] }
  | { readonly kind: 'batch'; readonly lines: Uint8Array; readonly rows: number }
  | { readonly kind: 'memory'; readonly memoryBytes: number; readonly spilledBytes: number }
  | { readonly kind: 'ended'; readonly cpuMs: number }
  | {
      readonly kind: 'failed';
      readonly cpuMs: number;
      readonly reason: TaskErrorReason;
      readonly message: string;
      readonly retriable: boolean;
      readonly position?: { readonly line: number; readonly column: number };
      /** The engine is broken: this process must not be used again. */
      readonly broken: boolean;
    };

/** Batches that an executor may send before the first is taken. */
export const CREDIT_WINDOW = 2;
