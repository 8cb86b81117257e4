import { type ConfigOf, commonSettings, count, duration, size, text } from '@tutti/service';

/** The settings of a worker. */
export const settings = {
  ...commonSettings,
  heartbeat: { interval: duration('1s', 'Time between the reports of this node to the resource managers') },
  task: {
    maxTasks: count(4, 'Tasks that run at once, each in an executor of its own; more are refused'),
    memoryLimit: size('1GB', 'Memory that the engine may hold for one task. Past it the task spills, or fails'),
    threads: count(0, 'Threads of one task; 0 means one per core'),
    spillDirectory: text(
      '',
      "Where tasks spill what does not fit into memory. Default: the system's temporary directory",
    ),
    spillLimit: size('10GB', 'What one task may write to the spill directory'),
    orphanTimeout: duration('10s', 'A task whose rows nobody reads for this long is canceled'),
  },
  exchange: {
    directory: text(
      '',
      'Where the rows between the stages of queries are kept while they run. Default: where tasks spill',
    ),
    limit: size('10GB', 'What one query may keep there on one worker'),
  },
  executor: {
    warm: count(2, 'Executors that are started ahead of tasks; more start when tasks need them, up to task.maxTasks'),
    interruptGrace: duration('1500ms', 'How long a canceled task may take to stop before its executor is killed'),
    recycleRss: size('512MB', 'An executor that holds more resident memory after a task is replaced by a new one'),
  },
};

export type WorkerConfig = ConfigOf<typeof settings>;

const MEMORY_LIMIT_MIN_BYTES = 16 * 2 ** 20;

/** What must hold between the settings. */
export const relations = ({ task, executor, drain, resourceManagers }: WorkerConfig): Record<string, boolean> => ({
  'resourceManagers.addresses must name at least one resource manager': resourceManagers.addresses.length > 0,
  'task.maxTasks must be at least 1': task.maxTasks >= 1,
  'task.memoryLimit must be at least 16MB': task.memoryLimit >= MEMORY_LIMIT_MIN_BYTES,
  'executor.warm must be at least 1 and at most task.maxTasks': executor.warm >= 1 && executor.warm <= task.maxTasks,
  'executor.interruptGrace must be less than drain.grace, or canceled tasks outlive the drain':
    drain.grace === 0 || executor.interruptGrace < drain.grace,
});
