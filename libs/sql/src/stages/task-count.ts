// Into how many shares rows are divided. One share per worker costs least; more of them even out a slow worker, which is
// worth a statement each only where they are long.
//   N1. Partitions are written for `workers` or for `workers * tasksPerWorker` tasks: a number of tasks that divides that of the
//       partitions of all inputs gives each task all rows of its keys.
import type { CutSettings } from './stage.js';

export type TaskSettings = Pick<CutSettings, 'workers' | 'tasksPerWorker' | 'taskRows'>;

const workersOf = ({ workers }: TaskSettings): number => Math.max(1, workers);

const perWorker = ({ tasksPerWorker }: TaskSettings): number => Math.max(1, tasksPerWorker);

/** Tasks for that many rows of input which any task may take. */
export function tasksForRows(rows: number, settings: TaskSettings): number {
  const { taskRows } = settings;
  const workers = workersOf(settings);
  if (taskRows <= 0) return workers * perWorker(settings);
  const wanted = Math.max(1, Math.ceil(rows / workers / taskRows));
  return workers * Math.min(perWorker(settings), wanted);
}

/** Partitions for that many rows (N1). */
export function partitionsForRows(rows: number, settings: TaskSettings): number {
  const workers = workersOf(settings);
  return isLittle(rows, settings) ? workers : workers * perWorker(settings);
}

/** Tasks that read that many rows of partitioned inputs, of which these are the numbers of partitions (N1). */
export function tasksForPartitions(rows: number, partitions: readonly number[], settings: TaskSettings): number {
  const least = Math.min(...partitions);
  const workers = workersOf(settings);
  return isLittle(rows, settings) ? Math.min(workers, least) : least;
}

const isLittle = (rows: number, settings: TaskSettings): boolean =>
  settings.taskRows > 0 && rows <= workersOf(settings) * settings.taskRows;
