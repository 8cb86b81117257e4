// One worker, wired from its parts. What comes from outside (executors, the other nodes, time) is passed in, so that
// tests run whole workers in one process.
import { availableParallelism } from 'node:os';
import type { Clock, Random } from '@tutti/base';
import { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import type { ExecutorPool } from '@tutti/engine';
import type { NodeStatus } from '@tutti/heartbeat';
import { every, type Log, type Metrics, type Routes } from '@tutti/service';
import type { WorkerConfig } from './settings.js';
import { TaskRunner } from './task-runner.js';
import { taskService } from './task-service.js';
import { workerMetrics } from './worker-metrics.js';
import { workerStatus } from './worker-status.js';

export interface WorkerOptions {
  readonly config: Pick<WorkerConfig, 'task' | 'executor'>;
  readonly pool: ExecutorPool;
  /** Tells the resource managers soon that something changed. */
  readonly reportSoon: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Worker {
  /** What coordinators call. */
  readonly clusterRoutes: Routes;
  /** What people call: they may look, but a task can read any file of this worker, so they may not create one. */
  readonly edgeRoutes: Routes;
  readonly tasks: TaskRunner;
  /** What its heartbeats say. */
  status(): NodeStatus;
  /** Looks after tasks that nobody reads, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const SWEEP_INTERVAL_MS = 500;
/** What an executor takes to die, on top of the grace that comes before. */
const KILL_MS = 1_000;

export function createWorker(options: WorkerOptions): Worker {
  const { config, pool, clock, log } = options;
  const metrics = workerMetrics(options.metrics, pool, () => tasks);
  const tasks: TaskRunner = new TaskRunner({
    pool,
    tasksMax: config.task.maxTasks,
    threads: config.task.threads === 0 ? availableParallelism() : config.task.threads,
    orphanTimeoutMs: config.task.orphanTimeout,
    changed: options.reportSoon,
    ended: metrics.taskEnded,
    clock,
    log,
  });
  const service = taskService({
    tasks,
    memoryLimitMaxBytes: config.task.memoryLimit,
    cancelWaitMs: config.executor.interruptGrace + KILL_MS,
    clock,
  });
  const tick = () => tasks.apply({ kind: 'ticked' });
  return {
    clusterRoutes: (router) => router.service(TaskService, service),
    edgeRoutes: (router) => router.service(TaskService, { listTasks: service.listTasks }),
    tasks,
    status: () => workerStatus(tasks, config.task.memoryLimit),
    run: (signal) => every({ ...options, intervalMs: SWEEP_INTERVAL_MS, signal, run: tick }),
  };
}
