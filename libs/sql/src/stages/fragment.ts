// A fragment that is still open: operators are put onto it until its rows have to move, when it is closed to a stage.
//   F1. A replicated fragment gives the same rows in every task that runs it. A single one is right in one task only: it has
//       an operator whose choice may differ from run to run. A divided one gives its rows in all tasks together.
//   F2. `hash` of a divided fragment: rows whose values in the columns of each entry are equal are in one task, the one that
//       the hash of these values gives, or with `ranges` the one whose range of keys they are in (key-ranges.ts). An entry lists
//       columns that hold the same value.
//   F3. `origins`: dropping the rows of that scan whose value in that column is outside of a range drops exactly the rows
//       of the fragment whose value is outside of it.
//   F4. `isRowwise`: its rows are those of its scans, each looked at on its own or joined: a task that reads all of the scans has
//       all of the rows.
//   F5. `isOneRow`: there is never more than one row.
import type { PlanType } from '../plan/plan.js';
import type { KeyRanges } from './key-ranges.js';
import { allColumns, selectList } from './stage-sql.js';
import type { ScanBound, Stage, StageFacts, StageRead, StageScan } from './stage.js';

export type HashColumns = readonly ReadonlySet<number>[];

export type Distribution =
  | { readonly kind: 'replicated' }
  | { readonly kind: 'single' }
  | { readonly kind: 'divided'; readonly hash: HashColumns | undefined; readonly ranges?: string | undefined };

/** A range of values that are wanted of a column of a scan. */
export interface WantedRange {
  /** Index into the columns of the scan. */
  readonly column: number;
  readonly min: string;
  readonly max: string;
  readonly type: PlanType;
}

export interface OpenScan {
  /** The number of the plan's node: unique in the query. */
  readonly number: number;
  readonly table: string;
  readonly columns: StageScan['columns'];
  readonly share: StageScan['share'];
  readonly bounds: readonly ScanBound[];
  readonly wanted: readonly WantedRange[];
  /** Of the whole table. */
  readonly rows: number;
  readonly splits: number;
  readonly ranges: KeyRanges | undefined;
}

export interface OpenRead {
  /** Unique in the cut. */
  readonly number: number;
  readonly stage: ClosedStage;
  readonly share: StageRead['share'];
}

/** A stage, and what is known of its rows. */
export interface ClosedStage {
  readonly stage: Stage;
  readonly facts: StageFacts | undefined;
  /** As counted; as estimated where decisions are made by estimates. */
  readonly rows: number;
  /** Types of the fragment's columns; the files have one more where there are none. */
  readonly types: readonly PlanType[];
  /** By which columns its files are partitioned (F2); undefined when they are not. An entry is empty for an expression. */
  readonly hash: HashColumns | undefined;
}

export interface Origin {
  /** OpenScan.number. */
  readonly scan: number;
  readonly column: number;
}

/** Rows that the text of a fragment reads by name, more than once. */
export interface CommonRows {
  readonly name: string;
  /** A SELECT, which may read those before it. */
  readonly sql: string;
}

export interface Fragment {
  /** One SELECT with the columns c0, c1, ... and marks for its inputs. */
  readonly sql: string;
  readonly commons: readonly CommonRows[];
  readonly types: readonly PlanType[];
  readonly distribution: Distribution;
  readonly estimatedRows: number;
  readonly scans: readonly OpenScan[];
  readonly reads: readonly OpenRead[];
  readonly operators: readonly string[];
  readonly origins: readonly (Origin | undefined)[];
  /** Set when the fragment is nothing but this stage's rows. */
  readonly stored: ClosedStage | undefined;
  /** F4. */
  readonly isRowwise: boolean;
  /** F5. */
  readonly isOneRow: boolean;
}

export const REPLICATED: Distribution = { kind: 'replicated' };
export const SINGLE: Distribution = { kind: 'single' };

export const isDivided = ({ distribution }: Fragment): boolean => distribution.kind === 'divided';

