import { randomInt } from '@tutti/base';
import { type GroupConfig, parseGroupConfig } from '@tutti/resource-groups';
import { SimCluster, type SimClusterOptions } from './sim-cluster.js';
import { calmNetwork, type NetworkFaults } from './sim-network.js';

/** A kind of world. Its sizes and everything that happens in it follow from the seed. */
export interface Scenario {
  readonly faults: NetworkFaults;
  readonly resourceManagers: (seed: number) => number;
  readonly config: (limit: number) => GroupConfig;
  /** Plans what happens from 2 s on; before that everybody has heard of everybody. */
  plan(cluster: SimCluster, limit: number): void;
}

/** Messages that are late, twice and out of order, as over many connections. Streams lose none. */
export const roughNetwork: NetworkFaults = {
  delayMs: 3,
  slowRate: 0.05,
  slowMs: 300,
  lossRate: 0,
  duplicateRate: 0.05,
};
export const lossyNetwork: NetworkFaults = { ...roughNetwork, lossRate: 0.05 };

export interface WorldOptions {
  /** Otherwise the sizes follow from the seed. */
  readonly limit?: number;
  readonly coordinatorCount?: number;
  readonly tamper?: SimClusterOptions['tamper'];
}

/** Runs one world until all its queries have ended, or until nothing can be expected any more. */
export function runWorld(
  { faults, resourceManagers, config, plan }: Scenario,
  seed: number,
  options: WorldOptions = {},
): { cluster: SimCluster; unfinished: number } {
  const { tamper, limit = [1, 2, 5, 10, 16][seed % 5] ?? 1, coordinatorCount = 2 + (seed % 7) } = options;
  const resourceManagerCount = resourceManagers(seed);
  const cluster = new SimCluster({
    ...{ seed, faults, coordinatorCount, resourceManagerCount, config: config(limit) },
    ...(tamper && { tamper }),
  });
  plan(cluster, limit);
  return { cluster, unfinished: cluster.run(900_000) };
}

export const one = (): number => 1;
export const START_MS = 2_000;

export const group = (name: string, hardConcurrencyLimit: number, ...subGroups: object[]): object => ({
  ...{ name, hardConcurrencyLimit: Math.ceil(hardConcurrencyLimit), maxQueued: 100_000, subGroups },
});

/** So many may wait in `fullQueues`, by the limit. */
export const maxQueuedOf = (limit: number): number => 2 * limit - 1;

export function groups(root: object, selected: string, more: object = {}): GroupConfig {
  const config = parseGroupConfig(JSON.stringify({ rootGroups: [root], selectors: [{ group: selected }], ...more }));
  if ('problems' in config) throw new Error(config.problems.join('\n'));
  return config.ok;
}

const oneGroup = (limit: number): GroupConfig => groups(group('global', limit), 'global');

/** A tree whose groups promise more than their parents have. */
function tree(limit: number): GroupConfig {
  const people = group('people', limit * 0.6, group('adhoc', limit * 0.4), group('dashboard', limit * 0.5));
  return groups(group('global', limit, group('etl', limit * 0.7), people), 'global.etl');
}

const TREE_LEAVES = ['global.etl', 'global.people.adhoc', 'global.people.dashboard'];
const anyLeaf = ({ random }: SimCluster): string => TREE_LEAVES[randomInt(random, TREE_LEAVES.length)] ?? '';

/** Three times the limit in the same instant on each coordinator. */
export const burst: Scenario = {
  faults: roughNetwork,
  resourceManagers: one,
  config: oneGroup,
  plan(cluster, limit) {
    for (let index = 0; index < cluster.coordinators.length * 3 * limit; index++)
      cluster.submit(START_MS, index, 'global', 100 + 400 * cluster.random());
  },
};

/** The same on a tree of groups, some of it a little later, some of it canceled. */
export const burstOnTree: Scenario = {
  faults: roughNetwork,
  resourceManagers: one,
  config: tree,
  plan(cluster, limit) {
    for (let index = 0; index < cluster.coordinators.length * 3 * limit; index++) {
      const atMs = START_MS + (cluster.random() < 0.5 ? 0 : 500 * cluster.random());
      const query = cluster.submit(atMs, index, anyLeaf(cluster), 50 + 400 * cluster.random());
      if (cluster.random() < 0.15) cluster.cancel(atMs + 300 * cluster.random(), query);
    }
  },
};

/** One query on each coordinator in the same instant, and room for one. */
export const limitOne: Scenario = {
  faults: lossyNetwork,
  resourceManagers: one,
  config: () => oneGroup(1),
  plan(cluster) {
    for (let place = 0; place < cluster.coordinators.length; place++) cluster.submit(START_MS, place, 'global', 500);
  },
};

