// One task, as the pool sees it: the other end of a QueryRun.
//   T1. A task settles once: it ended, or it failed with the first error that was heard of.
//   T2. `ended` resolves when the executor has let go of the task or is gone, which may be after it settled.
import type { Clock } from '@tutti/base';
import { memoryLimit } from '../duckdb/task-failure.js';
import { type Column, type EngineTask, TaskError, type TaskRun, type TaskUsage } from '../engine.js';
import { type ProcessUsage, readProcessUsage } from './process-usage.js';
import type { FromExecutor, ToExecutor } from './protocol.js';
import { ResultReader } from './result-reader.js';

/** What an executor has in hand. */
export interface ExecutorWork {
  handle(message: FromExecutor): void;
  /** The executor's process has ended. */
  processEnded(how: string): void;
  /** The executor's process outgrew what its memory limit allows for: the engine does not account for everything. */
  checkRss(): void;
}

/** What a task needs of its executor. */
export interface TaskPort {
  readonly pid: number;
  /** Where its results come from when the engine writes them itself. */
  readonly resultPipe: string;
  send(message: ToExecutor): void;
  kill(): void;
}

const NOTHING: ProcessUsage = { cpuMs: 0, rssBytes: 0 };

/** A task that an executor has taken. */
export class ActiveTask implements TaskRun, ExecutorWork {
  columns: readonly Column[] = [];
  /** Resolves when the columns are known; rejects with TaskError. */
  readonly started: Promise<void>;
  readonly ended: Promise<void>;

  private readonly reader: ResultReader;
  private resolveStarted!: () => void;
  private rejectStarted!: (error: TaskError) => void;
  private resolveEnded!: () => void;
  private released = false;
  private failure: TaskError | undefined;
  private killTimer: (() => void) | undefined;
  private readonly cpuAtStartMs: number;
  private lastUsage: ProcessUsage;
  private finalCpuMs: number | undefined;
  private rows = 0;
  private memoryBytes = 0;
  private peakMemoryBytes = 0;
  private spilledBytes = 0;

  constructor(
    private readonly task: EngineTask,
    private readonly port: TaskPort,
    private readonly options: { readonly clock: Clock; readonly interruptGraceMs: number },
  ) {
    this.started = new Promise((resolve, reject) => {
      this.resolveStarted = resolve;
      this.rejectStarted = reject;
    });
    // Whoever waits for the columns gets the error; nobody has to.
    this.started.catch(() => {});
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
    this.reader = new ResultReader(port.resultPipe, options.clock);
    this.lastUsage = readProcessUsage(port.pid) ?? NOTHING;
    this.cpuAtStartMs = this.lastUsage.cpuMs;
  }

  get batches(): AsyncIterable<Uint8Array> {
    return this.read();
  }

  usage(): TaskUsage {
    if (!this.released) this.lastUsage = readProcessUsage(this.port.pid) ?? this.lastUsage;
    return {
      rows: this.rows,
      cpuMs: this.finalCpuMs ?? Math.max(0, this.lastUsage.cpuMs - this.cpuAtStartMs),
      memoryBytes: this.released ? 0 : this.memoryBytes,
      peakMemoryBytes: this.peakMemoryBytes,
      spilledBytes: this.spilledBytes,
      rssBytes: this.lastUsage.rssBytes,
    };
  }

  /** Asks the engine to stop, and kills it when it does not within the grace. */
  cancel(error = new TaskError('CANCELED', 'The task was canceled.', false)): void {
    if (this.released || this.failure !== undefined) return;
    this.fail(error);
    this.port.send({ kind: 'cancel' });
    this.killTimer = this.options.clock.schedule(this.options.interruptGraceMs, () => this.kill());
  }

  checkRss(): void {
    if (this.released || this.failure !== undefined) return;
    const { rssBytes } = this.usage();
    if (rssBytes <= rssLimitBytes(this.task.memoryLimitBytes)) return;
    this.fail(memoryLimit(this.task.memoryLimitBytes));
    this.kill();
  }

  /** Of a process that is gone nobody knows what it used. */
  private kill(): void {
    this.usage();
    this.port.kill();
  }

  handle(message: FromExecutor): void {
    switch (message.kind) {
      case 'started':
        this.columns = message.columns;
        if (message.pipe !== undefined) this.reader.openPipe(message.pipe);
        return this.resolveStarted();
      case 'batch':
        this.rows += message.rows;
        if (this.failure === undefined) this.reader.push(message.lines);
        return;
      case 'memory':
        this.memoryBytes = message.memoryBytes;
        this.peakMemoryBytes = Math.max(this.peakMemoryBytes, message.memoryBytes);
        this.spilledBytes = Math.max(this.spilledBytes, message.spilledBytes);
        return;
      case 'ended':
        this.finalCpuMs = message.cpuMs;
        this.rows = Math.max(this.rows, message.rows);
        this.reader.close();
        return this.release();
      case 'failed': {
        const { reason, retriable, position } = message;
        this.finalCpuMs = message.cpuMs;
        this.fail(new TaskError(reason, message.message, retriable, position));
        return this.release();
      }
      default:
        return;
    }
  }

  processEnded(how: string): void {
    this.fail(crashed(how));
    this.release();
  }

  private fail(error: TaskError): void {
    if (this.failure !== undefined || this.released) return;
    this.failure = error;
    this.rejectStarted(error);
    this.reader.fail(error);
  }

  private release(): void {
    if (this.released) return;
    this.usage();
    this.released = true;
    this.killTimer?.();
    this.resolveEnded();
  }

  private async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const batch = await this.reader.next(() => {
          if (!this.released) this.port.send({ kind: 'credit' });
        });
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      // Whoever leaves early wants no more rows; after the end this does nothing.
      this.cancel();
    }
  }
}

export function crashed(how: string): TaskError {
  const message = `The process that ran the query ended unexpectedly (${how}). Other queries are not affected. If the same query does it again, report it.`;
  return new TaskError('EXECUTOR_CRASHED', message, true);
}

const PROCESS_BASE_BYTES = 256 * 1024 * 1024;

/** RSS of a process whose engine keeps to its limit stays below this: the allocator keeps up to as much again. */
export const rssLimitBytes = (memoryLimitBytes: number): number => PROCESS_BASE_BYTES + 2 * memoryLimitBytes;
