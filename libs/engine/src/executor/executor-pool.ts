// Keeps executors warm and gives each task, and each session, one.
//   X1. At most maxTasks tasks are in hand: with an executor, or waiting for one that starts.
//   X2. An executor has at most one task, and is used again only when it has a database for the next one and its memory is small:
//       one that no task has had, or one that tasks or sessions of the same needs have left as it was (kept-databases.ts).
//   X3. An executor that ends harms its own task only; another one is started in its place.
import { type Clock, invariant } from '@tutti/base';
import type { Log } from '@tutti/service';
import {
  type EngineTask,
  type ExecutorPool,
  type ExecutorPoolStats,
  type ExecutorSession,
  type SessionEngineTask,
  TaskError,
  type TaskRun,
} from '../engine.js';
import { ActiveSession } from './active-session.js';
import { ActiveTask } from './active-task.js';
import { ExecutorChild } from './executor-child.js';
import type { Allotment } from './protocol.js';
import { SpillDirectories } from './spill-directories.js';

export interface ExecutorPoolOptions {
  /** The executor program: a file that calls runExecutorProcess(). */
  readonly executorPath: string;
  /** Executors that are kept ready. */
  readonly warm: number;
  /** Tasks at once, and so executors at most. */
  readonly maxTasks: number;
  /** Where tasks may spill, each in a directory of its own that is removed afterwards. */
  readonly spillDirectory: string;
  /** What one task may spill. */
  readonly spillLimitBytes: number;
  /** How long a canceled task may take to stop before its executor is killed. */
  readonly interruptGraceMs: number;
  /** An executor that holds more after a task is replaced. */
  readonly recycleRssBytes: number;
  readonly log: Log;
  readonly clock: Clock;
}

/** Makes a pool of executors that are child processes with DuckDB in them. */
export const createDuckdbExecutorPool = (options: ExecutorPoolOptions): ExecutorPool => new DuckdbExecutorPool(options);

const WATCH_INTERVAL_MS = 250;
const RESTART_DELAY_MS = 1_000;
/** After this many executors that never became ready, tasks are refused instead of waiting. */
const FAILED_STARTS_MAX = 3;

interface Waiter {
  readonly take: (child: ExecutorChild) => void;
  readonly refuse: (error: TaskError) => void;
}

class DuckdbExecutorPool implements ExecutorPool {
  private readonly children = new Set<ExecutorChild>();
  private readonly waiters = new Set<Waiter>();
  private spillDirectories: SpillDirectories | undefined;
  private failedStarts = 0;
  private endedCpuMs = 0;
  private watching = false;
  private closing = false;
  private started: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  constructor(private readonly options: ExecutorPoolOptions) {}

  async start(): Promise<void> {
    this.spillDirectories = SpillDirectories.open(this.options.spillDirectory);
    const ready = new Promise<void>((resolve, reject) => (this.started = { resolve, reject }));
    for (let i = 0; i < Math.max(1, this.options.warm); i++) this.startExecutor();
    await ready;
  }

  async run(task: EngineTask, signal: AbortSignal): Promise<TaskRun> {
    const child = await this.acquire(signal);
    if (child.state === 'gone')
      throw new TaskError('EXECUTOR_CRASHED', 'The executor ended before it got the task.', true);
    const active = new ActiveTask(task, child, this.options);
    const allotment = this.allot(task, child);
    child.assign(active);
    child.send({ kind: 'run', ...allotment });
    this.begin(active.ended, { cancel: () => active.cancel(), allotment, signal });
    try {
      await active.started;
    } catch (error) {
      // The caller has nothing to wait on: when it hears of the failure the executor is free, or gone.
      await active.ended;
      throw error;
    }
    return active;
  }

  async open(task: SessionEngineTask, signal: AbortSignal): Promise<ExecutorSession> {
    const child = await this.acquire(signal);
    if (child.state === 'gone')
      throw new TaskError('EXECUTOR_CRASHED', 'The executor ended before it got the session.', true);
    const active = new ActiveSession(task, child, this.options);
    const { exchangeDirectory, exchangeRoot } = task;
    const allotment = this.allot(task, child);
    child.assign(active);
    child.send({ kind: 'open', ...allotment, exchangeDirectory, exchangeRoot });
    this.begin(active.ended, { cancel: () => active.close(), allotment, signal });
    return active;
  }

  private allot({ fragment, memoryLimitBytes, threads }: EngineTask, child: ExecutorChild): Allotment {
    const { resultPipe, spillDirectory } = child;
    const { spillLimitBytes } = this.options;
    return { fragment, memoryLimitBytes, threads, spillLimitBytes, resultPipe, spillDirectory };
  }

  /** The executor has been given the work. */
  private begin(
    ended: Promise<void>,
    start: { readonly cancel: () => void; readonly allotment: Allotment; readonly signal: AbortSignal },
  ): void {
    const { cancel, allotment, signal } = start;
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    void ended.then(() => {
      signal.removeEventListener('abort', cancel);
      this.spill.remove(allotment.spillDirectory);
    });
    this.watch();
  }

