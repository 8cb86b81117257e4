import { type GroupConfig, parseGroupConfig } from '@tutti/resource-groups';
import { randomInt } from '@tutti/base';
import type { NetworkFaults } from './sim-network.js';
import { SimCluster, type SimClusterOptions } from './sim-cluster.js';

/** What one world showed. */
export interface Outcome {
  readonly cluster: SimCluster;
  /** Queries that had not ended when time was up. */
  readonly unfinished: number;
}

/** A world of a kind: everything else follows from the seed. */
export type Scenario = (seed: number, tamper?: SimClusterOptions['tamper']) => Outcome;

export const roughNetwork: NetworkFaults = {
  delayMs: 3,
  slowRate: 0.05,
  slowMs: 300,
  lossRate: 0,
  duplicateRate: 0.05,
};
export const lossyNetwork: NetworkFaults = { ...roughNetwork, lossRate: 0.05 };

const oneGroup = (limit: number): GroupConfig =>
  parsed({
    rootGroups: [{ name: 'global', hardConcurrencyLimit: limit, maxQueued: 100_000 }],
    selectors: [{ group: 'global' }],
  });

/** A tree whose groups promise more than their parents have. */
const tree = (limit: number): GroupConfig =>
  parsed({
    rootGroups: [
      {
        name: 'global',
        hardConcurrencyLimit: limit,
        maxQueued: 100_000,
        subGroups: [
          { name: 'etl', hardConcurrencyLimit: Math.ceil(limit * 0.7), maxQueued: 100_000 },
          {
            name: 'people',
            hardConcurrencyLimit: Math.ceil(limit * 0.6),
            maxQueued: 100_000,
            subGroups: [
              { name: 'adhoc', hardConcurrencyLimit: Math.ceil(limit * 0.4), maxQueued: 100_000 },
              { name: 'dashboard', hardConcurrencyLimit: Math.ceil(limit * 0.5), maxQueued: 100_000 },
            ],
          },
        ],
      },
    ],
    selectors: [{ group: 'global.etl' }],
  });
const TREE_LEAVES = ['global.etl', 'global.people.adhoc', 'global.people.dashboard'];

function parsed(json: object): GroupConfig {
  const config = parseGroupConfig(JSON.stringify(json));
  if ('problems' in config) throw new Error(config.problems.join('\n'));
  return config.ok;
}

/** Numbers of a world that no scenario fixes. */
const sizes = (seed: number) => ({ coordinatorCount: 2 + (seed % 7), limit: [1, 2, 5, 10, 16][seed % 5] ?? 1 });

/** Three times the limit at once on each coordinator. */
export const burst =
  (faults: NetworkFaults, resourceManagerCount = 1): Scenario =>
  (seed, tamper) => {
    const { coordinatorCount, limit } = sizes(seed);
    const config = oneGroup(limit);
    const cluster = new SimCluster({
      seed,
      config,
      coordinatorCount,
      resourceManagerCount,
      faults,
      ...(tamper && { tamper }),
    });
    for (let index = 0; index < coordinatorCount * 3 * limit; index++)
      cluster.submit(2_000, index, 'global', 100 + 400 * cluster.random());
    return { cluster, unfinished: cluster.run(200_000) };
  };

/** The same on a tree of groups, with queries that are canceled while they wait. */
export const burstOnTree =
  (faults: NetworkFaults, resourceManagerCount = 1): Scenario =>
  (seed, tamper) => {
    const { coordinatorCount, limit } = sizes(seed);
    const config = tree(limit);
    const cluster = new SimCluster({
      seed,
      config,
      coordinatorCount,
      resourceManagerCount,
      faults,
      ...(tamper && { tamper }),
    });
    for (let index = 0; index < coordinatorCount * 3 * limit; index++) {
      const leaf = TREE_LEAVES[randomInt(cluster.random, TREE_LEAVES.length)] ?? '';
      const atMs = 2_000 + (cluster.random() < 0.5 ? 0 : 500 * cluster.random());
      const queryId = cluster.submit(atMs, index, leaf, 50 + 400 * cluster.random());
      if (cluster.random() < 0.15) cluster.cancel(atMs + 300 * cluster.random(), queryId);
    }
    return { cluster, unfinished: cluster.run(200_000) };
  };

