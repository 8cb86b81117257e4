import { planOf, type ScenarioName, type Sizes } from '../plans/scenarios.js';
import { runPlan } from '../world/run-plan.js';
import { addOutcome, noSums, type Sums } from './figures.js';

/** Some runs of one scenario. */
export interface Chunk {
  readonly scenario: ScenarioName;
  readonly sizes: Sizes;
  readonly firstSeed: number;
  readonly seeds: number;
}

export function runSeeds({ scenario, sizes, firstSeed, seeds }: Chunk): Sums {
  const sums = noSums();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++)
    addOutcome(sums, sizes.mode, seed, runPlan(planOf(scenario, seed, sizes)));
  return sums;
}