/** A little more than the groups can do, for a while. */
export const steadyLoad: Scenario = {
  faults: roughNetwork,
  resourceManagers: one,
  config: tree,
  plan(cluster, limit) {
    const meanMs = 200;
    for (let atMs = START_MS; atMs < 8_000; atMs += ((2 * meanMs) / limit / 1.2) * cluster.random()) {
      const place = randomInt(cluster.random, cluster.coordinators.length);
      const query = cluster.submit(atMs, place, anyLeaf(cluster), 2 * meanMs * cluster.random());
      if (cluster.random() < 0.05) cluster.cancel(atMs + 300 * cluster.random(), query);
    }
  },
};

/** A coordinator stops with claims made and answers on their way, until everybody has given it up, and goes on. */
export const freeze: Scenario = {
  faults: lossyNetwork,
  resourceManagers: one,
  config: oneGroup,
  plan(cluster, limit) {
    const { random, coordinators } = cluster;
    for (let index = 0; index < coordinators.length * 2 * limit; index++)
      cluster.submit(START_MS, index, 'global', 500 + 3_000 * random());
    const [frozen] = coordinators;
    const shortly = START_MS + 10 * random();
    cluster.time.after(shortly, () => frozen?.freeze(random() < 0.2 ? 5_000 * random() : 11_000 + 4_000 * random()));
  },
};

/** A coordinator dies, perhaps to come back as a new process; its tasks run on at the workers for a while. */
export const coordinatorCrash: Scenario = {
  faults: lossyNetwork,
  resourceManagers: one,
  config: oneGroup,
  plan(cluster, limit) {
    const { random, coordinators } = cluster;
    for (let index = 0; index < coordinators.length * 3 * limit; index++)
      cluster.submit(START_MS + 5_000 * random(), index, 'global', 200 + 8_000 * random());
    const backAfterMs = random() < 0.5 ? undefined : 100 + 14_000 * random();
    cluster.time.after(START_MS + 500 + 5_000 * random(), () => cluster.crash(0, backAfterMs));
  },
};

/** The resource managers die and come back, one after another, under bursts of queries. */
export const resourceManagerCrashes: Scenario = {
  faults: roughNetwork,
  resourceManagers: (seed) => 2 + (seed % 2),
  config: tree,
  plan(cluster, limit) {
    const { random, coordinators, resourceManagers } = cluster;
    for (let atMs = START_MS; atMs < 14_000; atMs += 2_000)
      for (let index = 0; index < coordinators.length * Math.min(limit, 5); index++)
        cluster.submit(atMs + 100 * random(), index, anyLeaf(cluster), 200 + 1_000 * random());
    resourceManagers.forEach((manager, index) => {
      const downAt = START_MS + index * 5_000 + 3_000 * random();
      cluster.time.after(downAt, () => manager.crash());
      cluster.time.after(downAt + 300 + 4_000 * random(), () => manager.restart());
    });
  },
};

/** 60 short queries at once, in turn on each coordinator. */
export const shortQueries: Scenario = {
  faults: { ...calmNetwork, delayMs: 0.5 },
  resourceManagers: one,
  config: oneGroup,
  plan(cluster) {
    for (let index = 0; index < 60; index++)
      cluster.submit(START_MS + 5 * cluster.random(), index, 'global', 10 + 20 * cluster.random());
  },
};

/** More come than may wait, twice. What runs takes longer than anybody looks. */
export const fullQueues: Scenario = {
  faults: roughNetwork,
  resourceManagers: one,
  config: (limit) => groups({ ...group('global', limit), maxQueued: maxQueuedOf(limit) }, 'global'),
  plan(cluster, limit) {
    for (const burstMs of [START_MS, START_MS + 5_000]) {
      for (let index = 0; index < cluster.coordinators.length * 4 * limit; index++)
        cluster.submit(burstMs + 50 * cluster.random(), index, 'global', 20_000);
      for (let afterMs = 2_500; afterMs < 5_000; afterMs += 500) cluster.lookAtQueues(burstMs + afterMs);
    }
  },
};

/** Queries come to all coordinators while one runs for long; what they say of their place is noted. */
export const longQueue: Scenario = {
  faults: calmNetwork,
  resourceManagers: one,
  config: oneGroup,
  plan(cluster) {
    for (let index = 0; index < 40; index++) {
      const place = randomInt(cluster.random, cluster.coordinators.length);
      cluster.submit(START_MS + 1_000 * cluster.random(), place, 'global', 4_000 + 500 * cluster.random());
    }
    cluster.lookAtQueues(START_MS + 3_000);
  },
};
