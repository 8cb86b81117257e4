// Worlds in which single rules matter: coordinators are cut off from resource managers for longer than leases hold, while
// what they run goes on for longer still, and messages are late.
import { seededRandom } from '@tutti/base';
import { OTHERS, OWNER, type Plan, type PlannedFault, type Target } from '../world/planned.js';
import { anyOf, namesOf } from './faults.js';
import { leavesOf } from './groups.js';
import { burst } from './load.js';
import { STORMY } from './network-faults.js';
import { planOf, type Sizes } from './scenarios.js';

const FROM_MS = 15_000;
const TO_MS = 45_000;
const CUT_MS = 13_000;

export const STRESS_SIZES: Sizes = { mode: 'leased', coordinators: 4, resourceManagers: 3, limit: 12, queryMs: 6_000 };

/** Coordinators are cut off, one after another, each for longer than its lease holds. */
export function stressPlan(seed: number, sizes: Sizes = STRESS_SIZES): Plan {
  const random = seededRandom(seed);
  const plan = planOf('steady', seed, sizes);
  const faults: PlannedFault[] = [{ kind: 'network', atMs: FROM_MS, forMs: TO_MS - FROM_MS, faults: STORMY }];
  for (let atMs = FROM_MS; atMs < TO_MS - CUT_MS; atMs += 4_000)
    faults.push({
      ...{ kind: 'cut', atMs: atMs + 3_000 * random(), forMs: CUT_MS, oneWay: false },
      ...{ from: [anyOf(random, namesOf('c', sizes.coordinators))], to: namesOf('m', sizes.resourceManagers) },
    });
  return { ...plan, faults, driftMax: 0.045, calmFromMs: TO_MS + 30_000 };
}

const CUT_OFF_MS = 20_000;

/**
 * Nothing runs when the owner and half of the coordinators are cut off from all others; then long queries come everywhere. What
 * the owner deals now no successor can know of, unless a second seat does.
 */
export function cutOffOwnerPlan(seed: number): Plan {
  const sizes: Sizes = { ...STRESS_SIZES, coordinators: 4, limit: 12, queryMs: 10_000 };
  const random = seededRandom(seed);
  const plan = planOf('burst', seed, sizes);
  const atMs = 15_000 + 1_000 * random();
  const cut = (from: readonly Target[], to: readonly Target[]): PlannedFault => ({
    ...{ kind: 'cut', atMs, forMs: CUT_OFF_MS, from, to, oneWay: false },
  });
  const load = burst(random, {
    ...{ atMs: atMs + 100, coordinators: sizes.coordinators, each: sizes.limit, leaves: leavesOf(plan.config) },
    durationMs: () => 10_000,
  });
  const faults = [cut([OWNER], [OTHERS, 'c3', 'c4']), cut(['c1', 'c2'], [OTHERS])];
  return { ...plan, load, faults, calmFromMs: atMs + CUT_OFF_MS + 30_000 };
}
