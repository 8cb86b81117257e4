// Why a stage that the planner could bind cannot be bound to the files of one task.
import type { DuckDBConnection } from '@duckdb/node-api';
import { typeName } from '../duckdb/column-type-name.js';
import { readerCall } from '../duckdb/reader-sql.js';
import { identifier } from '../duckdb/sql-text.js';
import { unreadableFile } from '../duckdb/unreadable-table.js';
import type { TaskError } from '../engine.js';
import type { StageTaskFragment } from '../stage-fragment.js';

/** Files that are looked at. It happens after an error only, and each costs the reading of a footer. */
const FILES_MAX = 200;

type Scan = StageTaskFragment['scans'][number];

/**
 * The first Parquet file that has not the columns which its table declares; undefined when there is none, so that something else
 * is the matter. The types of CSV and JSON are those of the catalog in every file.
 */
export async function otherColumns(
  connection: DuckDBConnection,
  { scans }: Pick<StageTaskFragment, 'scans'>,
): Promise<TaskError | undefined> {
  const looked = new Set<string>();
  for (const scan of scans) {
    if (scan.source.format !== 'parquet' || scan.columns.length === 0) continue;
    const wanted = await columnsOf(connection, `SELECT ${wantedOf(scan)}`);
    for (const { path } of scan.parts) {
      if (looked.has(path) || looked.size >= FILES_MAX) continue;
      looked.add(path);
      const found = await columnsOf(connection, `SELECT * FROM ${readerCall({ ...scan.source, files: [path] })}`);
      for (const [name, type] of wanted) {
        const is = found.get(name);
        if (is === type) continue;
        const problem = is === undefined ? `it has no column "${name}"` : `its column "${name}" is ${is}, not ${type}`;
        return unreadableFile({ ...scan.source, files: [] }, path, `${problem}, as the catalog declares`);
      }
    }
  }
  return undefined;
}

const wantedOf = ({ columns }: Scan): string =>
  columns.map(({ name, nullSql }) => `${nullSql} AS ${identifier(name)}`).join(', ');

/** Types by name; names are the same in any case. */
async function columnsOf(connection: DuckDBConnection, sql: string): Promise<Map<string, string>> {
  const prepared = await connection.prepare(sql);
  const columns = new Map<string, string>();
  for (let index = 0; index < prepared.columnCount; index++)
    columns.set(prepared.columnName(index).toLowerCase(), typeName(prepared.columnType(index)));
  prepared.destroySync();
  return columns;
}
