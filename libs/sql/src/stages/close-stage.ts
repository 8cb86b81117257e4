// Turns an open fragment into a stage: numbers its inputs, writes wanted ranges into its scans, and encodes its columns
// for the exchange.
import { fromCarrier, toCarrier } from '../plan/exchange-type.js';
import { carrierType } from './carrier-type.js';
import { expressionSql } from '../plan/expression-sql.js';
import type { PlanExpression, PlanType } from '../plan/plan.js';
import type { ClosedStage, Fragment, OpenScan } from './fragment.js';
import type { Stage, StageScan } from './stage.js';
import { column, replaceMarks, safeText, selectFrom, where } from './stage-sql.js';
import { partitionsForRows, type TaskSettings, tasksForPartitions, tasksForRows } from './task-count.js';

const BOOLEAN: PlanType = { sql: 'BOOLEAN', id: 'BOOLEAN', children: [] };

export type StageOutput =
  | { readonly kind: 'files' }
  /** Equal values of `keys`, which are expressions over the fragment's columns, go to one partition. */
  | { readonly kind: 'partitioned'; readonly keys: readonly PlanExpression[] }
  | { readonly kind: 'result' };

/** The stage of a fragment. */
export function stageOf(fragment: Fragment, id: string, output: StageOutput, settings: TaskSettings): Stage {
  const { types } = fragment;
  const isResult = output.kind === 'result';
  const wide = types.length === 0 ? [BOOLEAN] : types;
  const items = types.length === 0 ? ['true'] : types.map((type, index) => written(column(index), type, isResult));
  const scanNumbers = numbers(fragment.scans);
  const readNumbers = numbers(fragment.reads);
  const scans = new Map(fragment.scans.map((scan) => [scan.number, scan]));
  const sql = replaceMarks(withCommons(fragment, selectFrom(items, fragment.sql)), (kind, number) => {
    if (kind === 'read') return `{{read:${readNumbers.get(number)}}}`;
    return scanText(scans.get(number), `{{scan:${scanNumbers.get(number)}}}`);
  });
  return {
    id,
    sql,
    types: isResult ? wide : wide.map(carrierType),
    scans: fragment.scans.map((scan, number) => stageScan(scan, number)),
    reads: fragment.reads.map(({ stage, share }, number) => ({
      number,
      stageId: stage.stage.id,
      share,
      types: stage.stage.types,
    })),
    tasks: taskCount(fragment, settings),
    output: writtenOutput(output, types, partitionsForRows(fragment.estimatedRows, settings)),
    estimatedRows: Math.max(0, Math.round(fragment.estimatedRows)),
    operators: fragment.operators,
    distribution: distributionText(output, fragment),
  };
}

function withCommons({ commons }: Fragment, sql: string): string {
  const texts = commons.map((common) => `${common.name} AS MATERIALIZED (${common.sql})`);
  return texts.length === 0 ? sql : `WITH ${texts.join(', ')} ${sql}`;
}

/** A column as it stands in exchange files. */
export const read = (sql: string, type: PlanType): string => safeText(fromCarrier(sql, type));

const written = (sql: string, type: PlanType, isResult: boolean): string =>
  isResult ? sql : safeText(toCarrier(sql, type));

const numbers = (inputs: readonly { readonly number: number }[]): ReadonlyMap<number, number> =>
  new Map(inputs.map(({ number }, index) => [number, index]));

function scanText(scan: OpenScan | undefined, placeholder: string): string {
  if (scan === undefined || (scan.wanted.length === 0 && scan.ranges === undefined)) return placeholder;
  const conditions = scan.wanted.map(
    ({ column: index, min, max, type }) => `${column(index)} BETWEEN ${literal(min, type)} AND ${literal(max, type)}`,
  );
  if (scan.ranges !== undefined) conditions.push(placeholder.replace('scan', 'range'));
  return `(SELECT t.* FROM ${placeholder} AS t${where(conditions)})`;
}

const literal = (text: string, type: PlanType): string =>
  safeText(`CAST('${text.replaceAll("'", "''")}' AS ${type.sql})`);

function stageScan({ table, columns, share, bounds, wanted, ranges: keys }: OpenScan, number: number): StageScan {
  const ranges = wanted.flatMap(({ column: index, min, max }) => [
    { column: index, comparison: '>=' as const, value: min },
    { column: index, comparison: '<=' as const, value: max },
  ]);
  const divided = keys && { column: keys.column, type: keys.type, cuts: keys.cuts };
  return { number, table, columns, share, bounds: [...bounds, ...ranges], ...(divided && { ranges: divided }) };
}

function taskCount({ distribution, scans, reads }: Fragment, settings: TaskSettings): number {
  if (distribution.kind !== 'divided') return 1;
  const divided = {
    scans: scans.filter(({ share }) => share === 'own'),
    reads: reads.filter(({ share }) => share !== 'all'),
  };
  const counts = [...divided.scans.map(({ rows }) => rows), ...divided.reads.map(({ stage }) => stage.rows)];
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const partitions = divided.reads.flatMap(({ share, stage }) => (share === 'partition' ? partitionsOf(stage) : []));
  if (partitions.length > 0) return tasksForPartitions(rows, partitions, settings);
  const tasks = tasksForRows(rows, settings);
  if (divided.reads.length > 0) return tasks;
  return Math.max(
    1,
    Math.min(
      tasks,
      Math.max(
        0,
        ...divided.scans.map(({ splits, ranges }) => (ranges === undefined ? splits : ranges.cuts.length + 1)),
      ),
    ),
  );
}

const partitionsOf = ({ stage: { output } }: ClosedStage): number =>
  output.kind === 'partitioned' ? output.partitions : 1;

function writtenOutput(output: StageOutput, types: readonly PlanType[], partitions: number): Stage['output'] {
  if (output.kind !== 'partitioned') return output;
  const key = (expression: PlanExpression): string =>
    safeText(expressionSql(expression, (index) => fromCarrier(`c${index}`, types[index] ?? BOOLEAN)));
  return { kind: 'partitioned', keys: output.keys.map(key), partitions };
}

function distributionText(output: StageOutput, { distribution }: Fragment): string {
  if (output.kind === 'files') return 'files';
  if (output.kind === 'result') return distribution.kind === 'divided' ? 'result of all tasks' : 'result';
  const names = output.keys.map((key) => safeText(expressionSql(key, (index) => `c${index}`)));
  return `hash (${names.join(', ')})`;
}
