// Which tasks this worker holds, and what becomes of each. Pure: an event and a time in, effects out.
//   K1. At most tasksMax tasks hold an executor: from their creation until the executor has let go of them.
//   K2. A task is created once. Asking again changes nothing and is answered like the first time.
//   K3. The rows of a task are read by one reader, once. When the reader leaves, the task is canceled.
//   K4. A task that nobody reads for orphanTimeoutMs is canceled.
//   K5. A task ends once; the first end counts. Ended tasks are remembered for a while, at most endedMax of them.
//   K6. A draining worker takes no new task, and finishes those that it has.
//   K7. A new task begins in the turn in which it is judged, only if it is accepted: so a report that names the fences of that
//       moment has the task too. A task that is there already is not judged again.
//   K8. A task that was canceled before it came does not begin when it comes: whoever canceled it counts on that. Remembered
//       for canceledKeptMs; when canceledMax are, the next such cancel is refused, and nobody counts on it.
import { type Instant, type TaskId, unreachable } from '@tutti/base';
import type { TaskVerdict } from '@tutti/resource-groups';

/** Why a task was stopped before its end. */
export type StopReason = 'userCanceled' | 'readerLeft' | 'orphaned' | 'workerDraining';

export type TaskPhase =
  /** Created; nobody has asked for its rows. */
  | { readonly kind: 'planned'; readonly since: Instant }
  /** Somebody reads its rows. */
  | { readonly kind: 'running' }
  | { readonly kind: 'finished'; readonly at: Instant }
  | { readonly kind: 'failed'; readonly at: Instant }
  | { readonly kind: 'canceled'; readonly at: Instant; readonly reason: StopReason };

export interface HeldTask {
  readonly taskId: TaskId;
  readonly createdAt: Instant;
  readonly memoryLimitBytes: number;
  readonly phase: TaskPhase;
  /** Whether an executor still works on it, or has not yet stopped. */
  readonly holdsExecutor: boolean;
}

export type TaskEvent =
  | {
      readonly kind: 'createAsked';
      readonly taskId: TaskId;
      readonly memoryLimitBytes: number;
      /** What the fences of this moment say, should the task be new. */
      readonly verdict: TaskVerdict;
    }
  | { readonly kind: 'rowsAsked'; readonly taskId: TaskId }
  | { readonly kind: 'readerLeft'; readonly taskId: TaskId }
  | { readonly kind: 'cancelAsked'; readonly taskId: TaskId }
  /** The reader has every row. */
  | { readonly kind: 'finished'; readonly taskId: TaskId }
  | { readonly kind: 'failed'; readonly taskId: TaskId }
  /** The executor is free again, or gone. */
  | { readonly kind: 'released'; readonly taskId: TaskId }
  | { readonly kind: 'drainBegan' }
  | { readonly kind: 'drainGraceEnded' }
  | { readonly kind: 'ticked' };

export type TaskEffect =
  | { readonly kind: 'start'; readonly taskId: TaskId }
  | { readonly kind: 'stop'; readonly taskId: TaskId; readonly reason: StopReason }
  | { readonly kind: 'forget'; readonly taskId: TaskId }
  | { readonly kind: 'refuse'; readonly reason: RefusalReason };

export type RefusalReason =
  | 'busy'
  | 'draining'
  | Exclude<TaskVerdict, 'accepted'>
  | 'canceledBefore'
  | 'unknownTask'
  | 'alreadyRead'
  | 'tooManyCanceled';

export interface TaskMachineOptions {
  readonly tasksMax: number;
  readonly orphanTimeoutMs: number;
  readonly endedKeptMs: number;
  readonly endedMax: number;
  readonly canceledKeptMs: number;
  readonly canceledMax: number;
}

interface Task {
  readonly taskId: TaskId;
  readonly createdAt: Instant;
  readonly memoryLimitBytes: number;
  phase: TaskPhase;
  holdsExecutor: boolean;
  wasRead: boolean;
}

const isLive = ({ phase }: Task): boolean => phase.kind === 'planned' || phase.kind === 'running';

/** The tasks of one worker. */
export class TaskMachine {
  private readonly held = new Map<TaskId, Task>();
  /** Ids that were canceled and are not held, oldest first, with the time. */
  private readonly canceledEarly = new Map<TaskId, Instant>();
  private draining = false;
  private endedCount = 0;

  constructor(private readonly options: TaskMachineOptions) {}

