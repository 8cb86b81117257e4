import { groupFileSetting } from '@tutti/group-file';
import { choice, commonSettings, type ConfigOf, count, duration, flag, list, size, text } from '@tutti/service';
import { COPIED_ROWS_MAX, TASK_ROWS_MAX, TASKS_PER_WORKER } from './core/session-properties.js';
import { DISTRIBUTION_DEFAULTS, type DistributionSettings } from './core/stage-settings.js';

/** The settings of a coordinator. */
export const settings = {
  ...commonSettings,
  heartbeat: {
    interval: duration('1s', 'Time between reports to the resource managers when nothing happens'),
  },
  catalogs: {
    path: list(['catalogs'], 'Catalog files and directories of them; NAME.json is the catalog NAME'),
    default: text('demo', 'Catalog of table names that name none, when the client names none either'),
  },
  resourceGroups: {
    file: groupFileSetting,
  },
  usage: {
    maxAge: duration(
      '3s',
      'In groups that are not leased, queries start only on data about other coordinators that is younger than this',
    ),
    refreshInterval: duration(
      '25ms',
      'How often that data is asked for while a query waits for its group and things move',
    ),
  },
  query: {
    maxExecutionTime: duration('1h', 'Longest time limit of a query, from its admission, and the default'),
    maxLength: size('1MB', 'Longest statement'),
    clientTimeout: duration('5m', 'A submitted query that nobody asks for in this time is canceled'),
    requiredWorkersMaxWait: duration('5m', 'How long an admitted query waits for a worker that takes it'),
  },
  distribution: {
    mode: choice(
      ['auto', 'single', 'forced'],
      DISTRIBUTION_DEFAULTS.distribution,
      'Whether queries run in stages on several workers: where that pays, never, or whenever that is possible',
    ),
    tasksPerWorker: count(
      DISTRIBUTION_DEFAULTS.tasksPerWorker,
      'Most tasks into which a stage is divided, for each worker that takes part',
    ),
    taskRows: count(
      DISTRIBUTION_DEFAULTS.taskRows,
      'A stage has one task for each worker, and more of them where these would read more rows than this',
    ),
    broadcastRowsMax: count(
      DISTRIBUTION_DEFAULTS.broadcastRowsMax,
      'One side of a join of at most this many rows is copied to every task',
    ),
    replicatedRowsMax: count(
      DISTRIBUTION_DEFAULTS.replicatedRowsMax,
      'A table of at most this many rows is read whole by every task that needs it',
    ),
    adaptive: flag(
      DISTRIBUTION_DEFAULTS.isAdaptive,
      'Whether the smaller side of a join runs first, so that its real size decides how the other one is read',
    ),
    exchangeCompression: choice(
      ['none', 'lz4', 'zstd'],
      DISTRIBUTION_DEFAULTS.exchangeCompression,
      'How rows that go from stage to stage are compressed',
    ),
  },
  history: {
    maxBytes: size('64MB', 'Memory for queries that ended; the oldest go first'),
    keep: duration('15m', 'How long queries are remembered after their end'),
  },
};

export type CoordinatorConfig = ConfigOf<typeof settings>;

/** How queries run on several workers where their sessions do not say. */
export const distributionOf = ({ distribution }: Pick<CoordinatorConfig, 'distribution'>): DistributionSettings => {
  const { mode, adaptive, ...others } = distribution;
  return { ...others, distribution: mode, isAdaptive: adaptive };
};

/** What must hold between settings. */
export const relations = (config: CoordinatorConfig): Readonly<Record<string, boolean>> => ({
  'usage.maxAge must be at least 2 times heartbeat.interval, or one late report stops all admission':
    config.usage.maxAge >= 2 * config.heartbeat.interval,
  'usage.refreshInterval must be shorter than usage.maxAge': config.usage.refreshInterval < config.usage.maxAge,
  'resourceManagers.addresses must name at least one resource manager': config.resourceManagers.addresses.length > 0,
  'catalogs.path must name at least one file or directory': config.catalogs.path.length > 0,
  'distribution.tasksPerWorker must be at least 1 and at most 64':
    config.distribution.tasksPerWorker >= TASKS_PER_WORKER.least &&
    config.distribution.tasksPerWorker <= TASKS_PER_WORKER.most,
  'distribution.taskRows must be at most 1000000000000': config.distribution.taskRows <= TASK_ROWS_MAX,
  'distribution.broadcastRowsMax and distribution.replicatedRowsMax must be at most 1000000000':
    Math.max(config.distribution.broadcastRowsMax, config.distribution.replicatedRowsMax) <= COPIED_ROWS_MAX,
});