  stats(): ExecutorPoolStats {
    const usages = [...this.children].map((child) => child.usage());
    return {
      warm: this.count('idle'),
      busy: this.count('busy'),
      pids: [...this.children].map((child) => child.pid),
      rssBytes: usages.reduce((sum, usage) => sum + usage.rssBytes, 0),
      cpuMs: usages.reduce((sum, usage) => sum + usage.cpuMs, this.endedCpuMs),
    };
  }

  async close(): Promise<void> {
    this.closing = true;
    for (const waiter of this.waiters) waiter.refuse(new TaskError('CANCELED', 'The worker stops.', true));
    const gone = new Promise<void>((resolve) => (this.allGone = resolve));
    for (const child of this.children) child.kill();
    if (this.children.size > 0) await gone;
    this.spillDirectories?.close();
  }

  private allGone: () => void = () => {};

  private get spill(): SpillDirectories {
    invariant(this.spillDirectories !== undefined, 'a pool is started before it is used');
    return this.spillDirectories;
  }

  private count(state: ExecutorChild['state']): number {
    return [...this.children].filter((child) => child.state === state).length;
  }

  /** The one that can run the most tasks before it has to open databases for more. */
  private bestIdle(): ExecutorChild | undefined {
    let best: ExecutorChild | undefined;
    for (const child of this.children) if (child.state === 'idle' && child.spares > (best?.spares ?? 0)) best = child;
    return best;
  }

  /** An executor that was idle and is marked busy, so that nobody else finds it; perhaps after one has started. */
  private acquire(signal: AbortSignal): Promise<ExecutorChild> {
    if (signal.aborted || this.closing)
      return Promise.reject(new TaskError('CANCELED', 'The task was canceled.', false));
    const idle = this.bestIdle();
    if (idle !== undefined) {
      idle.state = 'busy';
      return Promise.resolve(idle);
    }
    if (this.count('busy') + this.waiters.size >= this.options.maxTasks)
      return Promise.reject(busy(this.options.maxTasks));
    if (this.failedStarts >= FAILED_STARTS_MAX) return Promise.reject(cannotStart());
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiters.delete(waiter);
        signal.removeEventListener('abort', cancel);
      };
      const waiter: Waiter = {
        take: (child) => (leave(), resolve(child)),
        refuse: (error) => (leave(), reject(error)),
      };
      const cancel = () => waiter.refuse(new TaskError('CANCELED', 'The task was canceled.', false));
      signal.addEventListener('abort', cancel, { once: true });
      this.waiters.add(waiter);
      if (this.count('starting') < this.waiters.size && this.children.size < this.options.maxTasks)
        this.startExecutor();
    });
  }

  private startExecutor(): void {
    const { executorPath, log } = this.options;
    const changed = (child: ExecutorChild) => this.childChanged(child);
    const paths = { directory: this.spill.path, ...this.spill.nextExecutor() };
    this.children.add(new ExecutorChild({ path: executorPath, ...paths, log, changed }));
  }

  private childChanged(child: ExecutorChild): void {
    if (child.state === 'gone') return this.childGone(child);
    if (child.state !== 'idle') return;
    this.failedStarts = 0;
    if (child.tasksRun > 0 && child.usage().rssBytes > this.options.recycleRssBytes) {
      // The allocator keeps what a large query used; only a new process gives it back.
      this.options.log.debug('executor-recycled', { pid: child.pid, rssBytes: child.usage().rssBytes });
      child.state = 'starting';
      return child.kill();
    }
    const [waiter] = this.waiters;
    if (waiter !== undefined) {
      child.state = 'busy';
      waiter.take(child);
    }
    this.started?.resolve();
  }

  private childGone(child: ExecutorChild): void {
    this.children.delete(child);
    this.endedCpuMs += child.usage().cpuMs;
    if (this.closing) return this.children.size === 0 ? this.allGone() : undefined;
    if (child.wasReady) return this.refill();
    this.failedStarts++;
    if (this.failedStarts >= FAILED_STARTS_MAX) {
      for (const waiter of this.waiters) waiter.refuse(cannotStart());
      this.started?.reject(cannotStart());
    }
    this.options.clock.schedule(RESTART_DELAY_MS, () => this.refill());
  }

  private refill(): void {
    const wanted = Math.min(this.options.maxTasks, Math.max(this.options.warm, this.waiters.size + this.count('busy')));
    while (!this.closing && this.children.size < wanted) this.startExecutor();
  }

  /** Looks after the memory of busy executors while there are any. */
  private watch(): void {
    if (this.watching) return;
    this.watching = true;
    this.options.clock.schedule(WATCH_INTERVAL_MS, () => {
      this.watching = false;
      for (const child of this.children) child.active?.checkRss();
      if (this.count('busy') > 0) this.watch();
    });
  }
}

const busy = (maxTasks: number): TaskError =>
  new TaskError(
    'WORKER_BUSY',
    `The worker runs ${maxTasks} tasks already (task.maxTasks). Ask another worker, or again later.`,
    true,
  );

const cannotStart = (): TaskError =>
  new TaskError(
    'EXECUTOR_CRASHED',
    "The worker cannot start executors; its log says why under 'executor-crashed' or 'executor-pipe'.",
    true,
  );