/** One query on each coordinator in the same instant, and room for one. */
export const limitOne =
  (faults: NetworkFaults): Scenario =>
  (seed, tamper) => {
    const coordinatorCount = 2 + (seed % 7);
    const config = oneGroup(1);
    const cluster = new SimCluster({
      seed,
      config,
      coordinatorCount,
      resourceManagerCount: 1,
      faults,
      ...(tamper && { tamper }),
    });
    for (let index = 0; index < coordinatorCount; index++) cluster.submit(2_000, index, 'global', 500);
    return { cluster, unfinished: cluster.run(60_000) };
  };

/** A little more than the limit can do, for a while. */
export const steadyLoad =
  (faults: NetworkFaults): Scenario =>
  (seed, tamper) => {
    const { coordinatorCount, limit } = sizes(seed);
    const config = tree(limit);
    const cluster = new SimCluster({
      seed,
      config,
      coordinatorCount,
      resourceManagerCount: 1,
      faults,
      ...(tamper && { tamper }),
    });
    const meanMs = 200;
    for (let atMs = 2_000; atMs < 12_000; atMs += (meanMs / limit / 1.2) * 2 * cluster.random()) {
      const leaf = TREE_LEAVES[randomInt(cluster.random, TREE_LEAVES.length)] ?? '';
      const queryId = cluster.submit(
        atMs,
        randomInt(cluster.random, coordinatorCount),
        leaf,
        2 * meanMs * cluster.random(),
      );
      if (cluster.random() < 0.05) cluster.cancel(atMs + 300 * cluster.random(), queryId);
    }
    return { cluster, unfinished: cluster.run(200_000) };
  };

/** A coordinator stops for longer than its data lives, with claims made and answers on their way, and goes on. */
export const freeze =
  (faults: NetworkFaults): Scenario =>
  (seed, tamper) => {
    const { coordinatorCount, limit } = sizes(seed);
    const config = oneGroup(limit);
    const cluster = new SimCluster({
      seed,
      config,
      coordinatorCount,
      resourceManagerCount: 1,
      faults,
      ...(tamper && { tamper }),
    });
    for (let index = 0; index < coordinatorCount * 4 * limit; index++)
      cluster.submit(2_000 + 600 * cluster.random(), index, 'global', 200 + 3_000 * cluster.random());
    const [frozen] = cluster.coordinators;
    cluster.time.after(2_000 + 700 * cluster.random(), () => frozen?.freeze(4_000 + 12_000 * cluster.random()));
    return { cluster, unfinished: cluster.run(300_000) };
  };

/** A coordinator dies; its tasks run on at the workers for a while. */
export const coordinatorCrash =
  (faults: NetworkFaults): Scenario =>
  (seed, tamper) => {
    const { coordinatorCount, limit } = sizes(seed);
    const config = oneGroup(limit);
    const cluster = new SimCluster({
      seed,
      config,
      coordinatorCount,
      resourceManagerCount: 1,
      faults,
      ...(tamper && { tamper }),
    });
    for (let index = 0; index < coordinatorCount * 4 * limit; index++)
      cluster.submit(2_000 + 5_000 * cluster.random(), index, 'global', 200 + 15_000 * cluster.random());
    const [crashed] = cluster.coordinators;
    cluster.time.after(2_500 + 5_000 * cluster.random(), () => crashed && cluster.crash(crashed));
    return { cluster, unfinished: cluster.run(900_000) };
  };

/** The resource managers die and come back, one after another, under bursts of queries. */
export const resourceManagerCrashes =
  (faults: NetworkFaults): Scenario =>
  (seed, tamper) => {
    const { coordinatorCount, limit } = sizes(seed);
    const config = tree(limit);
    const resourceManagerCount = 2 + (seed % 2);
    const cluster = new SimCluster({
      seed,
      config,
      coordinatorCount,
      resourceManagerCount,
      faults,
      ...(tamper && { tamper }),
    });
    for (let atMs = 2_000; atMs < 22_000; atMs += 2_000)
      for (let index = 0; index < coordinatorCount * Math.min(limit, 6); index++) {
        const leaf = TREE_LEAVES[randomInt(cluster.random, TREE_LEAVES.length)] ?? '';
        cluster.submit(atMs + 100 * cluster.random(), index, leaf, 200 + 1_000 * cluster.random());
      }
    cluster.resourceManagers.forEach((manager, index) => {
      const downAt = 2_000 + index * 6_000 + 3_000 * cluster.random();
      cluster.time.after(downAt, () => manager.crash());
      cluster.time.after(downAt + 300 + 4_000 * cluster.random(), () => manager.restart());
    });
    return { cluster, unfinished: cluster.run(300_000) };
  };
