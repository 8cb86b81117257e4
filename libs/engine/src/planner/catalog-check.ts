import type { DuckDBConnection } from '@duckdb/node-api';
import type { Catalog, CatalogColumn, CatalogTable, NamedTable } from '@tutti/sql';
import { headerProblem } from '../duckdb/csv-header.js';
import { readDuckdbError } from '../duckdb/duckdb-error.js';
import { openInstance } from '../duckdb/open-instance.js';
import { readerCall, tableSelect } from '../duckdb/reader-sql.js';
import { literal } from '../duckdb/sql-text.js';
import { footerFault } from '../duckdb/unreadable-table.js';
import type { TableReader } from '../fragment.js';
import { tableFiles } from './table-files.js';

/** A table whose files have been looked at. */
export interface CheckedTable {
  readonly reader: TableReader;
  /** Exact for Parquet; an estimate for other large files, and for a table that cannot be read. */
  readonly rows: number;
  /** Why it cannot be read; its statements are refused. */
  readonly defect?: TableDefect;
}

/** What is wrong with the files of a table. */
export interface TableDefect {
  /** One to PROBLEMS_MAX + 1; each names its file, and has no full stop. */
  readonly problems: readonly string[];
  /** Of the files as they were looked at: with another one it is worth to look again. */
  readonly version: string;
}

/** Of one table; more of them are counted. */
const PROBLEMS_MAX = 20;
const SAMPLE_ROWS = 1_000;
const COUNT_BYTES_MAX = 32 * 1024 * 1024;
/** A guess for CSV and JSON that are too large to count at start. */
const ROW_BYTES = 100;

/** Opens every file of every table once and compares it with its declaration. */
export async function checkCatalogs(catalogs: readonly Catalog[]): Promise<CheckedTable[]> {
  return withConnection(async (connection) => {
    const tables: CheckedTable[] = [];
    for (const catalog of catalogs)
      for (const schema of catalog.schemas)
        for (const table of schema.tables) tables.push(await check(connection, { catalog, schema, table }));
    return tables;
  });
}

/** The same for one table. */
export const checkTable = (table: NamedTable): Promise<CheckedTable> =>
  withConnection((connection) => check(connection, table));

async function withConnection<T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await openInstance({ threads: '2' });
  const connection = await instance.connect();
  try {
    await connection.run("SET errors_as_json = true; SET TimeZone = 'UTC'");
    return await use(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function check(connection: DuckDBConnection, named: NamedTable): Promise<CheckedTable> {
  const { table } = named;
  const { files, bytes, version, problems: missing } = await tableFiles(table);
  const reader = readerOf(named, files);
  const refused = (problems: readonly string[]): CheckedTable => ({
    reader,
    rows: table.rows ?? 1,
    defect: { problems: shortened(problems), version },
  });
  if (missing.length > 0) return refused(missing);
  const problems = await problemsOf(connection, reader);
  if (problems.length > 0) return refused(problems);
  try {
    return { reader, rows: await countRows(connection, table, reader, bytes) };
  } catch (error) {
    return refused([footerFault(readDuckdbError(error))]);
  }
}

function readerOf({ catalog, schema, table }: NamedTable, files: readonly string[]): TableReader {
  const { name, format, csv, json } = table;
  const columns = table.columns.map((column) => ({ name: column.name, type: column.type }));
  return {
    ...{ catalog: catalog.name, schema: schema.name, name, format, files, columns },
    ...(csv && { csv }),
    ...(json && { json }),
  };
}

function shortened(problems: readonly string[]): readonly string[] {
  if (problems.length <= PROBLEMS_MAX) return problems;
  return [...problems.slice(0, PROBLEMS_MAX), `${problems.length - PROBLEMS_MAX} more problems`];
}

async function problemsOf(connection: DuckDBConnection, reader: TableReader): Promise<string[]> {
  const problems: string[] = [];
  for (const file of reader.files) {
    try {
      const header = await headerProblem(connection, reader, file);
      if (header !== undefined) problems.push(`file ${file}: ${header}`);
      else if (reader.format === 'csv') await readSample(connection, reader, file);
      else problems.push(...compare(reader, file, await columnsOf(connection, reader, file)));
      if (reader.format === 'json' && problems.length === 0) await readSample(connection, reader, file);
    } catch (error) {
      problems.push(`file ${file}: ${footerFault(readDuckdbError(error))}`);
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
      return [`file ${file}: it has no column "${name}", which the catalog declares, but ${names.join(', ')}`];
    }
    if (reader.format === 'json' || sameType(found.type, type)) return [];
    return [`file ${file}: its column "${name}" is ${found.type}, not ${type}, as the catalog declares`];
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
