import type { ExecutorPool } from '@tutti/engine';
import type { ExchangeStats } from '@tutti/exchange';
import type { Metrics } from '@tutti/service';
import type { RefusalReason } from './task-machine.js';
import type { TaskRunner } from './task-runner.js';
import type { WorkerExchange } from './worker-exchange.js';
import type { WorkerFences } from './worker-fences.js';

/** The worker's own metrics; those of calls and of the process come with the service. */
export function workerMetrics(parts: {
  readonly metrics: Metrics;
  readonly pool: ExecutorPool;
  readonly tasks: () => TaskRunner;
  readonly fences: Pick<WorkerFences, 'kept'>;
  readonly exchange: Pick<WorkerExchange, 'stats'>;
}) {
  const { metrics, pool, tasks, fences, exchange } = parts;
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
  exchangeMetrics(metrics, () => exchange.stats());
  const refused = metrics.counter('tutti_tasks_refused_total', 'Tasks that were not taken, by reason', ['reason']);
  const ended = metrics.counter('tutti_tasks_ended_total', 'Tasks that ended, by outcome', ['outcome']);
  return {
    taskEnded: (outcome: string) => ended.inc({ outcome }),
    taskRefused: (reason: RefusalReason) => refused.inc({ reason }),
  };
}

function exchangeMetrics(metrics: Metrics, stats: () => ExchangeStats): void {
  const moved = (name: string, help: string, bytes: () => number) => {
    let told = 0;
    metrics.counter(name, help, [], (counter) => {
      counter.inc(bytes() - told);
      told = bytes();
    });
  };
  moved('tutti_exchange_written_bytes_total', 'Bytes that fragments wrote', () => stats().writtenBytes);
  moved('tutti_exchange_fetched_bytes_total', 'Bytes fetched from other workers', () => stats().fetchedBytes);
  moved('tutti_exchange_served_bytes_total', 'Bytes sent to other workers', () => stats().servedBytes);
  metrics.gauge('tutti_exchange_held_bytes', 'Bytes of exchange files on the disk', [], (gauge) =>
    gauge.set(stats().heldBytes),
  );
  metrics.gauge('tutti_exchange_files', 'Exchange files that others can fetch', [], (gauge) =>
    gauge.set(stats().files),
  );
}
