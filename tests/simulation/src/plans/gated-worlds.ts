// Small worlds in mode `gated`: what one resource manager keeps exactly, and what it does not. The sizes, and everything
// that happens, follow from the seed.
import { randomInt, type Random, seededRandom } from '@tutti/base';
import type { GroupConfig } from '@tutti/resource-groups';
import type { NetworkFaults } from '../kernel/sim-network.js';
import type { Plan, PlannedFault, PlannedQuery } from '../world/planned.js';
import { configOf, leavesOf, tree } from './groups.js';
import { burst as burstOf, query, START_MS } from './load.js';
import { CALM, ROUGH } from './network-faults.js';

export interface GatedWorld {
  readonly network: NetworkFaults;
  readonly resourceManagers: (seed: number) => number;
  readonly config: (limit: number) => GroupConfig;
  readonly load: (draft: GatedDraft) => PlannedQuery[];
  readonly faults?: (draft: GatedDraft) => PlannedFault[];
}

export interface GatedDraft {
  readonly random: Random;
  readonly limit: number;
  readonly coordinators: number;
  readonly resourceManagers: number;
}

export interface GatedSizes {
  readonly limit?: number;
  readonly coordinators?: number;
}

export function gatedPlan(world: GatedWorld, seed: number, sizes: GatedSizes = {}): Plan {
  const { limit = [1, 2, 5, 10, 16][seed % 5] ?? 1, coordinators = 2 + (seed % 7) } = sizes;
  const resourceManagers = world.resourceManagers(seed);
  const draft = { random: seededRandom(seed), limit, coordinators, resourceManagers };
  return {
    ...{ seed, mode: 'gated', coordinators, resourceManagers, workers: 2, network: world.network, driftMax: 0.04 },
    ...{ config: world.config(limit), load: world.load(draft), faults: world.faults?.(draft) ?? [] },
    ...{ datagrams: false, placementMaxMs: 0.2, isFirstStart: true, slackUntilMs: 0 },
    ...{ endMs: START_MS, calmFromMs: 300_000 },
  };
}

const one = (): number => 1;
export const oneGroup = (limit: number): GroupConfig => configOf('gated', { name: 'global', limit });
const gatedTree = (limit: number): GroupConfig => tree('gated', limit);

const anyLeaf = (random: Random, config: GroupConfig): string => {
  const leaves = leavesOf(config);
  return leaves[randomInt(random, leaves.length)] ?? '';
};

/** Three times the limit in the same instant on each coordinator. */
export const burst: GatedWorld = {
  network: ROUGH,
  resourceManagers: one,
  config: oneGroup,
  load: ({ random, coordinators, limit }) =>
    burstOf(random, {
      ...{ atMs: START_MS, coordinators, each: 3 * limit, leaves: ['global'] },
      durationMs: () => 100 + 400 * random(),
    }),
};

/** The same on a tree of groups, some of it a little later, some of it canceled. */
export const burstOnTree: GatedWorld = {
  network: ROUGH,
  resourceManagers: one,
  config: gatedTree,
  load: ({ random, coordinators, limit }) =>
    Array.from({ length: coordinators * 3 * limit }, (_, place) =>
      query({
        ...{ atMs: START_MS + (random() < 0.5 ? 0 : 500 * random()), place: place % coordinators },
        ...{ group: anyLeaf(random, gatedTree(limit)), durationMs: 50 + 400 * random() },
        ...(random() < 0.15 && { cancelAfterMs: 300 * random() }),
      }),
    ),
};

/** One query on each coordinator in the same instant, and room for one. */
export const limitOne: GatedWorld = {
  network: ROUGH,
  resourceManagers: one,
  config: () => oneGroup(1),
  load: ({ random, coordinators }) =>
    burstOf(random, { atMs: START_MS, coordinators, each: 1, leaves: ['global'], durationMs: () => 500 }),
};

/** A little more than the groups can do, for a while. */
export const steadyLoad: GatedWorld = {
  network: ROUGH,
  resourceManagers: one,
  config: gatedTree,
  load: ({ random, coordinators, limit }) => {
    const queries: PlannedQuery[] = [];
    const meanMs = 200;
    for (let atMs = START_MS; atMs < 8_000; atMs += ((2 * meanMs) / limit / 1.2) * random())
      queries.push(
        query({
          ...{ atMs, place: randomInt(random, coordinators), group: anyLeaf(random, gatedTree(limit)) },
          durationMs: 2 * meanMs * random(),
          ...(random() < 0.05 && { cancelAfterMs: 300 * random() }),
        }),
      );
    return queries;
  },
};

