// How large a table is, and how large what is left of it once statistics have left out splits.
import type { ScanBound, StageScan } from '../stages/stage.js';
import { pruneSplits } from './prune-splits.js';
import type { Split } from './split.js';

export interface ScanSize {
  readonly rows: number;
  readonly splits: number;
  /** What reading all of it would take, about. */
  readonly bytes: number;
}

/** What the cut knows of a table. */
export interface TableSize extends ScanSize {
  /** All its splits; undefined when nothing is known of their values. */
  readonly parts?: readonly Split[];
  /** What has to be read for the rows that are within bounds, of columns that are numbered as in the scan; by default all of it. */
  readonly within?: (columns: StageScan['columns'], bounds: readonly ScanBound[]) => ScanSize;
}

/** The size of a table of which all splits are known. What is asked again is remembered: a plan is cut many times. */
export function tableSizeOf({ rows, splits }: { readonly rows: number; readonly splits: readonly Split[] }): TableSize {
  const all = { rows, splits: splits.length, bytes: sum(splits, ({ bytes }) => bytes) };
  const known = new Map<string, ScanSize>();
  const within = (columns: StageScan['columns'], bounds: readonly ScanBound[]): ScanSize => {
    if (bounds.length === 0) return all;
    const key = JSON.stringify(bounds.map(({ column, comparison, value }) => [columns[column], comparison, value]));
    const size = known.get(key) ?? sizeWithin(columns, bounds);
    known.set(key, size);
    return size;
  };
  const sizeWithin = (columns: StageScan['columns'], bounds: readonly ScanBound[]): ScanSize => {
    const left = pruneSplits(splits, columns, bounds);
    return left.length === splits.length ? all : sizeOf(left);
  };
  return { ...all, within, parts: splits };
}

const sizeOf = (splits: readonly Split[]): ScanSize => ({
  rows: sum(splits, ({ rows }) => rows),
  splits: splits.length,
  bytes: sum(splits, ({ bytes }) => bytes),
});

const sum = (splits: readonly Split[], figure: (split: Split) => number): number =>
  splits.reduce((total, split) => total + figure(split), 0);
