import type { WorkerChoice } from './core/placement.js';

export type WorkerLife = Pick<WorkerChoice, 'nodeId' | 'incarnation'>;

/** What queries know of the workers. */
export interface Workers {
  /** Those that take work. */
  active(): readonly WorkerChoice[];
  /** Whether this life of a worker is over: it said good-bye, was not heard for its lease, or has been restarted. */
  isGone(worker: WorkerLife): boolean;
  /** Whether this life of a worker certainly runs nothing any more: it said good-bye when its tasks had ended, or has been restarted. */
  hasLeft(worker: WorkerLife): boolean;
  /** Whether no resource manager has heard this life of a worker for its lease. It may be cut off, and alive. */
  isForgotten(worker: WorkerLife): boolean;
  /** Calls `listener` at each change of the nodes; the returned function ends that. */
  onChange(listener: () => void): () => void;
}

/** A signal that aborts when `holds` no longer does, looked at when the nodes change; call `stop` afterwards. */
export function whileWorker(workers: Workers, holds: () => boolean): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const stop = workers.onChange(() => {
    if (!holds()) controller.abort();
  });
  return { signal: controller.signal, stop };
}
