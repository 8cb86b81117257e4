import { groupFileSetting } from '@tutti/group-file';
import { commonSettings, type ConfigOf, duration, list, size, text } from '@tutti/service';

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
  history: {
    maxBytes: size('64MB', 'Memory for queries that ended; the oldest go first'),
    keep: duration('15m', 'How long queries are remembered after their end'),
  },
};

export type CoordinatorConfig = ConfigOf<typeof settings>;

/** What must hold between settings. */
export const relations = (config: CoordinatorConfig): Readonly<Record<string, boolean>> => ({
  'usage.maxAge must be at least 2 times heartbeat.interval, or one late report stops all admission':
    config.usage.maxAge >= 2 * config.heartbeat.interval,
  'usage.refreshInterval must be shorter than usage.maxAge': config.usage.refreshInterval < config.usage.maxAge,
  'resourceManagers.addresses must name at least one resource manager': config.resourceManagers.addresses.length > 0,
  'catalogs.path must name at least one file or directory': config.catalogs.path.length > 0,
});
