// Tables that are sorted by what they are joined or grouped by need not be moved: each task reads the same range of keys of all of
// them. What is sorted how is known from the statistics of the splits.
//   R1. Only keys of which no value is NULL, as statistics tell of every split: each row is in exactly one range.
//   R2. Scans with the same id have the same cuts, and keys of one type: equal keys are in one range, whatever table they are from.
import type { PlanNode, PlanType } from '../plan/plan.js';
import { orderedValue } from '../splits/ordered-value.js';
import { pruneSplits } from '../splits/prune-splits.js';
import type { TableSize } from '../splits/table-size.js';
import type { NodeOf } from './plan-nodes.js';
import { boundsOf } from './scan-bounds.js';
import { tracedKeys, type KeyColumn } from './traced-keys.js';
import { type TaskSettings, tasksForRows } from './task-count.js';

/** How a scan is divided by ranges of a column. */
export interface KeyRanges {
  /** R2. */
  readonly id: string;
  /** Index into the columns of the scan. */
  readonly column: number;
  readonly type: PlanType;
  /** Ascending: range k has the keys from cut k - 1 on, and before cut k. */
  readonly cuts: readonly string[];
}

/** A task that reads more rows than this times its share would set the pace of all. Splits that have rows of two ranges are read twice. */
const SKEW_MAX = 1.5;

type ScanNode = NodeOf<'scan'>;
type Part = NonNullable<TableSize['parts']>[number];

/** A table that is sorted by a key, nearly. */
interface SortedScan {
  readonly scan: ScanNode;
  readonly column: number;
  readonly type: PlanType;
  readonly rows: number;
  readonly parts: readonly {
    readonly min: bigint;
    readonly max: bigint;
    readonly minText: string;
    readonly rows: number;
  }[];
}

/** The scans of a plan that are divided by ranges. `isDivided` tells of a scan whether it is divided at all. */
export function keyRangesOf(
  plan: PlanNode,
  tables: ReadonlyMap<string, TableSize>,
  settings: TaskSettings,
  isDivided: (scan: ScanNode) => boolean,
): ReadonlyMap<PlanNode, KeyRanges> {
  const found = new Map<PlanNode, KeyRanges>();
  const candidates = tracedKeys(plan)
    .map(({ columns, isGrouped }) => ({
      isGrouped,
      scans: sortedScans(
        columns.filter(({ scan }) => isDivided(scan)),
        tables,
      ),
    }))
    .filter(({ scans, isGrouped }) => scans.length > 1 || (isGrouped && scans.length > 0))
    .sort((a, b) => rowsOf(b.scans) - rowsOf(a.scans));
  for (const [index, { scans, isGrouped }] of candidates.entries()) {
    const free = scans.filter(({ scan }) => !found.has(scan));
    const largest = free.reduce<SortedScan | undefined>(
      (a, b) => (a === undefined || b.rows > a.rows ? b : a),
      undefined,
    );
    if (largest === undefined) continue;
    // Few ranges may be even where many are not.
    for (const ranges of [tasksForRows(largest.rows, settings), settings.workers]) {
      const cuts = cutsOf(largest, ranges);
      const fit: readonly SortedScan[] = free.filter(
        (scan) => scan.type.sql === largest.type.sql && isEven(scan, cuts),
      );
      if (cuts.length === 0 || !fit.includes(largest) || (fit.length < 2 && !isGrouped)) continue;
      const texts = cuts.map(({ text }) => text);
      for (const { scan, column, type } of fit) found.set(scan, { id: `keys ${index}`, column, type, cuts: texts });
      break;
    }
  }
  return found;
}

const rowsOf = (scans: readonly SortedScan[]): number => scans.reduce((sum, { rows }) => sum + rows, 0);

function sortedScans(columns: readonly KeyColumn[], tables: ReadonlyMap<string, TableSize>): readonly SortedScan[] {
  const first = new Map<ScanNode, SortedScan>();
  for (const { scan, column } of columns) {
    const known = first.has(scan) ? undefined : sortedScan(scan, column, tables.get(scan.table)?.parts);
    if (known !== undefined) first.set(scan, known);
  }
  return [...first.values()];
}

/** R1. */
function sortedScan(scan: ScanNode, column: number, parts: readonly Part[] | undefined): SortedScan | undefined {
  const { name, type } = scan.columns[column] ?? {};
  if (name === undefined || type === undefined || parts === undefined || parts.length === 0) return undefined;
  const known = parts.flatMap(({ ranges }) => {
    const range = ranges[name];
    return range?.isFull === true ? [range] : [];
  });
  if (known.length < parts.length) return undefined;
  const left = pruneSplits(parts, scan.columns, boundsOf(scan.filters)).flatMap(({ rows, ranges }) => {
    const [min, max] = [
      orderedValue(ranges[name]?.min ?? '', type.sql),
      orderedValue(ranges[name]?.max ?? '', type.sql),
    ];
    return min === undefined || max === undefined ? [] : [{ min, max, minText: ranges[name]?.min ?? '', rows }];
  });
  if (left.length === 0 || known.some(({ min }) => orderedValue(min, type.sql) === undefined)) return undefined;
  left.sort((a, b) => (a.min < b.min ? -1 : a.min > b.min ? 1 : 0));
  return { scan, column, type, parts: left, rows: left.reduce((sum, { rows }) => sum + rows, 0) };
}

interface Cut {
  readonly value: bigint;
  readonly text: string;
}

/** Where splits of the largest table begin, so that few of it are read twice. */
function cutsOf({ parts, rows }: SortedScan, ranges: number): readonly Cut[] {
  const cuts: Cut[] = [];
  let before = 0;
  for (const [index, part] of parts.entries()) {
    const wanted = ((cuts.length + 1) * rows) / ranges;
    const isNearest = Math.abs(before - wanted) <= Math.abs(before + part.rows - wanted);
    const isLater = part.min > (cuts.at(-1)?.value ?? parts[0]?.min ?? part.min);
    if (index > 0 && cuts.length < ranges - 1 && isNearest && isLater)
      cuts.push({ value: part.min, text: part.minText });
    before += part.rows;
  }
  return cuts;
}

/** Whether about as much is read for each range. */
function isEven({ parts, rows }: SortedScan, cuts: readonly Cut[]): boolean {
  const read = Array.from({ length: cuts.length + 1 }, () => 0);
  for (const part of parts) {
    const first = cuts.filter(({ value }) => value <= part.min).length;
    const last = cuts.filter(({ value }) => value <= part.max).length;
    for (let range = first; range <= last; range++) read[range] = (read[range] ?? 0) + part.rows;
  }
  return Math.max(...read) <= (rows / read.length) * SKEW_MAX;
}
