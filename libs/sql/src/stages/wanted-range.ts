// The range of a finished side of a join, for the scans of the other side. Only of types whose text is the value itself.
import type { PlanType } from '../plan/plan.js';
import type { ClosedStage, Fragment, WantedRange } from './fragment.js';
import { otherSide, type Side } from './join-kind.js';
import type { Join } from './join-sql.js';

const EXACT_TYPES = new Set([
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'DATE',
  'DECIMAL',
]);

const isExact = ({ id }: PlanType): boolean => EXACT_TYPES.has(id);

/** The probe side of a join with what is wanted of it: rows that may match those of the finished stage. */
export function wantRanges(probe: Fragment, { conditions }: Join, side: Side, { facts }: ClosedStage): Fragment {
  let wanted = probe;
  for (const condition of conditions) {
    const [own, other] = [condition[side], condition[otherSide(side)]];
    if (condition.comparison !== '=' || own.kind !== 'column' || other.kind !== 'column') continue;
    const range = facts?.ranges[other.index];
    if (range === undefined || own.type.sql !== other.type.sql || !isExact(own.type)) continue;
    wanted = withRange(wanted, own.index, { ...range, type: own.type });
  }
  return wanted;
}

/** F3: the range goes to the scan from which the column comes. */
function withRange(fragment: Fragment, column: number, range: Omit<WantedRange, 'column'>): Fragment {
  const origin = fragment.origins[column];
  if (origin === undefined) return fragment;
  const scans = fragment.scans.map((scan) =>
    scan.number === origin.scan ? { ...scan, wanted: [...scan.wanted, { ...range, column: origin.column }] } : scan,
  );
  return { ...fragment, scans };
}
