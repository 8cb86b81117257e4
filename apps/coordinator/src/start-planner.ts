import { join } from 'node:path';
import { CatalogError, createDuckdbPlanner, type Planner } from '@tutti/engine';
import { ConfigError, type Log } from '@tutti/service';
import type { Catalog } from '@tutti/sql';
import { PlanCache } from './plan-cache.js';

/** Starts the planner, which looks at every table first. Throws ConfigError with everything that is wrong with them. */
export async function startPlanner(options: {
  readonly catalogs: readonly Catalog[];
  readonly scratchDirectory: string;
  /** Where this program is: the planner program lies beside it. */
  readonly directory: string;
  readonly log: Log;
}): Promise<Planner> {
  const { directory, ...rest } = options;
  try {
    return new PlanCache(await createDuckdbPlanner({ ...rest, plannerPath: join(directory, 'planner.mjs') }));
  } catch (error) {
    if (error instanceof CatalogError) throw new ConfigError(error.problems);
    throw error;
  }
}
