// The plan by which a query can be cut into stages, or why none is made.
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { invariant } from '@tutti/base';
import type { Session } from '@tutti/sql';
import { readDuckdbError } from '../duckdb/duckdb-error.js';
import type { EnginePlan, ScanTable } from '../engine.js';
import { type PlanScan, scansOf } from './plan-scans.js';
import type { PlanningConnection } from './planning-connection.js';
import type { PlanningTables } from './planning-tables.js';
import type { StubbedTable } from './stub-table.js';
import type { TableSplits } from './table-splits.js';

/** With `auto`, queries that read no more than this in all run whole: they are done before other workers have begun. */
export const SMALL_ROWS = 20_000;
/** Longer plans come from constants that are computed while planning, such as lists of a million numbers. */
const PLAN_LENGTH_MAX = 4 << 20;
/** Statistics of all splits of a plan, which travel to the coordinator with it. */
const RANGES_MAX = 50_000;

/**
 * Optimisers that put into a plan what cannot be written as SQL again, or what a bug of 1.5.6 cannot serialise (column_lifetime:
 * bindings are resolved before types are refreshed). Executors keep them all.
 */
export const DISABLED_OPTIMIZERS = [
  ...['column_lifetime', 'compressed_materialization', 'join_filter_pushdown', 'late_materialization'],
  ...['row_group_pruner', 'in_clause', 'sampling_pushdown', 'top_n_window_elimination', 'window_self_join'],
];

export const SERIALIZE_PLAN = `SELECT CASE WHEN strlen(p) <= ${PLAN_LENGTH_MAX} THEN p END
  FROM (SELECT json_serialize_plan($1::VARCHAR, skip_null := true, optimize := true)::VARCHAR AS p)`;

export interface PlanRequest {
  readonly sql: string;
  readonly distribution: Session['distribution'];
  /** All tables that the statement can touch. */
  readonly tables: readonly StubbedTable[];
}

export class DistributionPlanner {
  constructor(
    private readonly tables: Pick<PlanningTables, 'byStub'>,
    private readonly splits: TableSplits,
  ) {}

  /** Rejects with TaskError when files of a table cannot be read, and when the statement was interrupted. */
  async plan(request: PlanRequest, leased: PlanningConnection, signal: AbortSignal): Promise<EnginePlan> {
    const reason = notWorthIt(request);
    if (reason !== undefined) return whole(reason);
    try {
      const [planJson, explained] = await bothOf(
        serialized(leased.serializePlan, request.sql),
        explainJson(leased.explainer, request.sql),
      );
      if (planJson === undefined) return whole('its plan is too long');
      const problem = problemOf(planJson);
      if (problem !== undefined) return whole(`the engine cannot write down its plan: ${problem}`);
      return await this.withTables(planJson, explained);
    } catch (error) {
      // An interrupted statement has no plan, and files that cannot be read are no matter of the plan.
      if (signal.aborted || (error instanceof Error && error.name === 'TaskError')) throw error;
      return whole(`the engine cannot write down its plan: ${shortened(readDuckdbError(error).message)}`);
    }
  }

  private async withTables(planJson: string, explained: string): Promise<EnginePlan> {
    const scans = scansOf(planJson);
    const known = scans.flatMap((scan) => {
      const table = this.tables.byStub(scan.stubPath);
      return table === undefined ? [] : [{ scan, table }];
    });
    if (known.length < scans.length) return whole('it reads something else than tables');
    if (known.length === 0) return whole('no table is read');
    for (const { scan, table } of known) {
      const column = hugeColumn(scan, table);
      if (column !== undefined) return whole(column);
    }
    const found = await Promise.all(known.map(({ scan, table }) => this.scanTable(scan, table)));
    const isProvisional = found.some((table) => table.isProvisional);
    const tables = withinBudget(found.map(({ scan }) => scan));
    return { kind: 'plan', planJson, explainJson: explained, tables, isProvisional };
  }

  private async scanTable({ stubPath, columns }: PlanScan, table: StubbedTable) {
    const { files: _files, ...reader } = table.reader;
    const names = new Set([...columns].flatMap((index) => reader.columns[index]?.name ?? []));
    const { rows, splits, isProvisional } = await this.splits.find(table, names);
    const name = `${reader.catalog}.${reader.schema}.${reader.name}`;
    const scan: ScanTable = { table: name, stubPath, reader, columns: reader.columns, rows, splits };
    return { scan, isProvisional };
  }
}

const whole = (reason: string): EnginePlan => ({ kind: 'whole', reason });

function notWorthIt({ distribution = 'auto', tables }: PlanRequest): string | undefined {
  if (distribution === 'single') return 'the session asks for one worker (distribution = single)';
  if (tables.length === 0) return 'no table is read';
  const rows = Math.round(tables.reduce((sum, table) => sum + table.rows, 0));
  if (distribution === 'forced' || rows > SMALL_ROWS) return undefined;
  return `small input: its tables have ${rows} rows in all`;
}

async function serialized(statement: DuckDBPreparedStatement, sql: string): Promise<string | undefined> {
  statement.bindVarchar(1, sql);
  const rows = await (await statement.run()).getRows();
  invariant(rows.length === 1, 'one statement has one plan');
  const text = rows[0]?.[0];
  return typeof text === 'string' ? text : undefined;
}

/** The optimised plan of a statement as EXPLAIN has it, with the rows that are expected. */
export async function explainJson(connection: DuckDBConnection, sql: string): Promise<string> {
  const rows = await (await connection.run(`EXPLAIN (FORMAT json) ${sql}`)).getRows();
  return String(rows[0]?.[1] ?? '');
}

/** Both, or the first one's error. Neither is under way any more when it settles. */
async function bothOf<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

/** Why the engine gave no plan, when it says so instead of failing. */
function problemOf(planJson: string): string | undefined {
  if (!planJson.startsWith('{"error":true')) return undefined;
  const { error_message: message } = JSON.parse(planJson) as { error_message?: string };
  return shortened(message ?? 'no reason is given');
}

/**
 * Stub files are Parquet, which has no type for HUGEINT: in plans such columns are DOUBLE, and as these they would go from stage
 * to stage. Only CSV and JSON tables can have them.
 */
function hugeColumn({ columns }: PlanScan, { reader }: StubbedTable): string | undefined {
  const found = reader.columns.find(({ type }, index) => columns.has(index) && type.includes('HUGEINT'));
  return found && `column "${found.name}" of ${reader.name} is ${found.type}, which does not go from stage to stage`;
}

/** Without statistics splits are read that could be left out, which is slower and never wrong. */
function withinBudget(tables: readonly ScanTable[]): readonly ScanTable[] {
  let left = RANGES_MAX;
  return tables.map((table) => {
    left -= table.splits.reduce((sum, { ranges }) => sum + Object.keys(ranges).length, 0);
    return left >= 0 ? table : { ...table, splits: table.splits.map((split) => ({ ...split, ranges: {} })) };
  });
}

const MESSAGE_LENGTH_MAX = 120;

const shortened = (message: string): string => {
  const line = (message.split('\n')[0] ?? '').replace(/[.!\s]+$/, '');
  return line.length > MESSAGE_LENGTH_MAX ? `${line.slice(0, MESSAGE_LENGTH_MAX)}...` : line;
};
