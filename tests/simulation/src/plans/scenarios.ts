// What `npm run sim` runs: kinds of worlds. Their sizes are given; all else follows from the seed.
import { type Random, randomInt, seededRandom } from '@tutti/base';
import type { GroupConfig } from '@tutti/resource-groups';
import { endOf, type Mode, OWNER, type Plan, type PlannedFault, type PlannedQuery } from '../world/planned.js';
import { chaosFaults, chaosGroups, chaosLoad } from './chaos.js';
import { leavesOf, tree } from './groups.js';
import { arrivals, burst, START_MS } from './load.js';
import { CALM } from './network-faults.js';
import { pausesOf, splitsOf } from './faults.js';

export const SCENARIOS = [
  ...['burst', 'steady', 'skew', 'owner-crash', 'owner-restart', 'partition', 'freeze', 'rolling', 'chaos'],
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** What is given of a world. */
export interface Sizes {
  readonly mode: Mode;
  readonly coordinators: number;
  readonly resourceManagers: number;
  readonly limit: number;
  /** How long the usual query runs. */
  readonly queryMs: number;
}

/** What may be used to make the plan of a scenario. */
export interface Draft extends Sizes {
  readonly random: Random;
  readonly workers: number;
}

interface Parts {
  readonly config: GroupConfig;
  readonly load: readonly PlannedQuery[];
  readonly faults?: readonly PlannedFault[];
  readonly more?: Partial<Plan>;
}

export const END_MS = 60_000;
const WORKERS = 3;
/** After the last fault: leases and promises that must end by time, and orphans that must be canceled. */
const SETTLE_MS = 26_000;
/** In the first part there is less to do than may run. */
const SLACK_UNTIL_MS = 14_000;
const SLACK = 0.7;
const OVERLOAD = 1.2;

/** More than the groups can do from a moment on; before that less. */
function load(draft: Draft, config: GroupConfig, place: (random: Random, atMs: number) => number): PlannedQuery[] {
  const { random, limit, queryMs } = draft;
  const common = { meanMs: queryMs, leaves: leavesOf(config), place };
  return [
    ...arrivals(random, { ...common, fromMs: START_MS, toMs: SLACK_UNTIL_MS, slots: SLACK * limit }),
    ...arrivals(random, { ...common, fromMs: SLACK_UNTIL_MS, toMs: END_MS, slots: OVERLOAD * limit }),
  ];
}

function steady(draft: Draft): Parts {
  const config = tree(draft.mode, draft.limit);
  return { config, load: load(draft, config, (random) => randomInt(random, draft.coordinators)) };
}

const SCENARIO_PARTS: Readonly<Record<ScenarioName, (draft: Draft) => Parts>> = {
  burst: (draft) => {
    const { random, mode, limit, coordinators, queryMs } = draft;
    const config = tree(mode, limit);
    const durationMs = (): number => queryMs * (0.5 + random());
    const load = burst(random, {
      ...{ atMs: START_MS + 1_000, coordinators, each: 3 * limit, durationMs },
      leaves: leavesOf(config),
    });
    return { config, load };
  },
  steady,
  skew: (draft) => {
    const config = tree(draft.mode, draft.limit);
    // Four of five queries come to one coordinator, which is another one each 10 s.
    const place = (random: Random, atMs: number): number =>
      random() < 0.8 ? Math.floor(atMs / 10_000) % draft.coordinators : randomInt(random, draft.coordinators);
    return { config, load: load(draft, config, place) };
  },
  'owner-crash': (draft) => {
    const { random } = draft;
    const crash = (atMs: number): PlannedFault => ({
      ...{ kind: 'crash', target: OWNER, atMs: atMs + 2_000 * random() },
      ...{ backAfterMs: 2_000 + 10_000 * random(), isLoud: random() < 0.5 },
    });
    return { ...steady(draft), faults: [crash(16_000), crash(44_000)] };
  },
  'owner-restart': (draft) => {
    const { random } = draft;
    const restart = (atMs: number): PlannedFault => ({
      ...{
        kind: 'crash',
        target: OWNER,
        atMs: atMs + 2_000 * random(),
        backAfterMs: 50 + 500 * random(),
        isLoud: true,
      },
    });
    return { ...steady(draft), faults: [restart(16_000), restart(44_000)] };
  },
  partition: (draft) => ({ ...steady(draft), faults: splitsOf(draft) }),
  freeze: (draft) => ({ ...steady(draft), faults: pausesOf(draft) }),
  rolling: (draft) => {
    const { random, resourceManagers, coordinators, workers } = draft;
    const roll = (target: string, atMs: number): PlannedFault => ({
      ...{ kind: 'roll', target, atMs, backAfterMs: 500 + 1_000 * random() },
    });
    // A seat that has restarted is given time to be ready, as a rolling update that asks its readiness does.
    const managers = Array.from({ length: resourceManagers }, (_, index) =>
      roll(`m${index + 1}`, 15_000 + 13_000 * index),
    );
    const others = [
      ...Array.from({ length: Math.min(2, coordinators) }, (_, index) => roll(`c${index + 1}`, 18_000 + 9_000 * index)),
      ...Array.from({ length: Math.min(2, workers) }, (_, index) => roll(`w${index + 1}`, 21_000 + 9_000 * index)),
    ];
    return { ...steady(draft), faults: [...managers.filter(({ atMs }) => atMs < END_MS - 5_000), ...others] };
  },
  chaos: (draft) => {
    const config = chaosGroups(draft);
    const { faults, datagrams, isFirstStart } = chaosFaults(draft, config);
    const more = { datagrams, isFirstStart, driftMax: 0.04, placementMaxMs: 5 };
    return { config, load: chaosLoad(draft, config), faults, more };
  },
};

/** The plan of a world. */
export function planOf(scenario: ScenarioName, seed: number, sizes: Sizes): Plan {
  const random = seededRandom(seed * 0x9e37_79b1);
  const draft: Draft = { ...sizes, random, workers: WORKERS };
  const { config, load: queries, faults = [], more } = SCENARIO_PARTS[scenario](draft);
  const { mode, coordinators, resourceManagers } = sizes;
  const lastFaultMs = faults.reduce((last, fault) => Math.max(last, endOf(fault)), START_MS);
  return {
    ...{ seed, mode, coordinators, resourceManagers, workers: WORKERS, config, load: queries, faults },
    ...{ network: CALM, driftMax: 0.04, datagrams: false, placementMaxMs: 0.2, isFirstStart: true, endMs: END_MS },
    slackUntilMs: scenario === 'burst' || scenario === 'chaos' ? 0 : SLACK_UNTIL_MS,
    calmFromMs: faults.length === 0 ? START_MS + 1_000 : lastFaultMs + SETTLE_MS,
    ...more,
  };
}
