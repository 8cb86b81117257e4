// One session, as the pool sees it: the other end of a SessionRun.
//   S1. One fragment at a time. It fails alone, unless the executor goes with it.
//   S2. `ended` resolves when the executor has let go of the session, or is gone: also after the fragment's own end.
import { type Clock, invariant } from '@tutti/base';
import { memoryLimit } from '../duckdb/task-failure.js';
import {
  type ExecutorSession,
  type FragmentIo,
  type FragmentRun,
  type SessionEngineTask,
  TaskError,
  type TaskUsage,
} from '../engine.js';
import { ActiveFragment } from './active-fragment.js';
import { crashed, type ExecutorWork, rssLimitBytes, type TaskPort } from './active-task.js';
import { type ProcessUsage, readProcessUsage } from './process-usage.js';
import type { FromExecutor } from './protocol.js';

const NOTHING: ProcessUsage = { cpuMs: 0, rssBytes: 0 };

export class ActiveSession implements ExecutorSession, ExecutorWork {
  readonly opened: Promise<void>;
  readonly ended: Promise<void>;

  private resolveOpened!: () => void;
  private rejectOpened!: (error: TaskError) => void;
  private resolveEnded!: () => void;
  private isReleased = false;
  private isClosing = false;
  private fragment: ActiveFragment | undefined;
  private killTimer: (() => void) | undefined;
  private readonly cpuAtStartMs: number;
  private lastUsage: ProcessUsage;
  private finalCpuMs: number | undefined;
  /** Of fragments that are over. */
  private rows = 0;
  private spilledBytes = 0;
  private memoryBytes = 0;
  private peakMemoryBytes = 0;
  private spilledNowBytes = 0;

  constructor(
    private readonly task: SessionEngineTask,
    private readonly port: TaskPort,
    private readonly options: { readonly clock: Clock; readonly interruptGraceMs: number },
  ) {
    this.opened = new Promise((resolve, reject) => {
      this.resolveOpened = resolve;
      this.rejectOpened = reject;
    });
    // Whoever waits for it gets the error; nobody has to.
    this.opened.catch(() => {});
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
    this.lastUsage = readProcessUsage(port.pid) ?? NOTHING;
    this.cpuAtStartMs = this.lastUsage.cpuMs;
  }

  async run(fragment: Uint8Array, io: FragmentIo, signal: AbortSignal): Promise<FragmentRun> {
    invariant(this.fragment === undefined, 'S1: a session runs one fragment at a time');
    if (signal.aborted) throw canceled('The fragment was canceled.');
    if (this.isClosing || this.isReleased)
      throw this.isClosing ? canceled('The session was closed.') : crashed('before the fragment came');
    const active = new ActiveFragment(this.port, () => this.stopEngine(), this.options.clock);
    this.fragment = active;
    this.port.send({ kind: 'fragment', fragment, ...io });
    const cancel = () => active.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const over = () => {
      signal.removeEventListener('abort', cancel);
      this.fragmentOver(active);
    };
    active.outcome.then(over, over);
    await active.started;
    return active;
  }

  usage(): TaskUsage {
    if (!this.isReleased) this.lastUsage = readProcessUsage(this.port.pid) ?? this.lastUsage;
    return {
      rows: this.rows + (this.fragment?.rows ?? 0),
      cpuMs: this.finalCpuMs ?? Math.max(0, this.lastUsage.cpuMs - this.cpuAtStartMs),
      memoryBytes: this.isReleased ? 0 : this.memoryBytes,
      peakMemoryBytes: this.peakMemoryBytes,
      spilledBytes: this.spilledBytes + this.spilledNowBytes,
      rssBytes: this.lastUsage.rssBytes,
    };
  }

  close(): void {
    if (this.isReleased || this.isClosing) return;
    this.isClosing = true;
    this.rejectOpened(canceled('The session was closed.'));
    this.fragment?.fail(canceled('The session was closed.'));
    this.port.send({ kind: 'close' });
    this.killLater();
  }

  checkRss(): void {
    if (this.isReleased || this.usage().rssBytes <= rssLimitBytes(this.task.memoryLimitBytes)) return;
    this.fragment?.fail(memoryLimit(this.task.memoryLimitBytes));
    this.kill();
  }

  handle(message: FromExecutor): void {
    switch (message.kind) {
      case 'opened':
        return this.resolveOpened();
      case 'memory':
        this.memoryBytes = message.memoryBytes;
        this.peakMemoryBytes = Math.max(this.peakMemoryBytes, message.memoryBytes);
        this.spilledNowBytes = Math.max(this.spilledNowBytes, message.spilledBytes);
        return;
      case 'ended':
        this.finalCpuMs = message.cpuMs;
        return this.release();
      case 'failed': {
        const error = new TaskError(message.reason, message.message, message.retriable);
        this.finalCpuMs = message.cpuMs;
        this.rejectOpened(error);
        this.fragment?.lost(error);
        return this.release();
      }
      case 'fragmentEnded':
      case 'fragmentFailed':
        this.engineStopped();
        return this.fragment?.handle(message);
      default:
        return this.fragment?.handle(message);
    }
  }

  processEnded(how: string): void {
    const error = crashed(how);
    this.rejectOpened(error);
    this.fragment?.lost(error);
    this.release();
  }

  /** Asks the engine to stop the fragment, and kills it when it does not within the grace. */
  private stopEngine(): void {
    this.port.send({ kind: 'cancel' });
    this.killLater();
  }

  private killLater(): void {
    this.killTimer ??= this.options.clock.schedule(this.options.interruptGraceMs, () => this.kill());
  }

  /** The engine has stopped in time; of a session that is closed its end is still awaited. */
  private engineStopped(): void {
    if (this.isClosing) return;
    this.killTimer?.();
    this.killTimer = undefined;
  }

  private fragmentOver(fragment: ActiveFragment): void {
    if (this.fragment !== fragment) return;
    this.fragment = undefined;
    this.rows += fragment.rows;
    this.spilledBytes += this.spilledNowBytes;
    this.spilledNowBytes = 0;
  }

  /** Of a process that is gone nobody knows what it used. */
  private kill(): void {
    this.usage();
    this.port.kill();
  }

  private release(): void {
    if (this.isReleased) return;
    this.usage();
    this.isReleased = true;
    this.killTimer?.();
    this.resolveEnded();
  }
}

const canceled = (message: string): TaskError => new TaskError('CANCELED', message, false);
