import { type Clock, invariant, type TaskId } from '@tutti/base';
import { type ExecutorPool, TaskError, type TaskRun, type TaskUsage } from '@tutti/engine';
import type { ShardStamp } from '@tutti/lease-wire';
import type { TaskVerdict } from '@tutti/resource-groups';
import type { Log } from '@tutti/service';
import { SessionArrivals } from './session-arrivals.js';
import type { SessionCounts, SessionTask } from './session-task.js';
import {
  type HeldTask,
  type RefusalReason,
  type StopReason,
  type TaskEffect,
  type TaskEvent,
  TaskMachine,
} from './task-machine.js';
import type { WorkerExchange } from './worker-exchange.js';

/** What a coordinator asks for. */
export interface TaskRequest {
  readonly taskId: TaskId;
  readonly queryId: string;
  readonly coordinatorId: string;
  readonly resourceGroup: string;
  /** By which the query was started; undefined when it came without. */
  readonly lease: ShardStamp | undefined;
  readonly fragment: Uint8Array;
  readonly memoryLimitBytes: number;
  /** Set when the fragment is a session: what other workers must bring to read its exchange files. */
  readonly session: { readonly exchangeKey: string } | undefined;
}

/** A task, what it uses, and how it goes. */
export interface TaskReport extends HeldTask, Omit<TaskRequest, 'fragment' | 'session'> {
  readonly usage: TaskUsage;
  /** Of a session. */
  readonly counts: SessionCounts | undefined;
  readonly elapsedMs: number;
}

export interface TaskRunnerOptions {
  readonly pool: ExecutorPool;
  readonly exchange: WorkerExchange;
  readonly tasksMax: number;
  readonly threads: number;
  readonly orphanTimeoutMs: number;
  /** What the fences of this moment say of a task. */
  readonly judge: (request: TaskRequest) => TaskVerdict;
  /** Something changed that others should know soon. */
  readonly changed: () => void;
  readonly ended: (outcome: string) => void;
  readonly refused: (reason: RefusalReason) => void;
  readonly clock: Clock;
  readonly log: Log;
}

type Refusal = Extract<TaskEffect, { kind: 'refuse' }>;

/** What an executor does for a task: a run that gives rows, or a session that runs fragments. */
export type TaskWork =
  | { readonly kind: 'rows'; readonly run: Promise<TaskRun> }
  | { readonly kind: 'session'; readonly session: SessionTask };

type StartedWork = Pick<TaskRun, 'usage' | 'ended'>;

interface RunnerTask {
  readonly request: Omit<TaskRequest, 'fragment' | 'session'>;
  readonly controller: AbortController;
  readonly work: TaskWork;
  started: StartedWork | undefined;
  stopReason: StopReason | undefined;
  readonly released: Promise<void>;
}

const ENDED_KEPT_MS = 30_000;
const ENDED_MAX = 200;
const CANCELED_KEPT_MS = 60_000;
const CANCELED_MAX = 10_000;
const NO_USAGE: TaskUsage = { rows: 0, cpuMs: 0, memoryBytes: 0, peakMemoryBytes: 0, spilledBytes: 0, rssBytes: 0 };

/** The tasks of this worker: carries out what the task machine decides, on an executor pool. */
export class TaskRunner {
  private readonly machine: TaskMachine;
  private readonly tasks = new Map<TaskId, RunnerTask>();
  private readonly arrivals: SessionArrivals;

  constructor(private readonly options: TaskRunnerOptions) {
    const { tasksMax, orphanTimeoutMs } = options;
    this.arrivals = new SessionArrivals(options.clock);
    this.machine = new TaskMachine({
      ...{ tasksMax, orphanTimeoutMs, endedKeptMs: ENDED_KEPT_MS, endedMax: ENDED_MAX },
      ...{ canceledKeptMs: CANCELED_KEPT_MS, canceledMax: CANCELED_MAX },
    });
  }

  get tasksMax(): number {
    return this.options.tasksMax;
  }

  /** Starts a task unless it is there already. Returns why not, if it is refused. */
  create(request: TaskRequest): Refusal | undefined {
    const { taskId, memoryLimitBytes } = request;
    const verdict = this.options.judge(request); // K7: nothing is awaited from here to the start.
    const event = { kind: 'createAsked', taskId, memoryLimitBytes, verdict } as const;
    for (const effect of this.machine.apply(event, this.options.clock.now())) {
      if (effect.kind === 'start') this.start(request);
      if (effect.kind !== 'refuse') continue;
      this.options.refused(effect.reason);
      return effect;
    }
    return undefined;
  }

  /** Stops a task, or sees to it that it never begins. Returns why not, if it is refused. */
  cancel(taskId: TaskId): Refusal | undefined {
    return this.apply({ kind: 'cancelAsked', taskId });
  }

  /** The work of a task, for its one reader. Returns why not, if it is refused. */
  read(taskId: TaskId): Refusal | { readonly kind: 'read'; readonly work: TaskWork } {
    for (const effect of this.machine.apply({ kind: 'rowsAsked', taskId }, this.options.clock.now()))
      if (effect.kind === 'refuse') return effect;
    const task = this.tasks.get(taskId);
    invariant(task !== undefined, 'the machine and the runner know the same tasks');
    return { kind: 'read', work: task.work };
  }

