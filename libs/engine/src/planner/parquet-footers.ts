import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type ColumnRange, isOrderedType } from '@tutti/sql';
import { readDuckdbError } from '../duckdb/duckdb-error.js';
import { openInstance } from '../duckdb/open-instance.js';
import { literal, literals } from '../duckdb/sql-text.js';
import { footerFault, unreadableFile } from '../duckdb/unreadable-table.js';
import type { TableReader } from '../fragment.js';
import { joinRuns, type RowRun, RUN_ROWS_MIN } from './row-runs.js';

const MEMORY_LIMIT = '256MB';

/**
 * Reads what Parquet files say of themselves, in a database of its own: the one that binds statements of users cannot open files.
 * Only statements from here run in it.
 */
export class ParquetFooters {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
  ) {}

  static async open(): Promise<ParquetFooters> {
    const instance = await openInstance({ threads: '1', memory_limit: MEMORY_LIMIT });
    const connection = await instance.connect();
    await connection.run("SET errors_as_json = true; SET TimeZone = 'UTC'");
    return new ParquetFooters(instance, connection);
  }

  /** The row groups of each file, small ones joined. Rejects with TaskError for the first file that cannot be read. */
  async read(table: TableReader, files: readonly string[]): Promise<Map<string, readonly RowRun[]>> {
    try {
      return await this.readAll(table, files);
    } catch (error) {
      if (files.length === 1) throw unreadableFile(table, files[0], footerFault(readDuckdbError(error)));
    }
    // Not every error names its file: one by one it is known.
    const found = new Map<string, readonly RowRun[]>();
    for (const file of files) for (const [path, runs] of await this.read(table, [file])) found.set(path, runs);
    return found;
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  private async readAll(table: TableReader, files: readonly string[]): Promise<Map<string, readonly RowRun[]>> {
    const ordered = table.columns.filter(({ type }) => isOrderedType(type));
    const result = await this.connection.run(metadataSql(files, ordered));
    const groups = new Map<string, Map<number, RowGroup>>(files.map((file) => [file, new Map()]));
    const names = new Map(ordered.map(({ name }) => [name.toLowerCase(), name]));
    for (const row of await result.getRows()) addRow(groups, names, row as unknown as MetadataRow);
    return new Map(
      [...groups].map(([file, byId]) => [file, joinRuns(runsOf([...byId.values()]), RUN_ROWS_MIN, ordered)]),
    );
  }
}

type MetadataRow = readonly [
  file: string,
  id: number,
  rows: number,
  bytes: number,
  column: string,
  min: string | null,
  max: string | null,
  nulls: number | null,
];

interface RowGroup {
  readonly rows: number;
  readonly bytes: number;
  readonly ranges: Record<string, ColumnRange | undefined>;
}

// Texts are left out: writers shorten their statistics. So are numbers that a file keeps as text.
function metadataSql(files: readonly string[], columns: readonly { readonly name: string }[]): string {
  const names = columns.map(({ name }) => literal(name.toLowerCase()));
  const wanted =
    names.length === 0 ? '' : ` OR (lower(path_in_schema) IN (${names.join(', ')}) AND type <> 'BYTE_ARRAY')`;
  return `SELECT file_name, row_group_id::DOUBLE, row_group_num_rows::DOUBLE,
      coalesce(nullif(row_group_compressed_bytes, 0), row_group_bytes)::DOUBLE,
      lower(path_in_schema), stats_min_value, stats_max_value, stats_null_count::DOUBLE
    FROM parquet_metadata(${literals(files)}) WHERE column_id = 0${wanted} ORDER BY file_name, row_group_id`;
}

function addRow(
  groups: ReadonlyMap<string, Map<number, RowGroup>>,
  names: ReadonlyMap<string, string>,
  [file, id, rows, bytes, column, min, max, nulls]: MetadataRow,
): void {
  const ofFile = groups.get(file);
  const group = ofFile?.get(id) ?? { rows, bytes: bytes ?? 0, ranges: {} };
  ofFile?.set(id, group);
  const name = names.get(column);
  if (name === undefined) return;
  // Two columns whose names differ by case only: nothing is said of either.
  const isKnown = !(name in group.ranges) && min !== null && max !== null;
  group.ranges[name] = isKnown ? { min, max, ...(nulls === 0 && { isFull: true }) } : undefined;
}

function runsOf(groups: readonly RowGroup[]): RowRun[] {
  let firstRow = 0;
  return groups.map((group) => {
    const run = { firstRow, ...group };
    firstRow += group.rows;
    return run;
  });
}
