import type { LeasedTask, TaskStamp } from '../lease-messages.js';
import { TaskFences, type TaskVerdict } from '../task-fences.js';
import type { SimCoordinator } from './sim-coordinator.js';
import { SimProcess } from './sim-process.js';

export interface TaskCreate {
  /** Names one attempt: it is judged once, however often the message comes. */
  readonly attempt: string;
  readonly queryId: string;
  readonly group: string;
  readonly stamp: TaskStamp;
  readonly workerIncarnation: number;
  readonly durationMs: number;
}

const REPORT_MS = 300;
export const ORPHAN_MS = 2_000;

/** Runs tasks, refuses those that are fenced, reports to the owner, and ends what silent coordinators left. */
export class SimWorker extends SimProcess {
  readonly tasks = new Map<string, LeasedTask>();
  private fences = new TaskFences();
  private readonly judged = new Map<string, TaskVerdict | 'ended'>();
  private readonly heardAt = new Map<string, number>();
  private sequence = 0;

  protected began(): void {
    this.fences = new TaskFences();
    this.judged.clear();
    this.heardAt.clear();
    this.sequence = 0;
    this.report();
    this.every(REPORT_MS, () => this.report());
    this.every(REPORT_MS, () => this.endOrphans());
  }

  protected ended(): void {
    for (const attempt of [...this.tasks.keys()]) this.remove(attempt);
  }

  create(task: TaskCreate, from: SimCoordinator): void {
    const { attempt, stamp, durationMs } = task;
    if (task.workerIncarnation !== this.incarnation) return;
    this.hear(stamp.coordinatorId, stamp.incarnation);
    let verdict = this.judged.get(attempt);
    if (verdict === undefined) {
      verdict = this.fences.judge(stamp, task.group);
      this.judged.set(attempt, verdict);
      this.world.checks.judged(verdict);
      if (verdict === 'accepted') {
        const { coordinatorId, incarnation } = stamp;
        const { queryId, group } = task;
        this.tasks.set(attempt, { coordinatorId, incarnation, queryId, group });
        this.world.checks.taskBegan(queryId, group);
        this.after(durationMs, () => this.end(attempt, from));
      }
    }
    const answer = verdict;
    this.send(from, (coordinator) => coordinator.taskJudged(attempt, answer, stamp));
  }

  /** A coordinator says that it is there, and asks how its tasks are. */
  poke(from: SimCoordinator, incarnation: number, attempts: readonly string[], workerIncarnation: number): void {
    if (workerIncarnation !== this.incarnation) return;
    this.hear(from.name, incarnation);
    for (const attempt of attempts) {
      if (this.judged.get(attempt) === 'ended') this.send(from, (coordinator) => coordinator.taskEnded(attempt));
    }
  }

  private end(attempt: string, from: SimCoordinator | undefined): void {
    if (!this.tasks.has(attempt)) return;
    this.remove(attempt);
    if (from !== undefined) this.send(from, (coordinator) => coordinator.taskEnded(attempt));
  }

  private remove(attempt: string): void {
    const task = this.tasks.get(attempt);
    if (task === undefined) return;
    this.tasks.delete(attempt);
    this.judged.set(attempt, 'ended');
    this.world.checks.taskEnded(task.queryId, task.group);
  }

  private hear(coordinatorId: string, incarnation: number): void {
    this.heardAt.set(`${coordinatorId}/${incarnation}`, this.now());
  }

  private endOrphans(): void {
    for (const [attempt, { coordinatorId, incarnation }] of [...this.tasks]) {
      const heardAt = this.heardAt.get(`${coordinatorId}/${incarnation}`) ?? 0;
      if (this.now() - heardAt > ORPHAN_MS) this.end(attempt, undefined);
    }
  }

  private report(): void {
    const { name: workerId, incarnation } = this;
    const sequence = ++this.sequence;
    const fencesKept = this.fences.kept;
    const report = { workerId, incarnation, sequence, fencesKept, tasks: [...this.tasks.values()] };
    for (const manager of this.world.managers) this.send(manager, (to) => to.apply({ kind: 'workerReport', report }));
  }

  takeFences(list: Parameters<TaskFences['hear']>[0], incarnation: number): void {
    if (incarnation === this.incarnation) this.fences.hear(list);
  }
}