  /** A session that has not ended; undefined when there is none, or the task is none. */
  session(taskId: TaskId): SessionTask | 'none' | 'notASession' {
    const task = this.tasks.get(taskId);
    const phase = this.machine.get(taskId)?.phase.kind;
    if (task === undefined || (phase !== 'planned' && phase !== 'running')) return 'none';
    return task.work.kind === 'session' ? task.work.session : 'notASession';
  }

  /** As session(), of one that may not have begun yet: waits for it a moment. */
  async sessionSoon(taskId: TaskId, signal: AbortSignal): Promise<SessionTask | 'none' | 'notASession'> {
    if (this.machine.get(taskId) === undefined) await this.arrivals.wait(taskId, signal);
    return this.session(taskId);
  }

  /** Tells the machine; for everything that happens to a task but its creation and reading. */
  apply(event: Exclude<TaskEvent, { kind: 'createAsked' | 'rowsAsked' }>): Refusal | undefined {
    for (const effect of this.machine.apply(event, this.options.clock.now())) {
      if (effect.kind === 'refuse') return effect;
      if (effect.kind === 'forget') this.tasks.delete(effect.taskId);
      if (effect.kind !== 'stop') continue;
      const task = this.tasks.get(effect.taskId);
      if (task === undefined) continue;
      task.stopReason = effect.reason;
      task.controller.abort();
      this.noteEnd(effect.taskId, effect.reason);
    }
    return undefined;
  }

  /** The reader has every row. */
  finish(taskId: TaskId): void {
    this.noteOutcome(taskId, 'finished');
  }

  /** Why a task was stopped; undefined when it was not. */
  stopReason(taskId: TaskId): StopReason | undefined {
    return this.tasks.get(taskId)?.stopReason;
  }

  /** Resolves when no executor works on the task any more. */
  async released(taskId: TaskId): Promise<void> {
    await this.tasks.get(taskId)?.released;
  }

  report(taskId: TaskId): TaskReport | undefined {
    const held = this.machine.get(taskId);
    return held && this.reportOf(held);
  }

  /** All tasks that are remembered. */
  reports(): TaskReport[] {
    return this.machine.tasks().map((held) => this.reportOf(held));
  }

  /** Tasks that have not ended, or whose executor has not stopped yet. */
  unfinished(): TaskReport[] {
    return this.machine.unfinished().map((held) => this.reportOf(held));
  }

  reservedBytes(): number {
    return this.machine.reservedBytes();
  }

  get endedCount(): number {
    return this.machine.ended;
  }

  private start({ fragment, session, ...request }: TaskRequest): void {
    const { log } = this.options;
    const { taskId } = request;
    const controller = new AbortController();
    const { work, started } = this.begin({ fragment, session, ...request }, controller.signal);
    const released = started.then(
      (begun) => {
        task.started = begun;
        return begun.ended;
      },
      (error: unknown) => this.noteFailure(taskId, error),
    );
    const task: RunnerTask = { request, controller, work, started: undefined, stopReason: undefined, released };
    this.tasks.set(taskId, task);
    this.arrivals.arrived(taskId);
    void released.then(() => {
      // Of a session that ends by itself nobody may be reading.
      if (work.kind === 'session') this.noteOutcome(taskId, 'failed');
      this.apply({ kind: 'released', taskId });
      log.debug('task-released', { taskId });
      this.options.changed();
    });
    const { queryId, resourceGroup, coordinatorId } = request;
    log.debug('task-started', { taskId, queryId, resourceGroup, coordinatorId });
    this.options.changed();
  }

  private begin(request: TaskRequest, signal: AbortSignal): { work: TaskWork; started: Promise<StartedWork> } {
    const { pool, exchange, threads } = this.options;
    const { taskId, fragment, memoryLimitBytes } = request;
    const task = { taskId, fragment, memoryLimitBytes, threads };
    if (request.session === undefined) {
      const run = pool.run(task, signal);
      return { work: { kind: 'rows', run }, started: run };
    }
    try {
      const { session, executor } = exchange.open({ ...request.session, queryId: request.queryId, task, pool, signal });
      return { work: { kind: 'session', session }, started: executor };
    } catch (error) {
      // The disk does not take its directory. The reader hears of it, as of every failed start.
      const run = Promise.reject<TaskRun>(error);
      return { work: { kind: 'rows', run }, started: run };
    }
  }

  /** The task failed; also when that came out while its rows were read. */
  noteFailure(taskId: TaskId, error: unknown): void {
    if (!(error instanceof TaskError)) this.options.log.error('task-failed', { taskId, error });
    this.noteOutcome(taskId, 'failed');
  }

  private noteOutcome(taskId: TaskId, kind: 'finished' | 'failed'): void {
    const before = this.machine.ended;
    this.apply({ kind, taskId });
    if (this.machine.ended > before) this.noteEnd(taskId, kind);
  }

  private noteEnd(taskId: TaskId, outcome: string): void {
    this.options.log.debug('task-ended', { taskId, outcome });
    this.options.ended(outcome);
    this.options.changed();
  }

  private reportOf(held: HeldTask): TaskReport {
    const task = this.tasks.get(held.taskId);
    invariant(task !== undefined, 'the machine and the runner know the same tasks');
    const until = 'at' in held.phase ? held.phase.at : this.options.clock.now();
    const usage = task.started?.usage() ?? NO_USAGE;
    const counts = task.work.kind === 'session' ? task.work.session.counts : undefined;
    return { ...task.request, ...held, usage, counts, elapsedMs: until - held.createdAt };
  }
}
