// What one task of a stage reads of scans that are divided by ranges of keys.
//   R3. Range r of n is read by task r; where there are fewer tasks, by one that has its neighbours too. Every range is read by one
//       task, and that of a key is the same for all scans of a stage.
import { orderedValue } from '../splits/ordered-value.js';
import type { Split } from '../splits/split.js';
import type { ScanBound, Stage, StageScan } from './stage.js';
import { safeText } from './stage-sql.js';

type Ranges = NonNullable<StageScan['ranges']>;

/** The ranges that a task reads: from the first one, before the last one. */
function rangesOfTask(
  { cuts }: Ranges,
  index: number,
  tasks: number,
): { readonly first: number; readonly end: number } {
  const count = cuts.length + 1;
  const used = Math.min(tasks, count);
  if (index >= used) return { first: count, end: count };
  return { first: Math.ceil((index * count) / used), end: Math.ceil(((index + 1) * count) / used) };
}

/** What holds for all rows that a task reads of such a scan; undefined when it reads none. */
export function boundsOfTask({ ranges }: StageScan, index: number, tasks: number): readonly ScanBound[] | undefined {
  if (ranges === undefined) return [];
  const { first, end } = rangesOfTask(ranges, index, tasks);
  if (first === end) return undefined;
  const [from, to] = [ranges.cuts[first - 1], ranges.cuts[end - 1]];
  const { column } = ranges;
  return [
    ...(from === undefined ? [] : [{ column, comparison: '>=' as const, value: from }]),
    ...(to === undefined ? [] : [{ column, comparison: '<' as const, value: to }]),
  ];
}

/** Whether statistics tell that all rows of the splits are within bounds. */
export function isWithin(splits: readonly Split[], { columns }: StageScan, bounds: readonly ScanBound[]): boolean {
  return bounds.every(({ column, comparison, value }) => {
    const { name, type } = columns[column] ?? {};
    const bound = type && orderedValue(value, type.sql);
    if (name === undefined || type === undefined || bound === undefined) return false;
    return splits.every(({ ranges }) => {
      const range = ranges[name];
      if (range?.isFull !== true) return false;
      const found = orderedValue(comparison === '<' ? range.max : range.min, type.sql);
      return found !== undefined && (comparison === '<' ? found < bound : found >= bound);
    });
  });
}

/**
 * The SQL of a stage for one of its tasks: {{range:N}} is replaced. `isSure` tells for which scans the task has splits all rows of
 * which are in its range: a condition that always holds would only make the engine expect fewer rows.
 */
export function taskSql(
  stage: Stage,
  index: number,
  tasks: number,
  isSure: (scan: StageScan, bounds: readonly ScanBound[]) => boolean = () => false,
): string {
  return stage.sql.replaceAll(/\{\{range:(\d+)\}\}/g, (_, digits: string) => {
    const scan = stage.scans.find(({ number }) => number === Number(digits));
    const bounds = scan && boundsOfTask(scan, index, tasks);
    if (scan?.ranges === undefined || bounds === undefined) return 'false';
    if (isSure(scan, bounds)) return 'true';
    const { type } = scan.ranges;
    const texts = bounds.map(
      ({ column, comparison, value }) =>
        `t.c${column} ${comparison} CAST('${value.replaceAll("'", "''")}' AS ${safeText(type.sql)})`,
    );
    return texts.length === 0 ? 'true' : `(${texts.join(' AND ')})`;
  });
}
