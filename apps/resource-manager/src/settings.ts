import { type ConfigOf, commonSettings, count, duration, isAddressSpec } from '@tutti/service';

/** The settings of a resource manager. */
export const settings = {
  ...commonSettings,
  heartbeat: { interval: duration('1s', 'Time between the reports of this node to the other resource managers') },
  nodes: {
    suspectAfter: duration(
      '2.5s',
      'A node that is not heard for this long gets no new work. At least two heartbeat intervals',
    ),
    lease: duration('10s', 'A node that is not heard for this long is forgotten. At least three heartbeat intervals'),
  },
  queries: {
    expireAfter: duration('10s', 'Queries of a coordinator that is not heard for this long count as lost'),
    completedKept: duration('10m', 'How long queries that ended are listed'),
    completedMax: count(1_000, 'How many queries that ended are listed'),
  },
};

export type Settings = ConfigOf<typeof settings>;

/** What must hold between the settings. */
export const relations = (config: Settings) => ({
  'nodes.lease must be at least three times heartbeat.interval': config.nodes.lease >= 3 * config.heartbeat.interval,
  'nodes.suspectAfter must be at least twice heartbeat.interval':
    config.nodes.suspectAfter >= 2 * config.heartbeat.interval,
  'nodes.suspectAfter must be less than nodes.lease': config.nodes.suspectAfter < config.nodes.lease,
  'queries.expireAfter must be at least three times heartbeat.interval':
    config.queries.expireAfter >= 3 * config.heartbeat.interval,
  "resourceManagers.addresses must be 'host:port' or 'dns:NAME:PORT'":
    config.resourceManagers.addresses.every(isAddressSpec),
});
