import { type Random, randomInt } from '@tutti/base';
import type { GroupConfig, SchedulingPolicy } from '@tutti/resource-groups';
import type { PlannedQuery } from '../world/planned.js';
import type { GatedDraft, GatedWorld } from './gated-worlds.js';
import { configOf, type SimGroup } from './groups.js';
import { query, START_MS } from './load.js';
import { ROUGH } from './network-faults.js';

const CPU_QUOTA = 1_000;

/** Groups of all policies, by user, with weights, guarantees and priorities, limited by memory, CPU and workers as well. */
function richTree(
  limit: number,
  more: { readonly rootPolicy?: SchedulingPolicy; readonly etlPercent?: number } = {},
): GroupConfig {
  const { rootPolicy = 'weighted_fair', etlPercent = 60 } = more;
  const isWeighted = rootPolicy.startsWith('weighted');
  const weight = (schedulingWeight: number): Partial<SimGroup> => (isWeighted ? { schedulingWeight } : {});
  const percent = (of: number) => ({ kind: 'percent', percent: of }) as const;
  const user: SimGroup = {
    ...{ name: '${USER}', limit: limit * 0.4, softMemoryLimit: percent(50) },
    ...(rootPolicy === 'query_priority' ? {} : { schedulingWeight: 2 }),
  };
  const people: SimGroup = {
    ...{ name: 'people', limit: limit * 0.6, ...weight(1), subGroups: [user] },
    schedulingPolicy: rootPolicy === 'query_priority' ? 'query_priority' : 'weighted',
  };
  const etl: SimGroup = {
    name: 'etl',
    limit: limit * 0.7,
    ...weight(3),
    softMemoryLimit: percent(etlPercent),
    guarantee: 1,
  };
  const reports: SimGroup = {
    ...{ name: 'reports', limit: limit * 0.5, ...weight(2), workersPerQueryLimit: 4 },
    ...{ softCpuLimitMs: 2_000, hardCpuLimitMs: 10_000, cpuQuotaMsPerSecond: CPU_QUOTA },
  };
  return configOf('gated', { name: 'global', limit, schedulingPolicy: rootPolicy, subGroups: [etl, people, reports] });
}

const RICH_LEAVES = ['global.etl', 'global.people.ann', 'global.people.bob', 'global.people.cid', 'global.reports'];

const richQuery = (random: Random, atMs: number, place: number, durationMs: number): PlannedQuery =>
  query({
    ...{ atMs, place, durationMs, group: RICH_LEAVES[randomInt(random, RICH_LEAVES.length)] ?? '' },
    ...{ priority: 1 + randomInt(random, 5), memoryBytes: randomInt(random, 400), cpuMs: 1_000 * random() },
    ...(random() < 0.1 && { cancelAfterMs: 500 * random() }),
  });

/** So that worlds of all sizes come with all policies. */
const POLICY_BY_LIMIT = new Map<number, SchedulingPolicy>([
  [1, 'query_priority'],
  [2, 'weighted'],
  [5, 'fair'],
  [10, 'weighted_fair'],
  [16, 'query_priority'],
]);

/** A burst on groups of all kinds, and a load after it. */
export const richBurst: GatedWorld = {
  network: ROUGH,
  resourceManagers: () => 1,
  config: (limit) => richTree(limit, { rootPolicy: POLICY_BY_LIMIT.get(limit) ?? 'fair' }),
  load: ({ random, coordinators, limit }: GatedDraft) =>
    Array.from({ length: coordinators * 3 * limit }, (_, index) =>
      richQuery(random, START_MS + (random() < 0.5 ? 0 : 3_000 * random()), index % coordinators, 50 + 400 * random()),
    ),
};

/** The same while the file changes: policies, weights and soft limits, never how many may run. */
export const richReloads: GatedWorld = {
  ...richBurst,
  faults: ({ limit }) =>
    (['fair', 'query_priority', 'weighted', 'weighted_fair'] as const).map((rootPolicy, index) => ({
      ...{ kind: 'reload', atMs: START_MS + 600 * index, spreadMs: 400 },
      config: richTree(limit, { rootPolicy, etlPercent: index % 2 === 0 ? 10 : 90 }),
    })),
};

/** The same while the file changes how many may run: down to a third, up again, and groups go and come. */
export const limitReloads: GatedWorld = {
  ...richBurst,
  faults: ({ limit }) => [
    { kind: 'reload', atMs: START_MS + 300, spreadMs: 1_000, config: richTree(Math.ceil(limit / 3)) },
    { kind: 'reload', atMs: START_MS + 2_500, spreadMs: 1_000, config: richTree(limit) },
  ],
};