export const hashOf = ({ distribution }: Fragment): HashColumns | undefined =>
  distribution.kind === 'divided' ? distribution.hash : undefined;

/** By which ranges of keys the rows are divided; undefined when they are divided in another way. */
export const rangesOf = ({ distribution }: Fragment): string | undefined =>
  distribution.kind === 'divided' ? distribution.ranges : undefined;

/** Where each output column comes from: an index into the input's columns, or undefined for a computed one. */
export type ColumnMap = readonly (number | undefined)[];

export function mapHash(hash: HashColumns | undefined, map: ColumnMap): HashColumns | undefined {
  if (hash === undefined) return undefined;
  const mapped = hash.map(
    (columns) => new Set(map.flatMap((source, index) => (source !== undefined && columns.has(source) ? [index] : []))),
  );
  return usableHash(mapped);
}

/** A hash of which a value is in no column any more cannot be compared with another one. */
export const usableHash = (hash: HashColumns): HashColumns | undefined =>
  hash.length > 0 && hash.every((columns) => columns.size > 0) ? hash : undefined;

export function mapDistribution(distribution: Distribution, map: ColumnMap): Distribution {
  return distribution.kind === 'divided' ? { ...distribution, hash: mapHash(distribution.hash, map) } : distribution;
}

export const mapOrigins = (origins: Fragment['origins'], map: ColumnMap): Fragment['origins'] =>
  map.map((source) => (source === undefined ? undefined : origins[source]));

/** What an operator changes. What it does not say stays, but for origins and `stored`, which hold for nothing else. */
export interface Change {
  readonly sql: string;
  readonly types: readonly PlanType[];
  readonly operator: string;
  readonly distribution?: Distribution;
  readonly estimatedRows?: number;
  readonly origins?: Fragment['origins'];
  /** Whether F4 stays true. */
  readonly isRowwise?: boolean;
  /** F5. Unless it says so, there may be more. */
  readonly isOneRow?: boolean;
}

export function put(on: Fragment, change: Change): Fragment {
  const { sql, types, operator } = change;
  return {
    ...on,
    sql,
    types,
    distribution: change.distribution ?? on.distribution,
    estimatedRows: change.estimatedRows ?? on.estimatedRows,
    operators: [...on.operators, operator],
    origins: change.origins ?? types.map(() => undefined),
    stored: undefined,
    isRowwise: on.isRowwise && change.isRowwise === true,
    isOneRow: change.isOneRow === true,
  };
}

/** Inputs and operators of several fragments that become one. */
export function joinInputs(
  fragments: readonly Fragment[],
): Pick<Fragment, 'commons' | 'scans' | 'reads' | 'operators'> {
  return {
    commons: [...new Map(fragments.flatMap(({ commons }) => commons).map((common) => [common.name, common])).values()],
    scans: unique(fragments.flatMap(({ scans }) => scans)),
    reads: unique(fragments.flatMap(({ reads }) => reads)),
    operators: [...new Set(fragments.flatMap(({ operators }) => operators))],
  };
}

/** The same replicated rows may be put in twice: for a common table, and for the outer side of a correlated join. */
function unique<T extends { readonly number: number }>(inputs: readonly T[]): T[] {
  return [...new Map(inputs.map((input) => [input.number, input])).values()];
}

/** Without origins: no range may reach its scans, since its text is used twice. */
export const withoutOrigins = (fragment: Fragment): Fragment => ({
  ...fragment,
  origins: fragment.types.map(() => undefined),
});

/** The same rows, to be used several times in one task and made once there. */
export function inCommon(fragment: Fragment, name: string): Fragment {
  const { sql, commons, types } = fragment;
  const columns = allColumns(types.length);
  return {
    ...withoutOrigins(fragment),
    sql: `SELECT ${selectList(columns)} FROM ${name} AS t`,
    commons: [...commons, { name, sql }],
    stored: undefined,
    isRowwise: false,
  };
}
