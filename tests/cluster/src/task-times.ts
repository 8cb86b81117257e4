import { readFileSync } from 'node:fs';
import type { TestCluster } from './harness.js';

/** When one task held an executor, on the wall clock of this machine; `endMs` is Infinity while it does. */
export interface TaskTime {
  readonly queryId: string;
  readonly resourceGroup: string;
  readonly coordinatorId: string;
  readonly startMs: number;
  readonly endMs: number;
}

interface Line {
  readonly time: string;
  readonly event: string;
  readonly taskId: string;
  readonly queryId: string;
  readonly resourceGroup: string;
  readonly coordinatorId: string;
}

/** All tasks of all workers, as their logs tell. The workers need `--log-level debug`. */
export class TaskTimes {
  private readonly tasks = new Map<string, { -readonly [K in keyof TaskTime]: TaskTime[K] }>();
  private readonly read = new Map<string, number>();

  constructor(private readonly test: TestCluster) {}

  /** All up to now. */
  all(): readonly TaskTime[] {
    for (const { logFile } of this.test.cluster.byRole('worker')) {
      const bytes = readFileSync(logFile);
      const end = bytes.lastIndexOf('\n') + 1;
      const text = bytes.toString('utf8', this.read.get(logFile) ?? 0, end);
      this.read.set(logFile, end);
      for (const line of text.split('\n')) if (line.includes('"task-')) this.take(JSON.parse(line) as Line);
    }
    return [...this.tasks.values()];
  }

  private take({ time, event, taskId, queryId, resourceGroup, coordinatorId }: Line): void {
    const atMs = Date.parse(time);
    if (event === 'task-started')
      this.tasks.set(taskId, { queryId, resourceGroup, coordinatorId, startMs: atMs, endMs: Infinity });
    const task = this.tasks.get(taskId);
    if (event === 'task-released' && task !== undefined) task.endMs = atMs;
  }
}

/** The most queries that held executors at one moment, from `fromMs` on. */
export function peakOf(tasks: readonly TaskTime[], fromMs = 0): number {
  const steps = tasks
    .filter(({ endMs }) => endMs >= fromMs)
    .flatMap(({ startMs, endMs, queryId }) => [
      { atMs: startMs, queryId, more: 1 },
      { atMs: endMs, queryId, more: -1 },
    ]);
  // Of two steps in one millisecond the end comes first: that is how a slot goes from one query to the next.
  steps.sort((a, b) => a.atMs - b.atMs || a.more - b.more);
  const running = new Map<string, number>();
  let peak = 0;
  for (const { atMs, queryId, more } of steps) {
    const tasksOfQuery = (running.get(queryId) ?? 0) + more;
    if (tasksOfQuery > 0) running.set(queryId, tasksOfQuery);
    else running.delete(queryId);
    if (atMs >= fromMs) peak = Math.max(peak, running.size);
  }
  return peak;
}

/** The first time from `fromMs` on at which `count` queries held executors at once. */
export function firstTimeOf(count: number, tasks: readonly TaskTime[], fromMs: number): number | undefined {
  const starts = tasks.map(({ startMs }) => startMs).filter((startMs) => startMs >= fromMs);
  return [fromMs, ...starts.sort((a, b) => a - b)].find(
    (atMs) => tasks.filter(({ startMs, endMs }) => startMs <= atMs && atMs < endMs).length >= count,
  );
}
