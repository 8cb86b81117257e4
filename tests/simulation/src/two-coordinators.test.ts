// Presto's scenarios with two coordinators (presto.md 8.4), on a network that is late and out of order, over many seeds.
// DQ-7 to DQ-10 are about what resource managers show: they are tested there.
import { gatedPlan, type GatedWorld } from './plans/gated-worlds.js';
import { configOf } from './plans/groups.js';
import { query, START_MS } from './plans/load.js';
import { ROUGH } from './plans/network-faults.js';
import { seeds } from './testing-seeds.js';
import type { Mode, PlannedQuery } from './world/planned.js';
import { runPlan } from './world/run-plan.js';
import type { SimQuery } from './world/sim-query.js';

const LONG_MS = 60_000;

/** The groups of Presto's tests. */
const groups = (mode: Mode) =>
  configOf(mode, {
    ...{ name: 'global', limit: 1_000, maxQueued: 100 },
    subGroups: [
      {
        ...{ name: 'user-${USER}', limit: 3, maxQueued: 3 },
        subGroups: [
          { name: 'adhoc-${USER}', limit: 3, maxQueued: 3 },
          { name: 'dashboard-${USER}', limit: 1, maxQueued: 1 },
        ],
      },
    ],
  });
const ADHOC = 'global.user-ann.adhoc-ann';
const DASHBOARD = 'global.user-ann.dashboard-ann';

/** Four users share three places. */
const shared = (mode: Mode) =>
  configOf(mode, {
    ...{ name: 'global', limit: 3, maxQueued: 100 },
    subGroups: [{ name: '${USER}', limit: 3, maxQueued: 3 }],
  });

const long = (atMs: number, place: number, group: string, cancelAfterMs?: number): PlannedQuery =>
  query({ atMs, place, group, durationMs: LONG_MS, cancelAfterMs });

/** Runs two coordinators; `look` sees the queries at a moment. Nothing may ever have been over its limit. */
function check(
  mode: Mode,
  config: GatedWorld['config'],
  load: (random: () => number) => PlannedQuery[],
  looks: readonly (readonly [atMs: number, look: (queries: readonly SimQuery[]) => void])[],
): void {
  for (const seed of seeds(25)) {
    const world: GatedWorld = {
      ...{ network: ROUGH, resourceManagers: () => 1, config, load: ({ random }) => load(random) },
    };
    const { violations } = runPlan(
      { ...gatedPlan(world, seed, { coordinators: 2 }), mode },
      {
        onWorld: ({ time, queries }) => {
          for (const [atMs, look] of looks) time.after(atMs, () => look(queries));
        },
      },
    );
    if (violations.length > 0) throw new Error(`${JSON.stringify(violations[0])}, seed ${seed}`);
  }
}

describe.each<Mode>(['gated', 'leased'])('two coordinators, %s', (mode) => {
  it('DQ-1: three run on one; a fourth on the other waits until one of them is canceled', () => {
    const load = () => [
      long(START_MS, 1, ADHOC, 3_000),
      long(START_MS, 1, ADHOC),
      long(START_MS, 1, ADHOC),
      long(START_MS + 1_500, 0, ADHOC),
    ];
    check(mode, () => groups(mode), load, [
      [START_MS + 2_990, (queries) => expect(queries[3]?.state).toBe('queued')],
      [START_MS + 5_500, (queries) => expect(queries[3]?.state).toBe('started')],
    ]);
  });

  it('DQ-3: two run on one and one on the other; its next one waits until its own first is canceled', () => {
    const load = () => [
      long(START_MS, 1, ADHOC),
      long(START_MS, 1, ADHOC),
      long(START_MS, 0, ADHOC, 3_000),
      long(START_MS + 1_500, 0, DASHBOARD),
    ];
    const states = (queries: readonly SimQuery[]) => [queries[2]?.state, queries[3]?.state];
    check(mode, () => groups(mode), load, [
      [START_MS + 2_990, (queries) => expect(states(queries)).toEqual(['started', 'queued'])],
      [START_MS + 5_500, (queries) => expect(states(queries)).toEqual(['canceled', 'started'])],
    ]);
  });

  it('DQ-4: of a burst of four users, one on each coordinator in turn, three run and one waits: always', () => {
    const users = ['ann', 'bob', 'cid', 'dee'];
    const load = (random: () => number) =>
      users.map((user, place) => long(START_MS + 2 * random(), place % 2, `global.${user}`));
    check(mode, () => shared(mode), load, [
      [
        START_MS + 3_000,
        (queries) =>
          expect(queries.map(({ state }) => state).sort()).toEqual(['queued', 'started', 'started', 'started']),
      ],
    ]);
  });
});
