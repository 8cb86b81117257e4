import { join } from 'node:path';
import { createDuckdbPlanner, type Planner } from '@tutti/engine';
import type { Log } from '@tutti/service';
import type { Catalog } from '@tutti/sql';
import { PlanCache } from './plan-cache.js';

/** Starts the planner, which looks at every table first and logs those that cannot be read. */
export async function startPlanner(options: {
  readonly catalogs: readonly Catalog[];
  readonly scratchDirectory: string;
  /** Where this program is: the planner program lies beside it. */
  readonly directory: string;
  readonly log: Log;
}): Promise<Planner> {
  const { directory, ...rest } = options;
  return new PlanCache(await createDuckdbPlanner({ ...rest, plannerPath: join(directory, 'planner.mjs') }));
}
