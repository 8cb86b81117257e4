import { groupFileSetting } from '@tutti/group-file';
import { SEATS_MAX } from '@tutti/resource-groups';
import { type ConfigOf, commonSettings, count, duration, flag, list, nodeIdOf } from '@tutti/service';

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
  resourceGroups: { file: groupFileSetting },
  usage: {
    forgetAfter: duration(
      '3.5s',
      "A coordinator that no resource manager hears for this long starts nothing any more: it then counts by what workers run for it. More than the coordinators' usage.maxAge",
    ),
  },
  seats: {
    ids: list(
      [],
      'Node ids of the resource managers that decide who deals the slots of which groups: the same everywhere, 1, 3 or 5. Empty: this one alone',
    ),
    version: count(1, 'Grows with each change of seats.ids'),
    firstStart: flag(
      false,
      'Nothing of this cluster can be running from before: then slots are dealt at once. Only for the very first start',
    ),
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
  'usage.forgetAfter must be at least nodes.suspectAfter': config.usage.forgetAfter >= config.nodes.suspectAfter,
  'seats.ids must name nobody twice': new Set(config.seats.ids).size === config.seats.ids.length,
  [`seats.ids must name at most ${SEATS_MAX} resource managers`]: config.seats.ids.length <= SEATS_MAX,
  'seats.version must be at least 1': config.seats.version >= 1,
  'seats.ids must name the resource managers when resourceManagers.addresses may be several: by their node.id, the same everywhere':
    config.seats.ids.length > 0 || !mayBeSeveral(config.resourceManagers.addresses),
});

/** What may be so, and is rarely meant. */
export function warnings(config: Settings): string[] {
  const { ids } = config.seats;
  if (ids.length === 0) return [];
  const found: string[] = [];
  const ownId = nodeIdOf(config, 'resource-manager');
  if (!ids.includes(ownId)) {
    const hint = config.node.id === '' ? ' (node.id is not set)' : '';
    found.push(
      `seats.ids (${ids.join(', ')}) does not name this one, ${ownId}${hint}: it deals nothing, it only looks on`,
    );
  }
  if (ids.length % 2 === 0)
    found.push(
      `seats.ids names ${ids.length} resource managers: that bears the loss of as many as ${ids.length - 1} do. Name 1, 3 or 5`,
    );
  return found;
}

/** A name stands for as many as it resolves to. */
const mayBeSeveral = (addresses: readonly string[]): boolean =>
  new Set(addresses).size > 1 || addresses.some((address) => address.startsWith('dns:'));
