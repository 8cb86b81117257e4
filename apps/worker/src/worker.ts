// One worker, wired from its parts. What comes from outside (executors, the other nodes, time) is passed in, so that
// tests run whole workers in one process.
import { availableParallelism } from 'node:os';
import type { Clock, Instant, Random } from '@tutti/base';
import type { ReportAck } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import type { ExecutorPool } from '@tutti/engine';
import type { NodeStatus } from '@tutti/heartbeat';
import { every, type Log, type Metrics, type Routes } from '@tutti/service';
import { FenceListener } from './fence-listener.js';
import type { WorkerConfig } from './settings.js';
import { TaskRunner } from './task-runner.js';
import { taskService } from './task-service.js';
import { type SessionStore, WorkerExchange } from './worker-exchange.js';
import { WorkerFences } from './worker-fences.js';
import { workerMetrics } from './worker-metrics.js';
import { workerStatus } from './worker-status.js';

export interface WorkerOptions {
  readonly config: Pick<WorkerConfig, 'task' | 'executor'>;
  readonly pool: ExecutorPool;
  /** Where sessions keep exchange files; the one who opened it closes it. */
  readonly exchange: SessionStore;
  /** Tells the resource managers soon that something changed. */
  readonly reportSoon: () => void;
  /** So many bytes of a result have been given to the connection of a coordinator. */
  readonly onPassedBytes?: (bytes: number) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Worker {
  /** What coordinators call. */
  readonly clusterRoutes: Routes;
  /**
   * What people and other workers call: they may look, and read exchange files of which they have the key; but a task can read any
   * file of this worker, so they may not create one.
   */
  readonly edgeRoutes: Routes;
  readonly tasks: TaskRunner;
  /** What its heartbeats say. */
  status(): NodeStatus;
  /** A resource manager answered the report that was made at `sentAt`. */
  heard(sentAt: Instant, ack: ReportAck): void;
  /** Looks after tasks that nobody reads, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const SWEEP_INTERVAL_MS = 500;
/** A worker that has begun hears of owners in the answers to its reports, so it asks again soon; for so long at most. */
const ENROLMENT_MS = 10_000;
const ENROLMENT_INTERVAL_MS = 100;
/** What an executor takes to die, on top of the grace that comes before. */
const KILL_MS = 1_000;

export function createWorker(options: WorkerOptions): Worker {
  const { config, pool, clock, log } = options;
  const fences = new WorkerFences();
  const begunAt = clock.now();
  const listener = new FenceListener({ fences, changed: options.reportSoon, log });
  const lookForStall = () => {
    if (!fences.tick({ now: clock.now(), wallMs: clock.wallMs() })) return;
    log.warn('stood-still', { consequence: 'no task with a lease is taken until a report is answered' });
    options.reportSoon();
  };
  const exchange = new WorkerExchange(options.exchange, options);
  const metrics = workerMetrics({ metrics: options.metrics, pool, tasks: () => tasks, fences, exchange });
  const tasks: TaskRunner = new TaskRunner({
    pool,
    exchange,
    tasksMax: config.task.maxTasks,
    threads: config.task.threads === 0 ? availableParallelism() : config.task.threads,
    orphanTimeoutMs: config.task.orphanTimeout,
    judge: ({ resourceGroup, lease }) => {
      lookForStall();
      return fences.judge(resourceGroup, lease);
    },
    changed: options.reportSoon,
    ended: metrics.taskEnded,
    refused: metrics.taskRefused,
    clock,
    log,
  });
  const service = taskService({
    ...{ tasks, exchange, clock, log },
    memoryLimitMaxBytes: config.task.memoryLimit,
    releaseWaitMs: config.executor.interruptGrace + KILL_MS,
    onPassedBytes: options.onPassedBytes,
  });
  const tick = () => {
    lookForStall();
    tasks.apply({ kind: 'ticked' });
  };
  return {
    clusterRoutes: (router) => router.service(TaskService, service),
    edgeRoutes: (router) =>
      router.service(TaskService, { listTasks: service.listTasks, fetchExchange: service.fetchExchange }),
    tasks,
    status: () => workerStatus(tasks, fences, config.task.memoryLimit),
    heard: (sentAt, ack) => {
      fences.answered(sentAt);
      listener.hear(ack);
      const isEnrolling = fences.kept().length === 0 && clock.now() - begunAt < ENROLMENT_MS;
      if (isEnrolling) clock.schedule(ENROLMENT_INTERVAL_MS, options.reportSoon);
    },
    run: (signal) =>
      every({ ...options, intervalMs: SWEEP_INTERVAL_MS, signal, run: tick }).finally(() => exchange.close()),
  };
}
