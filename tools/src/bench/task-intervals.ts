import type { LogLine } from './log-tail.js';

/** When a task of a query held an executor, on the wall clock of this machine. */
export interface TaskInterval {
  readonly queryId: string;
  readonly resourceGroup: string;
  readonly coordinatorId: string;
  readonly startMs: number;
  /** Infinity while it holds it. */
  readonly endMs: number;
}

/** How a group's limit was kept. */
export interface LimitUse {
  /** The most queries that ran at one moment. */
  readonly peak: number;
  /** How long more than the limit ran. */
  readonly overMs: number;
  /** Query time by the limit and the time from the first start to the last end: 1 when the group was always full. */
  readonly use: number;
}

/** Collects tasks from the lines of workers' logs at level debug. */
export class TaskIntervals {
  private readonly tasks = new Map<string, { -readonly [K in keyof TaskInterval]: TaskInterval[K] }>();

  take(line: LogLine): void {
    const taskId = String(line['taskId']);
    const atMs = Date.parse(String(line['time']));
    if (line['event'] === 'task-started') {
      const [queryId, resourceGroup, coordinatorId] = ['queryId', 'resourceGroup', 'coordinatorId'].map((field) =>
        String(line[field]),
      ) as [string, string, string];
      this.tasks.set(taskId, { queryId, resourceGroup, coordinatorId, startMs: atMs, endMs: Infinity });
    }
    const task = this.tasks.get(taskId);
    if (line['event'] === 'task-released' && task !== undefined) task.endMs = atMs;
  }

  /** Tasks of a group that held an executor at `fromMs` or later. */
  of(resourceGroup: string, fromMs: number): readonly TaskInterval[] {
    return [...this.tasks.values()].filter((task) => task.resourceGroup === resourceGroup && task.endMs > fromMs);
  }
}

interface Moment {
  readonly atMs: number;
  readonly running: number;
}

/** Where the number of queries that run changes. A query with two tasks runs once. */
function momentsOf(tasks: readonly TaskInterval[]): readonly Moment[] {
  const steps = tasks.flatMap(({ queryId, startMs, endMs }) => [
    { atMs: startMs, queryId, more: 1 },
    { atMs: endMs, queryId, more: -1 },
  ]);
  // Of two steps in one millisecond the end comes first: that is how a slot goes from one query to the next.
  steps.sort((a, b) => a.atMs - b.atMs || a.more - b.more);
  const tasksOf = new Map<string, number>();
  return steps.map(({ atMs, queryId, more }) => {
    const left = (tasksOf.get(queryId) ?? 0) + more;
    if (left > 0) tasksOf.set(queryId, left);
    else tasksOf.delete(queryId);
    return { atMs, running: tasksOf.size };
  });
}

/** How a limit was kept until `untilMs`, by which tasks that still run are taken to end. */
export function limitUse(tasks: readonly TaskInterval[], limit: number, untilMs: number): LimitUse {
  const moments = momentsOf(tasks.map((task) => ({ ...task, endMs: Math.min(task.endMs, untilMs) })));
  let [peak, overMs, ranMs] = [0, 0, 0];
  for (const [index, { atMs, running }] of moments.entries()) {
    peak = Math.max(peak, running);
    const lastedMs = (moments[index + 1]?.atMs ?? atMs) - atMs;
    ranMs += running * lastedMs;
    if (running > limit) overMs += lastedMs;
  }
  const wholeMs = (moments.at(-1)?.atMs ?? 0) - (moments[0]?.atMs ?? 0);
  return { peak, overMs, use: wholeMs > 0 ? ranMs / (limit * wholeMs) : 0 };
}

/** The first time from `fromMs` on at which at least `count` queries ran at once. */
export function firstTimeOf(count: number, tasks: readonly TaskInterval[], fromMs: number): number | undefined {
  const full = momentsOf(tasks);
  for (const [index, { running }] of full.entries()) {
    const untilMs = full[index + 1]?.atMs ?? Infinity;
    const atMs = Math.max(fromMs, full[index]?.atMs ?? fromMs);
    if (running >= count && untilMs > atMs) return atMs;
  }
  return undefined;
}