  apply(event: TaskEvent, now: Instant): TaskEffect[] {
    switch (event.kind) {
      case 'createAsked':
        return this.create(event, now);
      case 'rowsAsked':
        return this.read(event.taskId);
      case 'readerLeft':
        return this.stop(event.taskId, 'readerLeft', now);
      case 'cancelAsked':
        return this.cancel(event.taskId, now);
      case 'finished':
        return this.end(event.taskId, { kind: 'finished', at: now });
      case 'failed':
        return this.end(event.taskId, { kind: 'failed', at: now });
      case 'released':
        return this.release(event.taskId);
      case 'drainBegan':
        this.draining = true;
        return [];
      case 'drainGraceEnded':
        return this.tasks().flatMap(({ taskId }) => this.stop(taskId, 'workerDraining', now));
      case 'ticked':
        return [...this.stopOrphans(now), ...this.forget(now)];
      default:
        return unreachable(event);
    }
  }

  get(taskId: TaskId): HeldTask | undefined {
    return this.held.get(taskId);
  }

  /** All tasks that are remembered, oldest first. */
  tasks(): readonly HeldTask[] {
    return [...this.held.values()];
  }

  /** Tasks that have not ended, or whose executor has not stopped yet. */
  unfinished(): readonly HeldTask[] {
    return [...this.held.values()].filter((task) => isLive(task) || task.holdsExecutor);
  }

  /** Memory that is promised to tasks. */
  reservedBytes(): number {
    return this.unfinished().reduce((sum, task) => sum + task.memoryLimitBytes, 0);
  }

  /** Tasks that ended since the worker started. */
  get ended(): number {
    return this.endedCount;
  }

  private create(event: Extract<TaskEvent, { kind: 'createAsked' }>, now: Instant): TaskEffect[] {
    const { taskId, memoryLimitBytes, verdict } = event;
    if (this.held.has(taskId)) return [];
    if (this.canceledEarly.has(taskId)) return [{ kind: 'refuse', reason: 'canceledBefore' }];
    if (verdict !== 'accepted') return [{ kind: 'refuse', reason: verdict }];
    if (this.draining) return [{ kind: 'refuse', reason: 'draining' }];
    const busy = [...this.held.values()].filter((task) => task.holdsExecutor).length;
    if (busy >= this.options.tasksMax) return [{ kind: 'refuse', reason: 'busy' }];
    const phase = { kind: 'planned', since: now } as const;
    this.held.set(taskId, { taskId, createdAt: now, memoryLimitBytes, phase, holdsExecutor: true, wasRead: false });
    return [{ kind: 'start', taskId }];
  }

  private read(taskId: TaskId): TaskEffect[] {
    const task = this.held.get(taskId);
    if (task === undefined) return [{ kind: 'refuse', reason: 'unknownTask' }];
    if (task.wasRead) return [{ kind: 'refuse', reason: 'alreadyRead' }];
    task.wasRead = true;
    if (task.phase.kind === 'planned') task.phase = { kind: 'running' };
    return [];
  }

  private cancel(taskId: TaskId, now: Instant): TaskEffect[] {
    if (this.held.has(taskId)) return this.stop(taskId, 'userCanceled', now);
    if (this.canceledEarly.size >= this.options.canceledMax) return [{ kind: 'refuse', reason: 'tooManyCanceled' }];
    if (!this.canceledEarly.has(taskId)) this.canceledEarly.set(taskId, now);
    return [];
  }

  private stop(taskId: TaskId, reason: StopReason, now: Instant): TaskEffect[] {
    const task = this.held.get(taskId);
    if (task === undefined || !isLive(task)) return [];
    return [...this.end(taskId, { kind: 'canceled', at: now, reason }), { kind: 'stop', taskId, reason }];
  }

  private end(taskId: TaskId, phase: TaskPhase): TaskEffect[] {
    const task = this.held.get(taskId);
    if (task === undefined || !isLive(task)) return [];
    task.phase = phase;
    this.endedCount++;
    return [];
  }

  private release(taskId: TaskId): TaskEffect[] {
    const task = this.held.get(taskId);
    if (task !== undefined) task.holdsExecutor = false;
    return [];
  }

  private stopOrphans(now: Instant): TaskEffect[] {
    return [...this.held.values()].flatMap(({ taskId, phase }) =>
      phase.kind === 'planned' && now - phase.since >= this.options.orphanTimeoutMs
        ? this.stop(taskId, 'orphaned', now)
        : [],
    );
  }

  private forget(now: Instant): TaskEffect[] {
    const ended = [...this.held.values()].filter((task) => !isLive(task) && !task.holdsExecutor);
    const tooMany = ended.length - this.options.endedMax;
    const old = ended.filter(
      ({ phase }, index) => index < tooMany || ('at' in phase && now - phase.at >= this.options.endedKeptMs),
    );
    for (const { taskId } of old) this.held.delete(taskId);
    for (const [taskId, canceledAt] of this.canceledEarly) {
      if (now - canceledAt < this.options.canceledKeptMs) break;
      this.canceledEarly.delete(taskId);
    }
    return old.map(({ taskId }) => ({ kind: 'forget', taskId }));
  }
}
