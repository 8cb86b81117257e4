// Leases in the world of `npm run sim`, which runs many more seeds of them.
import { LEASE_RULES, type LeaseRules } from '@tutti/resource-groups';
import { addOutcome, noSums, type Row, rowOf } from './command/figures.js';
import { planOf, type ScenarioName, SCENARIOS, type Sizes } from './plans/scenarios.js';
import { cutOffOwnerPlan, stressPlan } from './plans/stress.js';
import { runsAll, seeds } from './testing-seeds.js';
import type { Plan } from './world/planned.js';
import { runPlan } from './world/run-plan.js';

const SIZES: Sizes = { mode: 'leased', coordinators: 8, resourceManagers: 3, limit: 64, queryMs: 2_000 };

/** Runs a scenario; throws when anything is violated. */
function rowFor(scenario: ScenarioName, count: number, sizes: Sizes = SIZES): Row {
  const sums = noSums();
  for (const seed of seeds(count)) {
    const outcome = runPlan(planOf(scenario, seed, sizes));
    addOutcome(sums, sizes.mode, seed, outcome);
    const [first] = outcome.violations;
    if (first !== undefined && sizes.mode === 'leased') throw new Error(`${JSON.stringify(first)} (REPLAY ${seed})`);
  }
  return rowOf(sizes.mode, scenario, sums);
}

describe('leased: in every scenario no group runs more than its limit, nothing is lost, nobody starves', () => {
  const counts: Partial<Record<ScenarioName, number>> = { chaos: 12, partition: 4 };
  it.each(SCENARIOS)('%s', (scenario) => {
    expect(rowFor(scenario, counts[scenario] ?? 2)).toMatchObject({ peakOverLimit: 1, violations: 0 });
  });

  it.each([1, 5])('chaos with %i resource managers', (resourceManagers) => {
    expect(rowFor('chaos', 5, { ...SIZES, resourceManagers, coordinators: 3, limit: 8 })).toMatchObject({
      violations: 0,
    });
  });
});

describe('leased, while more is asked of the groups than they have', () => {
  it.each<ScenarioName>(['steady', 'skew'])('%s: 97 %% of the slots are used, or more', (scenario) => {
    expect(rowFor(scenario, 2).utilization).toBeGreaterThanOrEqual(0.97);
  });
});

describe('an owner that ends', () => {
  it('is followed by one that deals again: within 4 s after a crash, 200 ms after a resignation', () => {
    expect(rowFor('owner-crash', 3).redealMs).toBeLessThanOrEqual(4_000);
    expect(rowFor('rolling', 3).redealMs).toBeLessThanOrEqual(200);
  });
});

describe('the world is honest', () => {
  it('by the formula of Presto a burst on 8 coordinators runs at least five times the limit', () => {
    const { peakOverLimit } = rowFor('burst', 1, { ...SIZES, mode: 'presto' });
    expect(peakOverLimit).toBeGreaterThanOrEqual(5);
  });

  it('runs the same plan the same way', () => {
    const plan = planOf('chaos', 7, { ...SIZES, coordinators: 3, limit: 8 });
    const trace = () => runPlan(plan, { traceLines: 50_000 }).trace;
    expect(trace()).toEqual(trace());
  });
});

it('an owner that is cut off with half of the coordinators deals nothing that its successor deals too', () => {
  for (const seed of seeds(3)) expect(runPlan(cutOffOwnerPlan(seed), {}).violations).toEqual([]);
});

describe('leases without one of their rules', () => {
  const small: Sizes = { ...SIZES, coordinators: 4, limit: 12, queryMs: 1_000 };
  const chaos = (seed: number): Plan => planOf('chaos', seed, small);
  const planted: Record<string, { rules: Partial<LeaseRules>; breaks: string; plan: (seed: number) => Plan }> = {
    'take every grant for an answer to the last demand (ignore ackSeq)': {
      ...{ rules: { answersLast: () => true }, breaks: 'A1', plan: chaos },
    },
    'have two demands in flight': {
      rules: { demandsInFlightMax: 2, answersLast: (ackSeq, lastSeq) => ackSeq >= lastSeq - 1 },
      ...{ breaks: 'A1', plan: chaos },
    },
    'begin with an empty book after a takeover': { rules: { takesOver: false }, breaks: 'A1', plan: chaos },
    'copy no increase to a second seat': { rules: { copiesIncreases: false }, breaks: 'A1', plan: cutOffOwnerPlan },
    'free what has expired without evidence': { rules: { needsEvidence: false }, breaks: 'A1', plan: stressPlan },
    'count from receipt, so by the time of another machine': {
      ...{ rules: { countsFrom: (_, receivedAt) => receivedAt }, breaks: 'A4', plan: stressPlan },
    },
  };

  it.each(Object.entries(planted))('that %s are caught within 200 seeds', (_, { rules, breaks, plan }) => {
    const bugs = { leaseRules: { ...LEASE_RULES, ...rules } };
    const isCaught = (seed: number): boolean =>
      runPlan(plan(seed), { bugs, stopsAtViolation: true }).violations.some(({ rule }) => rule === breaks);
    if (runsAll) expect(seeds(200).some(isCaught)).toBe(true);
  });
});
