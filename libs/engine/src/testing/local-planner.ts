import type { Catalog, Session } from '@tutti/sql';
import type { PlanOutcome } from '../engine.js';
import { checkCatalogs } from '../planner/catalog-check.js';
import { PlanningInstance } from '../planner/planning-instance.js';

/** A planner in this process. */
export interface LocalPlanner {
  plan(statement: string, session: Session): Promise<PlanOutcome>;
  close(): Promise<void>;
}

/** Opens a planner without a process of its own. `scratchDirectory` is an empty directory. */
export async function openLocalPlanner(catalogs: readonly Catalog[], scratchDirectory: string): Promise<LocalPlanner> {
  const tables = await checkCatalogs(catalogs);
  const instance = await PlanningInstance.open({ catalogs, tables, scratchDirectory });
  const never = new AbortController().signal;
  return {
    plan: (statement, session) => instance.plan(statement, session, never),
    close: async () => instance.close(),
  };
}
