import type { ScanBound, StageScan } from '../stages/stage.js';
import { orderedValue } from './ordered-value.js';
import type { Split } from './split.js';

interface KnownBound {
  readonly column: string;
  readonly type: string;
  readonly comparison: ScanBound['comparison'];
  readonly value: bigint;
}

/**
 * The splits that may have rows for which all bounds hold, as their statistics tell. Numbers, DECIMAL, DATE and TIMESTAMP are
 * compared; a bound on anything else, or on a column without statistics, leaves every split.
 */
export function pruneSplits(
  splits: readonly Split[],
  columns: StageScan['columns'],
  bounds: readonly ScanBound[],
): readonly Split[] {
  const known = bounds.flatMap((bound) => knownBound(bound, columns));
  if (known.length === 0) return splits;
  return splits.filter((split) => known.every((bound) => mayHold(split, bound)));
}

function knownBound({ column, comparison, value }: ScanBound, columns: StageScan['columns']): KnownBound[] {
  const found = columns[column];
  if (found === undefined) return [];
  const ordered = orderedValue(value, found.type.sql);
  return ordered === undefined ? [] : [{ column: found.name, type: found.type.sql, comparison, value: ordered }];
}

function mayHold({ ranges }: Split, { column, type, comparison, value }: KnownBound): boolean {
  const range = ranges[column];
  const min = range && orderedValue(range.min, type);
  const max = range && orderedValue(range.max, type);
  if (min === undefined || max === undefined) return true;
  switch (comparison) {
    case '=':
      return min <= value && value <= max;
    case '<':
      return min < value;
    case '<=':
      return min <= value;
    case '>':
      return max > value;
    case '>=':
      return max >= value;
  }
}
