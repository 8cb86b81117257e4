import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '@tutti/base';
import type { Log } from '@tutti/service';
import type { Catalog } from '@tutti/sql';
import type { Planner } from '../engine.js';
import { inUse, removeLeftovers } from '../leftovers.js';
import { IsolatedPlanner } from './isolated-planner.js';

export interface DuckdbPlannerOptions {
  readonly catalogs: readonly Catalog[];
  readonly log: Log;
  /** For the planner's own files, in a directory of their own that goes with the planner. */
  readonly scratchDirectory: string;
  /** The planner program: a file that calls runPlannerProcess(). */
  readonly plannerPath: string;
  /** A statement that takes longer to plan fails. Default 5 s. */
  readonly planTimeoutMs?: number;
  /** A planner process that holds more is replaced. Default 1.25 GiB, well above what the engine accounts for. */
  readonly rssLimitBytes?: number;
  readonly clock?: Clock;
}

const PREFIX = 'tutti-planner-';

/** Starts a planner. Looks at every table of the catalogs first, and logs those that cannot be read. */
export async function createDuckdbPlanner(options: DuckdbPlannerOptions): Promise<Planner> {
  mkdirSync(options.scratchDirectory, { recursive: true });
  removeLeftovers(options.scratchDirectory, PREFIX);
  const scratchDirectory = mkdtempSync(join(options.scratchDirectory, `${PREFIX}${process.pid}-`));
  const release = inUse(scratchDirectory);
  const removeFiles = () => {
    rmSync(scratchDirectory, { recursive: true, force: true });
    release();
  };
  const planner = new IsolatedPlanner({
    planTimeoutMs: 5_000,
    rssLimitBytes: 1.25 * 2 ** 30,
    clock: systemClock,
    ...options,
    scratchDirectory,
  });
  try {
    await planner.start();
  } catch (error) {
    await planner.close();
    removeFiles();
    throw error;
  }
  return {
    plan: (statement, session, signal) => planner.plan(statement, session, signal),
    close: async () => {
      await planner.close();
      removeFiles();
    },
  };
}
