import type { DuckDBConnection } from '@duckdb/node-api';
import type { Catalog, CatalogColumn, CatalogTable } from '@tutti/sql';
import { headerProblem } from '../duckdb/csv-header.js';
import { readDuckdbError } from '../duckdb/duckdb-error.js';
import { openInstance } from '../duckdb/open-instance.js';
import { readerCall, tableSelect } from '../duckdb/reader-sql.js';
import { literal } from '../duckdb/sql-text.js';
import { fault } from '../duckdb/unreadable-table.js';
import type { TableReader } from '../fragment.js';
import { tableFiles } from './table-files.js';

/** A table whose files have been looked at. */
export interface CheckedTable {
  readonly reader: TableReader;
  /** Exact for Parquet; an estimate for other large files. */
  readonly rows: number;
}

/** Tables as declared, or everything that is wrong with them: one sentence each, with the table's name in front. */
export interface CatalogCheck {
  readonly tables: readonly CheckedTable[];
  readonly problems: readonly string[];
}

const SAMPLE_ROWS = 1_000;
const COUNT_BYTES_MAX = 32 * 1024 * 1024;
/** A guess for CSV and JSON that are too large to count at start. */
const ROW_BYTES = 100;

/** Opens every file of every table once and compares it with its declaration. */
export async function checkCatalogs(catalogs: readonly Catalog[]): Promise<CatalogCheck> {
  const instance = await openInstance({ threads: '2' });
  const connection = await instance.connect();
  await connection.run("SET errors_as_json = true; SET TimeZone = 'UTC'");
  const tables: CheckedTable[] = [];
  const problems: string[] = [];
  for (const catalog of catalogs) {
    for (const schema of catalog.schemas) {
      for (const table of schema.tables) {
        const name = `${catalog.name}.${schema.name}.${table.name}`;
        const { files, bytes, problems: missing } = await tableFiles(table);
        const reader = readerOf(catalog.name, schema.name, table, files);
        const wrong = missing.length > 0 ? missing : await checkTable(connection, reader);
        problems.push(...wrong.map((problem) => `${name}: ${problem}`));
        if (wrong.length === 0) tables.push({ reader, rows: await countRows(connection, table, reader, bytes) });
      }
    }
  }
  connection.closeSync();
  instance.closeSync();
  return { tables, problems };
}

function readerOf(catalog: string, schema: string, table: CatalogTable, files: readonly string[]): TableReader {
  const { name, format, csv, json } = table;
  const columns = table.columns.map((column) => ({ name: column.name, type: column.type }));
  return { catalog, schema, name, format, files, columns, ...(csv && { csv }), ...(json && { json }) };
}

async function checkTable(connection: DuckDBConnection, reader: TableReader): Promise<string[]> {
  const problems: string[] = [];
  for (const file of reader.files) {
    try {
      const header = await headerProblem(connection, reader, file);
      if (header !== undefined) problems.push(`${file}: ${header}`);
      else if (reader.format === 'csv') await readSample(connection, reader, file);
      else problems.push(...compare(reader, file, await columnsOf(connection, reader, file)));
      if (reader.format === 'json' && problems.length === 0) await readSample(connection, reader, file);
    } catch (error) {
      problems.push(`${file} cannot be read as ${reader.format}: ${fault(readDuckdbError(error))}`);
    }
  }
  return problems;
}

/** The columns that a file says it has. */
async function columnsOf(connection: DuckDBConnection, reader: TableReader, file: string): Promise<CatalogColumn[]> {
  const guessed = `read_json(${literal(file)}, format = 'auto', sample_size = ${SAMPLE_ROWS})`;
  const source = reader.format === 'json' ? guessed : readerCall(reader, [file]);
  const rows = await (await connection.run(`DESCRIBE SELECT * FROM ${source}`)).getRows();
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** Parquet knows its types; JSON only its names, since the types are what the reader is told. */
function compare(reader: TableReader, file: string, actual: readonly CatalogColumn[]): string[] {
  return reader.columns.flatMap(({ name, type }) => {
    const found = actual.find((column) => column.name.toLowerCase() === name.toLowerCase());
    if (found === undefined) {
      const names = actual.slice(0, 20).map((column) => column.name);
      return [`column "${name}" is not in ${file}, which has ${names.join(', ')}`];
    }
    if (reader.format === 'json' || sameType(found.type, type)) return [];
    return [`column "${name}" is ${found.type} in ${file}, and ${type} in the catalog`];
  });
}

const sameType = (a: string, b: string): boolean => plain(a) === plain(b);
const plain = (type: string): string => type.replace(/[\s"]/g, '').toUpperCase();

/** Reads some rows with the declared types. */
async function readSample(connection: DuckDBConnection, reader: TableReader, file: string): Promise<void> {
  await connection.run(`${tableSelect(reader, readerCall(reader, [file]))} LIMIT ${SAMPLE_ROWS}`);
}

async function countRows(
  connection: DuckDBConnection,
  table: CatalogTable,
  reader: TableReader,
  bytes: number,
): Promise<number> {
  if (table.rows !== undefined) return table.rows;
  if (reader.format !== 'parquet' && bytes > COUNT_BYTES_MAX) return Math.ceil(bytes / ROW_BYTES);
  // For Parquet this reads footers only.
  const result = await connection.run(`SELECT count(*)::DOUBLE FROM ${readerCall(reader)}`);
  return Number((await result.getRows())[0]?.[0] ?? 0);
}
