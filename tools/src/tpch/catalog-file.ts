import type { GeneratedTables } from './generate.js';
import { TABLE_COMMENTS, TABLE_NAMES, TABLES } from './schema.js';

/** The name of the file is the name of the catalog. */
export const CATALOG_FILE = 'tpch.json';

/** The catalog of generated data: what `tpch.json` says. Its paths are relative to the directory that it lies in. */
export function tpchCatalog(scale: number, tables: GeneratedTables): unknown {
  const entries = TABLE_NAMES.map((table) => [
    table,
    {
      comment: TABLE_COMMENTS[table],
      format: 'parquet',
      files: tables[table].map(({ path }) => path),
      rows: tables[table].reduce((sum, { rows }) => sum + rows, 0),
      columns: TABLES[table],
    },
  ]);
  return {
    comment: `TPC-H data at scale factor ${scale}, generated.`,
    schemas: { main: { tables: Object.fromEntries(entries) as unknown } },
  };
}
