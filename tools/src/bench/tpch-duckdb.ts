import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TABLE_NAMES } from '../tpch/schema.js';

/** What the two cores of the workers have together. */
export const DUCKDB_THREADS = 2;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Gives a new database over the same files to `use`. A new one each time: that is what one query on one process costs. */
export async function withDuckdb<T>(
  directory: string,
  use: (connection: DuckDBConnection) => Promise<T>,
  threads = DUCKDB_THREADS,
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: `${threads}` });
  const connection = await instance.connect();
  try {
    for (const table of TABLE_NAMES) {
      const files = readdirSync(join(directory, table)).sort();
      const paths = files.map((file) => literal(join(directory, table, file))).join(', ');
      await connection.run(`CREATE VIEW ${table} AS SELECT * FROM read_parquet([${paths}])`);
    }
    return await use(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The rows of a statement, as plain values. */
export async function duckdbRows(connection: DuckDBConnection, statement: string): Promise<unknown[][]> {
  return (await (await connection.run(statement)).getRowsJson()) as unknown[][];
}

/** Rows as they are compared: in any order, numbers by nine digits, since sums of parts differ in the last ones. */
export function comparable(rows: readonly (readonly unknown[])[]): string {
  return rows
    .map((row) => JSON.stringify(row.map(plain)))
    .sort()
    .join('\n');
}

function plain(value: unknown): unknown {
  const isNumeric =
    typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(value));
  return isNumeric ? Number(value).toPrecision(9) : value;
}
