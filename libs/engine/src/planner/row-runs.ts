// Row groups of Parquet files that follow each other, and what their statistics say.
import { type ColumnRange, type ColumnRanges, orderedValue, type Split } from '@tutti/sql';
import type { Column } from '../engine.js';

/** Rows of a file from one row group to another. */
export interface RowRun {
  readonly firstRow: number;
  readonly rows: number;
  readonly bytes: number;
  readonly ranges: ColumnRanges;
}

/** Smaller ones cost more to start than to read. */
export const RUN_ROWS_MIN = 65_536;

/** Joins neighbours until each run, but the last one of the file, has `rowsMin` rows. */
export function joinRuns(runs: readonly RowRun[], rowsMin: number, columns: readonly Column[]): RowRun[] {
  const joined: RowRun[] = [];
  for (const run of runs) {
    const before = joined.at(-1);
    if (before === undefined || before.rows >= rowsMin) joined.push(run);
    else joined[joined.length - 1] = join(before, run, columns);
  }
  return joined;
}

function join(a: RowRun, b: RowRun, columns: readonly Column[]): RowRun {
  const ranges: Record<string, ColumnRange> = {};
  for (const { name, type } of columns) {
    const range = union(a.ranges[name], b.ranges[name], type);
    if (range !== undefined) ranges[name] = range;
  }
  return { firstRow: a.firstRow, rows: a.rows + b.rows, bytes: a.bytes + b.bytes, ranges };
}

function union(a: ColumnRanges[string], b: ColumnRanges[string], type: string): ColumnRanges[string] {
  const least = lesser(a?.min, b?.min, type);
  const greatest = lesser(a?.max, b?.max, type);
  if (a === undefined || b === undefined || least === undefined || greatest === undefined) return undefined;
  const isFull = a.isFull === true && b.isFull === true;
  return {
    min: least === 'first' ? a.min : b.min,
    max: greatest === 'first' ? b.max : a.max,
    ...(isFull && { isFull }),
  };
}

function lesser(a: string | undefined, b: string | undefined, type: string): 'first' | 'second' | undefined {
  const [first, second] = [orderedValue(a ?? '', type), orderedValue(b ?? '', type)];
  if (first === undefined || second === undefined) return undefined;
  return first <= second ? 'first' : 'second';
}

/** A file as it is now. */
export interface FileState {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

/** The runs of a file as splits, with the statistics of `columns` only. */
export function splitsOfRuns(file: FileState, runs: readonly RowRun[], columns: ReadonlySet<string>): Split[] {
  const { path, bytes: fileBytes, mtimeMs: fileMtimeMs } = file;
  return runs.map(({ firstRow, rows, bytes, ranges }, index) => {
    const endRow = index === runs.length - 1 ? undefined : firstRow + rows;
    const named = Object.entries(ranges).filter(([name]) => columns.has(name));
    return { path, fileBytes, fileMtimeMs, firstRow, endRow, rows, bytes, ranges: Object.fromEntries(named) };
  });
}

/** The whole file as one split, of which only a number of rows is guessed. */
export function splitOfFile(file: FileState, rows: number): Split {
  const { path, bytes, mtimeMs } = file;
  const whole = { firstRow: 0, endRow: undefined, rows, bytes, ranges: {} };
  return { path, fileBytes: bytes, fileMtimeMs: mtimeMs, ...whole };
}
