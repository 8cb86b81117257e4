// What EXPLAIN says: the stages that a query would run in, or why it runs whole on one worker, and the engine's own plan. Pure.
import type { ScanTable } from '@tutti/engine';
import { explainStages, explainWhole, type TableSize, tableSizeOf } from '@tutti/sql';
import type { QueryPlan } from './core/query-work.js';
import type { DistributionSettings } from './core/stage-settings.js';

export interface ExplainInput {
  readonly plan: QueryPlan;
  readonly settings: DistributionSettings;
  /** Workers that are active now. */
  readonly workers: number;
  readonly enginePlan: readonly string[];
}

/** The lines of EXPLAIN. */
export function explainPlan({ plan, settings, workers, enginePlan }: ExplainInput): readonly string[] {
  return [...howItRuns(plan, settings, workers), '', 'Plan of the engine:', ...enginePlan];
}

function howItRuns(plan: QueryPlan, settings: DistributionSettings, workers: number): readonly string[] {
  if (plan.kind === 'whole') return explainWhole(plan.reason);
  const reason = keptWhole(settings, workers);
  if (reason !== undefined) return explainWhole(reason);
  return explainStages(plan.node, { ...settings, workers: Math.max(1, workers) }, tableSizes(plan.tables));
}

/** Why a query that could run in stages is not cut at all: the end of a sentence. Undefined when it is. */
export function keptWhole({ distribution }: DistributionSettings, workers: number): string | undefined {
  if (distribution === 'single') return 'the setting distribution is "single"';
  if (distribution === 'forced' || workers >= 2) return undefined;
  return workers === 0 ? 'no worker is active' : 'only one worker is active';
}

/** What the cut needs to know of the tables of a plan, by full name. */
export const tableSizes = (tables: readonly ScanTable[]): ReadonlyMap<string, TableSize> =>
  new Map(tables.map((table) => [table.table, tableSizeOf(table)]));
