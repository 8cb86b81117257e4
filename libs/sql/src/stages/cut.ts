// Cuts a plan into stages, as the engine of Presto adds exchanges: every operator says how the rows below it have to be
// divided, and where they are not a stage ends. Nothing is kept between two cuts.
//   K1. What cannot be cut is known at the first cut, when there are no facts: every expression is looked at by estimates first.
import { isLossless } from '../plan/exchange-type.js';
import type { PlanNode, PlanType } from '../plan/plan.js';
import type { TableSize } from '../splits/table-size.js';
import { Cutter, type CutInput } from './cutter.js';
import { stageOf } from './close-stage.js';
import { firstRowsOf } from './first-rows.js';
import { nodesOf } from './plan-nodes.js';
import type { CutOutcome, CutSettings, Stage, StageFacts, StageScan } from './stage.js';
import { NotCuttable, safeText } from './stage-sql.js';

/** More stages than this would cost more than they gain. */
export const STAGES_MAX = 100;
/** Longer SQL of one stage comes only from plans whose common parts are written out many times. */
const STAGE_SQL_LENGTH_MAX = 1_000_000;

/** Whole statements open all files of their tables, stages only what they read. */
const OPENED_SPLITS_MAX = 200;

export const FINAL_STAGE_ID = 'final';

/**
 * What is to be done next for a query of which `facts` are known. `tables` has all tables that the plan scans, by full
 * name. The columns of the final stage are called c0, c1, ..., too.
 */
export function cut(
  plan: PlanNode,
  facts: ReadonlyMap<string, StageFacts>,
  settings: CutSettings,
  tables: ReadonlyMap<string, TableSize>,
): CutOutcome {
  const next = () => refused(() => nextByFacts({ plan, facts, settings, tables }));
  if (facts.size > 0 && settings.isAdaptive) return next();
  const expected = cutByEstimates(plan, settings, tables); // K1
  if (expected.kind === 'whole') return expected;
  if (!settings.isAdaptive) return nextOf(expected.stages, facts);
  return next();
}

/** All stages of a plan, by estimates: the final one comes last. */
export type ExpectedStages =
  { readonly kind: 'cut'; readonly stages: readonly Stage[] } | { readonly kind: 'whole'; readonly reason: string };

export function cutByEstimates(
  plan: PlanNode,
  settings: CutSettings,
  tables: ReadonlyMap<string, TableSize>,
): ExpectedStages {
  return refused(() => {
    for (const type of nodesOf(plan).flatMap(({ types }) => types)) checkType(type);
    const firstRows = firstRowsOf(plan);
    if (firstRows !== undefined && firstRows <= settings.replicatedRowsMax)
      return { kind: 'whole', reason: `no more than the first ${firstRows} rows of its table are read` };
    const { stages, final } = walk({ plan, facts: new Map(), settings: { ...settings, isAdaptive: false }, tables });
    const all = final === undefined ? stages : [...stages, final];
    const scans = all.flatMap((stage) => stage.scans);
    const isDivided = scans.some(({ share }) => share === 'own');
    if (!isDivided && !scans.some((scan) => leavesOutMuch(scan, tables)))
      return { kind: 'whole', reason: wholeReason(all, settings) };
    const longest = Math.max(...all.map(({ sql }) => sql.length));
    if (all.length > STAGES_MAX) return { kind: 'whole', reason: `more than ${STAGES_MAX} stages` };
    if (longest > STAGE_SQL_LENGTH_MAX) return { kind: 'whole', reason: 'the SQL of a stage is too long' };
    return { kind: 'cut', stages: all };
  });
}

/** Whether a scan reads little of so many splits that a worker would take longer to open all files of its table. */
function leavesOutMuch({ table, columns, bounds }: StageScan, tables: ReadonlyMap<string, TableSize>): boolean {
  const size = tables.get(table);
  const left = size?.within?.(columns, bounds);
  return size !== undefined && left !== undefined && size.splits > OPENED_SPLITS_MAX && left.splits < size.splits;
}

/** K1: any column may have to travel. */
function checkType(type: PlanType): void {
  safeText(type.sql);
  if (!isLossless(type)) throw new NotCuttable(`values of type ${type.sql} cannot travel between workers`);
}

const wholeReason = (stages: readonly Stage[], { replicatedRowsMax }: CutSettings): string =>
  stages.some(({ scans }) => scans.length > 0)
    ? `small input: no table has more than ${replicatedRowsMax} rows to be read`
    : 'no table is read';

/** The stages that can run now, or the final one. */
function nextByFacts(input: CutInput): CutOutcome {
  const { stages, final } = walk(input);
  if (final !== undefined) return { kind: 'final', stage: final };
  return { kind: 'stages', stages: stages.filter(({ id }) => !input.facts.has(id)) };
}

function nextOf(stages: readonly Stage[], facts: ReadonlyMap<string, StageFacts>): CutOutcome {
  const canRun = stages.filter(({ id, reads }) => !facts.has(id) && reads.every(({ stageId }) => facts.has(stageId)));
  const final = canRun.find(({ output }) => output.kind === 'result');
  return final === undefined ? { kind: 'stages', stages: canRun } : { kind: 'final', stage: final };
}

function walk(input: CutInput): { readonly stages: readonly Stage[]; readonly final: Stage | undefined } {
  const cutter = new Cutter(input);
  const root = cutter.open(input.plan);
  const final = root && stageOf(root, FINAL_STAGE_ID, { kind: 'result' }, cutter.settings);
  return { stages: cutter.stages, final };
}

function refused<T>(attempt: () => T): T | { readonly kind: 'whole'; readonly reason: string } {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof NotCuttable) return { kind: 'whole', reason: error.message };
    throw error;
  }
}
