// Chooses the worker for a task. Pure.
//   P1. Only an active worker that is not excluded is chosen.
//   P2. A task of ours counts on its worker from the moment it is placed: until a later report of the worker, on top of
//       what the worker reported; so a burst between two reports spreads.
//   P3. Of equally loaded workers, the one that was given a task longest ago is chosen.

/** An active worker, as the directory knows it. */
export interface WorkerChoice {
  readonly nodeId: string;
  readonly incarnation: number;
  readonly address: string;
  /** Where other workers fetch exchange files. */
  readonly edgeAddress: string;
  readonly runningTasks: number;
  readonly tasksMax: number;
  /** Memory that all its tasks together may hold; 0 before its first report. */
  readonly memoryLimitBytes: number;
  /** Number of the report that the load was taken from; 0 before the first. */
  readonly reportSequence: number;
}

interface OwnTask {
  readonly incarnation: number;
  readonly reportSequence: number;
}

export class Placements {
  private readonly tasks = new Map<string, Map<string, OwnTask>>();
  private readonly lastPlaced = new Map<string, number>();
  private turn = 0;

  /** The least loaded worker; undefined when all are excluded. `excluded` holds `workerKey`s. */
  choose(workers: readonly WorkerChoice[], excluded: ReadonlySet<string>): WorkerChoice | undefined {
    let best: { worker: WorkerChoice; load: number; placed: number } | undefined;
    for (const worker of workers) {
      if (excluded.has(workerKey(worker))) continue; // P1
      const load = (worker.runningTasks + this.unreported(worker)) / Math.max(1, worker.tasksMax);
      const placed = this.lastPlaced.get(worker.nodeId) ?? 0;
      if (best && (load > best.load || (load === best.load && placed >= best.placed))) continue; // P3
      best = { worker, load, placed };
    }
    return best?.worker;
  }

  placed(worker: WorkerChoice, taskId: string): void {
    const tasks = this.tasks.get(worker.nodeId) ?? new Map<string, OwnTask>();
    tasks.set(taskId, { incarnation: worker.incarnation, reportSequence: worker.reportSequence });
    this.tasks.set(worker.nodeId, tasks);
    this.lastPlaced.delete(worker.nodeId); // The newest is last, so that the oldest can be forgotten.
    this.lastPlaced.set(worker.nodeId, ++this.turn);
    const [oldest] = this.lastPlaced.keys();
    if (this.lastPlaced.size > 10_000 && oldest !== undefined) this.lastPlaced.delete(oldest);
  }

  ended(nodeId: string, taskId: string): void {
    const tasks = this.tasks.get(nodeId);
    tasks?.delete(taskId);
    if (tasks?.size === 0) this.tasks.delete(nodeId);
  }

  /** P2. */
  private unreported(worker: WorkerChoice): number {
    let count = 0;
    for (const task of this.tasks.get(worker.nodeId)?.values() ?? []) {
      if (task.incarnation === worker.incarnation && task.reportSequence >= worker.reportSequence) count++;
    }
    return count;
  }
}

/** Names one life of a worker: a restarted worker deserves a new try. */
export const workerKey = (worker: Pick<WorkerChoice, 'nodeId' | 'incarnation'>): string =>
  `${worker.nodeId}@${worker.incarnation}`;