/** A coordinator stops with claims made and answers on their way, until everybody has given it up, and goes on. */
export const freeze: GatedWorld = {
  network: ROUGH,
  resourceManagers: one,
  config: oneGroup,
  load: ({ random, coordinators, limit }) =>
    burstOf(random, {
      ...{ atMs: START_MS, coordinators, each: 2 * limit, leaves: ['global'] },
      durationMs: () => 500 + 3_000 * random(),
    }),
  faults: ({ random }) => [
    {
      ...{ kind: 'pause', target: 'c1', atMs: START_MS + 10 * random(), isSuspended: false },
      forMs: random() < 0.2 ? 5_000 * random() : 11_000 + 4_000 * random(),
    },
  ],
};

/** A coordinator dies, perhaps to come back as a new process; its tasks run on at the workers for a while. */
export const coordinatorCrash: GatedWorld = {
  network: ROUGH,
  resourceManagers: one,
  config: oneGroup,
  load: ({ random, coordinators, limit }) =>
    Array.from({ length: coordinators * 3 * limit }, (_, place) =>
      query({
        ...{ atMs: START_MS + 5_000 * random(), place: place % coordinators, group: 'global' },
        durationMs: 200 + 8_000 * random(),
      }),
    ),
  faults: ({ random }) => [
    {
      ...{ kind: 'crash', target: 'c1', atMs: START_MS + 500 + 5_000 * random(), isLoud: random() < 0.3 },
      backAfterMs: random() < 0.5 ? 600_000 : 500 + 14_000 * random(),
    },
  ],
};

/** The resource managers die and come back, one after another, under bursts of queries. */
export const resourceManagerCrashes: GatedWorld = {
  network: ROUGH,
  resourceManagers: (seed) => 2 + (seed % 2),
  config: gatedTree,
  load: ({ random, coordinators, limit }) =>
    [2, 4, 6, 8, 10, 12].flatMap((second) =>
      Array.from({ length: coordinators * Math.min(limit, 5) }, (_, place) =>
        query({
          ...{ atMs: second * 1_000 + 100 * random(), place: place % coordinators },
          ...{ group: anyLeaf(random, gatedTree(limit)), durationMs: 200 + 1_000 * random() },
        }),
      ),
    ),
  faults: ({ random, resourceManagers }) =>
    Array.from({ length: resourceManagers }, (_, index) => ({
      ...{ kind: 'crash', target: `m${index + 1}`, isLoud: true },
      ...{ atMs: START_MS + index * 5_000 + 3_000 * random(), backAfterMs: 300 + 4_000 * random() },
    })),
};

/** 60 short queries at once, in turn on each coordinator. */
export const shortQueries: GatedWorld = {
  network: { ...CALM, delayMs: 0.25, spreadMs: 0.5 },
  resourceManagers: one,
  config: oneGroup,
  load: ({ random, coordinators }) =>
    Array.from({ length: 60 }, (_, place) =>
      query({
        ...{ atMs: START_MS + 5 * random(), place: place % coordinators, group: 'global' },
        durationMs: 10 + 20 * random(),
      }),
    ),
};

/** So many may wait in `fullQueues`, by the limit. */
export const maxQueuedOf = (limit: number): number => 2 * limit - 1;
/** When to look at how many wait in `fullQueues`. */
export const FULL_QUEUES_LOOKS_MS = [0, 5_000].flatMap((burstMs) =>
  [2_500, 3_000, 3_500, 4_000, 4_500].map((afterMs) => START_MS + burstMs + afterMs),
);

/** More come than may wait, twice. What runs takes longer than anybody looks. */
export const fullQueues: GatedWorld = {
  network: ROUGH,
  resourceManagers: one,
  config: (limit) => configOf('gated', { name: 'global', limit, maxQueued: maxQueuedOf(limit) }),
  load: ({ random, coordinators, limit }) =>
    [START_MS, START_MS + 5_000].flatMap((atMs) =>
      Array.from({ length: coordinators * 4 * limit }, (_, place) =>
        query({ atMs: atMs + 50 * random(), place: place % coordinators, group: 'global', durationMs: 20_000 }),
      ),
    ),
};

/** Queries come to all coordinators while one runs for long. */
export const longQueue: GatedWorld = {
  network: CALM,
  resourceManagers: one,
  config: oneGroup,
  load: ({ random, coordinators }) =>
    Array.from({ length: 40 }, () =>
      query({
        ...{ atMs: START_MS + 1_000 * random(), place: randomInt(random, coordinators), group: 'global' },
        durationMs: 4_000 + 500 * random(),
      }),
    ),
};
