// What the tasks of a distributed query did, for progress and EXPLAIN ANALYZE. Pure.
import type { KnownStage } from './stage-task.js';

/** What one task that ran to its end did. */
export interface TaskFigures {
  readonly stageId: string;
  readonly index: number;
  readonly attempt: number;
  readonly workerId: string;
  readonly rows: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
  /** Time that it waited for its inputs when it could have run. */
  readonly inputWaitMs: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
  readonly fetchedBytes: number;
}

/** How far a distributed query is. */
export interface StageProgress {
  readonly stages: number;
  readonly stagesDone: number;
  readonly tasks: number;
  readonly tasksDone: number;
  readonly tasksRunning: number;
  /** Tasks that were started again. */
  readonly retries: number;
  /** Rows and bytes that went to exchange files. */
  readonly exchangedRows: number;
  readonly exchangedBytes: number;
  /** Pieces of tables that tasks divide among them, and those of the tasks that are done. */
  readonly splits: number;
  readonly splitsDone: number;
}

export class StageStats {
  /** By stage and task: the attempt that counted last. */
  private readonly finished = new Map<string, TaskFigures>();
  private retries = 0;

  taskFinished(figures: TaskFigures): void {
    this.finished.set(`${figures.stageId}.${figures.index}`, figures);
  }

  taskRetried(): void {
    this.retries++;
  }

  /** The tasks of a stage that have finished. */
  of(stageId: string): TaskFigures[] {
    return [...this.finished.values()].filter((task) => task.stageId === stageId);
  }

  /** `splitsOf`: how many splits each task of a stage reads. */
  progress(known: readonly KnownStage[], splitsOf: (known: KnownStage) => readonly number[]): StageProgress {
    const tasks = known.flatMap((stage) => stage.tasks);
    const splits = known.flatMap(splitsOf);
    const exchanged = known
      .filter(({ stage }) => stage.output.kind !== 'result')
      .flatMap(({ stage }) => this.of(stage.id));
    return {
      stages: known.length,
      stagesDone: known.filter((stage) => stage.tasks.every(({ state }) => state.kind === 'done')).length,
      tasks: tasks.length,
      tasksDone: tasks.filter(({ state }) => state.kind === 'done').length,
      tasksRunning: tasks.filter(({ state }) => state.kind === 'running').length,
      retries: this.retries,
      exchangedRows: exchanged.reduce((sum, { rows }) => sum + rows, 0),
      exchangedBytes: exchanged.reduce((sum, { bytes }) => sum + bytes, 0),
      splits: splits.reduce((sum, count) => sum + count, 0),
      splitsDone: splits.reduce((sum, count, at) => (tasks[at]?.state.kind === 'done' ? sum + count : sum), 0),
    };
  }
}
