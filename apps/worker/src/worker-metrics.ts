import type { ExecutorPool } from '@tutti/engine';
import type { Metrics } from '@tutti/service';
import type { RefusalReason } from './task-machine.js';
import type { TaskRunner } from './task-runner.js';
import type { WorkerFences } from './worker-fences.js';

/** The worker's own metrics; those of calls and of the process come with the service. */
export function workerMetrics(
  metrics: Metrics,
  pool: ExecutorPool,
  tasks: () => TaskRunner,
  fences: Pick<WorkerFences, 'kept'>,
) {
  metrics.gauge('tutti_tasks_running', 'Tasks that run', [], (gauge) => gauge.set(tasks().unfinished().length));
  metrics.gauge('tutti_task_memory_reserved_bytes', 'Memory promised to tasks', [], (gauge) =>
    gauge.set(tasks().reservedBytes()),
  );
  metrics.gauge('tutti_task_memory_used_bytes', 'Memory that tasks hold, as the engine accounts it', [], (gauge) =>
    gauge.set(
      tasks()
        .unfinished()
        .reduce((sum, task) => sum + task.usage.memoryBytes, 0),
    ),
  );
  metrics.gauge('tutti_executors', 'Executor processes, by state', ['state'], (gauge) => {
    const { warm, busy } = pool.stats();
    gauge.set({ state: 'warm' }, warm);
    gauge.set({ state: 'busy' }, busy);
  });
  metrics.gauge('tutti_executors_resident_memory_bytes', 'Resident memory of all executors', [], (gauge) =>
    gauge.set(pool.stats().rssBytes),
  );
  metrics.gauge('tutti_fence_lists', 'Shards of resource groups whose owner was heard', [], (gauge) =>
    gauge.set(fences.kept().length),
  );
  const refused = metrics.counter('tutti_tasks_refused_total', 'Tasks that were not taken, by reason', ['reason']);
  const ended = metrics.counter('tutti_tasks_ended_total', 'Tasks that ended, by outcome', ['outcome']);
  return {
    taskEnded: (outcome: string) => ended.inc({ outcome }),
    taskRefused: (reason: RefusalReason) => refused.inc({ reason }),
  };
}
