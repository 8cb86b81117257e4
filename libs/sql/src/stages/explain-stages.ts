// The stages of a query as lines of text, the last one first, as EXPLAIN (TYPE DISTRIBUTED) of Presto shows fragments.
import type { PlanNode } from '../plan/plan.js';
import { cutByEstimates } from './cut.js';
import type { TableSize } from '../splits/table-size.js';
import type { CutSettings, ScanBound, Stage, StageRead, StageScan } from './stage.js';

/** How the statement would run, by estimates: its stages, or why it runs whole on one worker. */
export function explainStages(
  plan: PlanNode,
  settings: CutSettings,
  tables: ReadonlyMap<string, TableSize>,
): readonly string[] {
  const expected = cutByEstimates(plan, settings, tables);
  if (expected.kind === 'whole') return explainWhole(expected.reason);
  return [...expected.stages].reverse().flatMap((stage) => stageLines(stage, tables));
}

export const explainWhole = (reason: string): readonly string[] => [`Runs whole on one worker: ${reason}`];

/** The lines of one stage. */
export function stageLines(stage: Stage, tables: ReadonlyMap<string, TableSize>): readonly string[] {
  const tasks = stage.tasks === 1 ? '1 task' : `${stage.tasks} tasks`;
  return [
    `Stage ${stage.id} [${tasks}]`,
    `    Output: ${stage.distribution}, about ${stage.estimatedRows} rows`,
    `    Operators: ${stage.operators.join(' > ')}`,
    ...stage.scans.map((scan) => `    Scan: ${scanText(scan, tables)}`),
    ...stage.reads.map((read) => `    Read: ${readText(read)}`),
  ];
}

function scanText(
  { table, columns, share, bounds, ranges }: StageScan,
  tables: ReadonlyMap<string, TableSize>,
): string {
  const size = tables.get(table);
  const all = size?.splits ?? 0;
  const left = size?.within?.(columns, bounds).splits ?? all;
  const splits = `${left < all ? `${left} of ` : ''}${all} ${all === 1 ? 'split' : 'splits'}`;
  const keys = ranges === undefined ? '' : ` by ranges of ${columns[ranges.column]?.name}`;
  const how =
    share === 'own' ? `${splits} divided${keys}` : left < all ? `${splits} in every task` : 'whole in every task';
  const names = columns.map(({ name }) => name).join(', ');
  const conditions = bounds.map((bound) => boundText(bound, columns));
  return `${table} (${names}), ${how}${conditions.length === 0 ? '' : `, where ${conditions.join(' and ')}`}`;
}

const boundText = ({ column, comparison, value }: ScanBound, columns: StageScan['columns']): string =>
  `${columns[column]?.name} ${comparison} ${value}`;

const SHARES: Readonly<Record<StageRead['share'], string>> = {
  all: 'whole in every task',
  partition: 'by partition',
  own: 'file by file',
};

const readText = ({ stageId, share }: StageRead): string => `stage ${stageId}, ${SHARES[share]}`;
