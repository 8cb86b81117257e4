import type { DuckDBConnection } from '@duckdb/node-api';
import { tableName } from '../duckdb/reader-sql.js';
import { identifier, literal } from '../duckdb/sql-text.js';
import type { CheckedTable } from './catalog-check.js';

/** A table that has a stub for planning. */
export interface StubbedTable extends CheckedTable {
  /** The stub, by which plans name the table. */
  readonly stubPath: string;
}

/** Types that a Parquet file keeps as they are; columns of others are cast back by the view. */
const KEPT =
  /^(BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|VARCHAR|BLOB|DATE|TIME|TIMESTAMP|TIMESTAMP WITH TIME ZONE|UUID)$/;

/** Writes the file of a stub: the table's columns, and no rows. */
export async function writeStub(connection: DuckDBConnection, { reader, stubPath }: StubbedTable): Promise<void> {
  const nulls = reader.columns.map(({ name, type }) => `NULL::${type} AS ${identifier(name)}`);
  await connection.run(`COPY (SELECT ${nulls.join(', ')} LIMIT 0) TO ${literal(stubPath)} (FORMAT parquet)`);
}

/**
 * Makes a table for planning, or makes it anew: a view over its stub, which is said to have as many rows as the real table. The
 * optimiser then plans as if it had the data, and no statement can reach the data.
 */
export async function createStubView(connection: DuckDBConnection, table: StubbedTable): Promise<void> {
  const { reader, rows, stubPath } = table;
  const columns = reader.columns.map(({ name, type }) =>
    KEPT.test(type) ? identifier(name) : `${identifier(name)}::${type} AS ${identifier(name)}`,
  );
  const source = `read_parquet(${literal(stubPath)}, explicit_cardinality = ${Math.max(1, Math.round(rows))})`;
  await connection.run(`CREATE OR REPLACE VIEW ${tableName(reader)} AS SELECT ${columns.join(', ')} FROM ${source}`);
}
