// Makes sure that tasks end before their query gives its slot back.
//   N1. A task that was stopped counts as running until its worker has said that it ended, or that it does not know it. A
//       worker that does not say so is asked again every second.
//   N2. A worker that can never say it has taken its tasks with it: it said good-bye, or a later life of it is known.
//   N3. One of which nobody hears any more counts as gone when the cluster has forgotten it and it was asked for
//       FORGOTTEN_AFTER_MS: by then a worker that is merely cut off has canceled the tasks of coordinators that are silent, and the
//       executors of one that stands still have ended themselves.
import { type Clock, type Instant, sleep } from '@tutti/base';
import type { Log } from '@tutti/service';
import { Bell } from './bell.js';
import type { WorkerChoice } from './core/placement.js';
import type { TaskClient, TaskUse } from './task-client.js';
import type { Workers } from './workers.js';

export interface TaskEndsOptions {
  readonly tasks: Pick<TaskClient, 'cancel'>;
  readonly workers: Pick<Workers, 'hasLeft' | 'isForgotten'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface StoppedTask {
  readonly taskId: string;
  readonly queryId: string;
  readonly worker: WorkerChoice;
}

const AGAIN_MS = 1_000;
const FORGOTTEN_AFTER_MS = 15_000;

export class TaskEnds {
  /** How many tasks of each query were stopped and are not known to have ended. */
  private readonly open = new Map<string, number>();
  private readonly closed = new Bell();

  constructor(private readonly options: TaskEndsOptions) {}

  /** Tasks that were stopped and are not known to have ended. */
  get openCount(): number {
    let count = 0;
    for (const tasks of this.open.values()) count += tasks;
    return count;
  }

  /** Stops a task. Resolves with what it used when its worker says so, and without when it does not; never rejects. */
  async stop(task: StoppedTask, reason: string): Promise<TaskUse | undefined> {
    const { tasks, clock } = this.options;
    const { queryId, taskId, worker } = task;
    const since = clock.now();
    this.count(queryId, 1);
    const outcome = await tasks.cancel(worker.address, taskId, reason);
    if (outcome.kind === 'ended') {
      this.count(queryId, -1);
      return outcome.use;
    }
    void this.insist(task, reason, since, outcome.message);
    return undefined;
  }

  /** Whether a task of the query that was stopped may still run. */
  isOpen(queryId: string): boolean {
    return this.open.has(queryId);
  }

  /** Resolves when no task of the query that was stopped may still run. */
  async settled(queryId: string): Promise<void> {
    while (this.isOpen(queryId)) await this.closed.wait();
  }

  /** N1. */
  private async insist(task: StoppedTask, reason: string, since: Instant, firstAnswer: string): Promise<void> {
    const { tasks, clock, log } = this.options;
    const { queryId, taskId, worker } = task;
    const told = { queryId, taskId, workerId: worker.nodeId };
    let message = firstAnswer;
    let isTold = false;
    let isConfirmed = false;
    while (!this.isGone(worker, since)) {
      if (!isTold) log.warn('task-end-unconfirmed', { ...told, message });
      isTold = true;
      await sleep(clock, AGAIN_MS);
      if (this.isGone(worker, since)) break;
      const outcome = await tasks.cancel(worker.address, taskId, reason);
      isConfirmed = outcome.kind === 'ended';
      if (outcome.kind === 'ended') break;
      message = outcome.message;
    }
    const afterMs = Math.round(clock.now() - since);
    if (isTold) log.info(isConfirmed ? 'task-end-confirmed' : 'task-end-assumed', { ...told, afterMs });
    this.count(queryId, -1);
  }

  private isGone(worker: WorkerChoice, since: Instant): boolean {
    const { workers, clock } = this.options;
    return workers.hasLeft(worker) || (workers.isForgotten(worker) && clock.now() - since >= FORGOTTEN_AFTER_MS); // N2, N3
  }

  private count(queryId: string, more: 1 | -1): void {
    const left = (this.open.get(queryId) ?? 0) + more;
    if (left > 0) this.open.set(queryId, left);
    else this.open.delete(queryId);
    if (left === 0) this.closed.ring();
  }
}
