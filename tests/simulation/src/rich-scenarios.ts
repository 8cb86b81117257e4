import { randomInt } from '@tutti/base';
import type { GroupConfig } from '@tutti/resource-groups';
import { group, groups, one, roughNetwork, type Scenario, START_MS } from './scenarios.js';
import type { SimCluster } from './sim-cluster.js';

/** Groups of all policies, by user, with weights, guarantees and priorities, limited by memory, CPU and workers as well. */
function richTree(
  limit: number,
  more: { readonly rootPolicy?: string; readonly etlMemory?: string } = {},
): GroupConfig {
  const { rootPolicy = 'weighted_fair', etlMemory = '60%' } = more;
  const limited = (name: string, part: number, options: object, ...below: object[]): object => ({
    ...group(name, limit * part, ...below),
    ...options,
  });
  const isWeighted = rootPolicy.startsWith('weighted');
  const weight = (schedulingWeight: number): object => (isWeighted ? { schedulingWeight } : {});
  const people = limited(
    'people',
    0.6,
    { ...weight(1), schedulingPolicy: rootPolicy === 'query_priority' ? 'query_priority' : 'weighted' },
    limited('${USER}', 0.4, {
      softMemoryLimit: '50%',
      ...(rootPolicy === 'query_priority' ? {} : { schedulingWeight: 2 }),
    }),
  );
  const etl = limited('etl', 0.7, { ...weight(3), softMemoryLimit: etlMemory, guarantee: 1 });
  const reports = limited('reports', 0.5, {
    ...weight(2),
    softCpuLimit: '2s',
    hardCpuLimit: '10s',
    workersPerQueryLimit: 4,
  });
  return groups({ ...group('global', limit, etl, people, reports), schedulingPolicy: rootPolicy }, 'global.etl', {
    cpuQuotaPeriod: '1s',
  });
}

const RICH_LEAVES = ['global.etl', 'global.people.ann', 'global.people.bob', 'global.people.cid', 'global.reports'];

function submitRich(cluster: SimCluster, atMs: number, place: number, durationMs: number): void {
  const { random } = cluster;
  const leaf = RICH_LEAVES[randomInt(random, RICH_LEAVES.length)] ?? '';
  const wishes = { priority: 1 + randomInt(random, 5), memoryBytes: randomInt(random, 400), cpuMs: 1_000 * random() };
  const query = cluster.submit(atMs, place, leaf, durationMs, wishes);
  if (random() < 0.1) cluster.cancel(atMs + 500 * random(), query);
}

/** So that worlds of all sizes come with all policies. */
const POLICY_BY_LIMIT = new Map([
  [1, 'query_priority'],
  [2, 'weighted'],
  [5, 'fair'],
  [10, 'weighted_fair'],
  [16, 'query_priority'],
]);

/** A burst on groups of all kinds, and a load after it. */
export const richBurst: Scenario = {
  faults: roughNetwork,
  resourceManagers: one,
  config: (limit) => richTree(limit, { rootPolicy: POLICY_BY_LIMIT.get(limit) ?? 'fair' }),
  plan(cluster, limit) {
    const { random, coordinators } = cluster;
    for (let index = 0; index < coordinators.length * 3 * limit; index++)
      submitRich(cluster, START_MS + (random() < 0.5 ? 0 : 3_000 * random()), index, 50 + 400 * random());
  },
};

/** The same while the file changes: policies, weights and soft limits, never how many may run. */
export const richReloads: Scenario = {
  ...richBurst,
  plan(cluster, limit) {
    richBurst.plan(cluster, limit);
    for (const [index, rootPolicy] of ['fair', 'query_priority', 'weighted', 'weighted_fair'].entries())
      cluster.reload(
        START_MS + 600 * index,
        richTree(limit, { rootPolicy, etlMemory: index % 2 === 0 ? '10%' : '90%' }),
        400,
      );
  },
};

/** The same while the file changes how many may run: down to a third, up again, and groups go and come. */
export const limitReloads: Scenario = {
  ...richBurst,
  plan(cluster, limit) {
    richBurst.plan(cluster, limit);
    cluster.reload(START_MS + 300, richTree(Math.ceil(limit / 3)), 1_000);
    cluster.reload(START_MS + 2_500, richTree(limit), 1_000);
  },
};
