// What a plan was cut into. A plan that is used again (plan-cache.ts) meets the same facts again as long as its files are the same,
// and cutting is most of what its coordinator computes for it.
//   C1. cut() is pure: what it gave for settings and facts holds for as long as the plan does.
//   C2. At most CUTS_MAX cuts of a plan are held, of at most SQL_LENGTH_MAX each; what came first goes first.
import {
  type CutOutcome,
  type CutSettings,
  cut,
  pruneSplits,
  type Split,
  type Stage,
  type StageFacts,
} from '@tutti/sql';
import type { DistributedPlan } from './core/query-work.js';
import { tableSizes } from './explain.js';

export const CUTS_MAX = 8;
const SQL_LENGTH_MAX = 64 << 10;

type Scan = Stage['scans'][number];

export class PlanCuts {
  private static readonly all = new WeakMap<DistributedPlan, PlanCuts>();

  readonly tables;
  private readonly sizes;
  private readonly cuts = new Map<string, CutOutcome>();
  private readonly splits = new WeakMap<Scan, readonly Split[]>();

  private constructor(private readonly plan: DistributedPlan) {
    this.sizes = tableSizes(plan.tables);
    this.tables = new Map(plan.tables.map((table) => [table.table, table]));
  }

  static of(plan: DistributedPlan): PlanCuts {
    const known = PlanCuts.all.get(plan) ?? new PlanCuts(plan);
    PlanCuts.all.set(plan, known);
    return known;
  }

  /** What is next when `facts` are known (C1). */
  next(facts: ReadonlyMap<string, StageFacts>, settings: CutSettings): CutOutcome {
    const key = JSON.stringify([settings, [...facts]]);
    const known = this.cuts.get(key);
    if (known !== undefined) return known;
    const outcome = cut(this.plan.node, facts, settings, this.sizes);
    if (sqlLength(outcome) <= SQL_LENGTH_MAX) this.cuts.set(key, outcome);
    for (const oldest of this.cuts.keys()) if (this.cuts.size > CUTS_MAX) this.cuts.delete(oldest); // C2
    return outcome;
  }

  /** The splits that the bounds of a scan leave. */
  splitsOf(scan: Scan): readonly Split[] {
    const known = this.splits.get(scan);
    if (known !== undefined) return known;
    const splits = pruneSplits(this.tables.get(scan.table)?.splits ?? [], scan.columns, scan.bounds);
    this.splits.set(scan, splits);
    return splits;
  }
}

function sqlLength(outcome: CutOutcome): number {
  if (outcome.kind === 'whole') return 0;
  const stages = outcome.kind === 'final' ? [outcome.stage] : outcome.stages;
  return stages.reduce((sum, { sql }) => sum + sql.length, 0);
}
