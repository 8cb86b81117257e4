// Presto's scenarios with two coordinators (presto.md 8.4), on a network that is late and out of order, over many seeds.
// DQ-7 to DQ-10 are about what resource managers show: they are tested there.
import { parseGroupConfig } from '@tutti/resource-groups';
import { SimCluster } from './sim-cluster.js';
import { roughNetwork, START_MS } from './scenarios.js';

const SEEDS = Number(process.env['SEEDS'] ?? 150);
const LONG_MS = 60_000;

/** The groups of Presto's tests. */
const config = parseGroupConfig(
  JSON.stringify({
    rootGroups: [
      {
        ...{ name: 'global', hardConcurrencyLimit: 1_000, maxQueued: 100 },
        subGroups: [
          {
            ...{ name: 'user-${USER}', hardConcurrencyLimit: 3, maxQueued: 3 },
            subGroups: [
              { name: 'adhoc-${USER}', hardConcurrencyLimit: 3, maxQueued: 3 },
              { name: 'dashboard-${USER}', hardConcurrencyLimit: 1, maxQueued: 1 },
            ],
          },
        ],
      },
    ],
    selectors: [{ group: 'global.user-${USER}.adhoc-${USER}' }],
  }),
);
const ADHOC = 'global.user-ann.adhoc-ann';
const DASHBOARD = 'global.user-ann.dashboard-ann';

/** Four users share three places. */
const shared = parseGroupConfig(
  JSON.stringify({
    rootGroups: [
      {
        ...{ name: 'global', hardConcurrencyLimit: 3, maxQueued: 100 },
        subGroups: [{ name: '${USER}', hardConcurrencyLimit: 3, maxQueued: 3 }],
      },
    ],
    selectors: [{ group: 'global.${USER}' }],
  }),
);

function twoCoordinators(seed: number, groups = config): SimCluster {
  if ('problems' in groups) throw new Error(groups.problems.join('\n'));
  const counts = { coordinatorCount: 2, resourceManagerCount: 1 };
  return new SimCluster({ seed, config: groups.ok, faults: roughNetwork, ...counts });
}

/** Runs the world for so long; nothing may ever have been over its limit. */
function runUntil(cluster: SimCluster, atMs: number, seed: number): void {
  cluster.run(atMs);
  if (cluster.breaches.length > 0) throw new Error(`${JSON.stringify(cluster.breaches[0])}, seed ${seed}`);
}

describe('two coordinators', () => {
  it('DQ-1: three run on one; a fourth on the other waits until one of them is canceled', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const cluster = twoCoordinators(seed);
      const [first] = [0, 1, 2].map(() => cluster.submit(START_MS, 1, ADHOC, LONG_MS));
      const fourth = cluster.submit(START_MS + 1_500, 0, ADHOC, LONG_MS);
      runUntil(cluster, START_MS + 3_000, seed);
      expect(fourth.state).toBe('submitted');
      if (first !== undefined) cluster.cancel(START_MS + 3_000, first);
      runUntil(cluster, START_MS + 4_500, seed);
      expect(fourth.state).toBe('running');
    }
  });

  it('DQ-3: two run on one and one on the other; its next one waits until its own first is canceled', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const cluster = twoCoordinators(seed);
      cluster.submit(START_MS, 1, ADHOC, LONG_MS);
      cluster.submit(START_MS, 1, ADHOC, LONG_MS);
      const own = cluster.submit(START_MS, 0, ADHOC, LONG_MS);
      const dashboard = cluster.submit(START_MS + 1_500, 0, DASHBOARD, LONG_MS);
      runUntil(cluster, START_MS + 3_000, seed);
      expect([own.state, dashboard.state]).toEqual(['running', 'submitted']);
      cluster.cancel(START_MS + 3_000, own);
      runUntil(cluster, START_MS + 4_500, seed);
      expect(dashboard.state).toBe('running');
    }
  });

  it('DQ-4: of a burst of four users, one on each coordinator in turn, three run and one waits: always', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const cluster = twoCoordinators(seed, shared);
      const queries = ['ann', 'bob', 'cid', 'dee'].map((user, index) =>
        cluster.submit(START_MS + 2 * cluster.random(), index, `global.${user}`, LONG_MS),
      );
      runUntil(cluster, START_MS + 2_500, seed);
      expect(queries.map(({ state }) => state).sort()).toEqual(['running', 'running', 'running', 'submitted']);
    }
  });
});
