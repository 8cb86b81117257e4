// How old the figures of running tasks are, and whom to ask for newer ones. Pure.
//   F1. A figure is of the moment that the worker names, by the age of the task: one that came late is as old as it is.
//       Figures travel behind rows, and wait with them for a client that reads slowly or not at all.
//   F2. What is older than what is known is no news: figures come by two ways, and one may overtake the other.
//   F3. A worker is asked while figures of a task there are older than FIGURES_AGE_MS_MAX: once for all its tasks, and
//       never while a question to it is open.
import type { Instant } from '@tutti/base';

/** Figures that are older are asked for. A task whose rows are read sends them several times in this time. */
export const FIGURES_AGE_MS_MAX = 1_000;

interface WatchedTask {
  readonly address: string;
  readonly startedAt: Instant;
  /** Age of the task at its newest figures. */
  elapsedMs: number;
}

export class TaskFigures {
  private readonly tasks = new Map<string, WatchedTask>();
  private readonly asking = new Set<string>();

  get size(): number {
    return this.tasks.size;
  }

  /** A task has just started on the worker at `address`. */
  add(taskId: string, address: string, now: Instant): void {
    this.tasks.set(taskId, { address, startedAt: now, elapsedMs: 0 });
  }

  remove(taskId: string): void {
    this.tasks.delete(taskId);
  }

  /** Whether a task on the worker at `address` is watched. */
  watches(address: string): boolean {
    return [...this.tasks.values()].some((task) => task.address === address);
  }

  /** Figures from when the task was `elapsedMs` old have come. Returns whether they are news (F2). */
  heard(taskId: string, elapsedMs: number): boolean {
    const task = this.tasks.get(taskId);
    if (task === undefined || elapsedMs < task.elapsedMs) return false;
    task.elapsedMs = elapsedMs; // F1
    return true;
  }

  /** The workers to ask now; each counts as asked until `answered`. */
  ask(now: Instant): string[] {
    const addresses = new Set<string>();
    for (const { address, startedAt, elapsedMs } of this.tasks.values()) {
      if (now - startedAt - elapsedMs >= FIGURES_AGE_MS_MAX && !this.asking.has(address)) addresses.add(address); // F3
    }
    for (const address of addresses) this.asking.add(address);
    return [...addresses];
  }

  /** The worker at `address` has answered, or will not. */
  answered(address: string): void {
    this.asking.delete(address);
  }
}
