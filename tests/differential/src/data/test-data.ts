// Writes the tables to files of a new directory, and says what they are: as a catalog for the planner, and as views for
// an engine that reads them whole.
import { accessSync, constants, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type Catalog, decodeCatalog } from '@tutti/sql';
import { MAIN_TABLES, TEXT_TABLES } from './main-tables.js';
import type { TableSpec } from './table-spec.js';
import { TRADE_TABLES } from './trade-tables.js';

const IN_MEMORY = '/dev/shm';

export const CATALOG = 'd';
export const TABLES: readonly TableSpec[] = [...MAIN_TABLES, ...TEXT_TABLES, ...TRADE_TABLES];

export interface TestData {
  readonly directory: string;
  readonly catalogs: readonly Catalog[];
  /** Makes the tables as views, and d.main the place where names are looked up. */
  createViews(connection: DuckDBConnection): Promise<void>;
  remove(): void;
}

export async function writeTestData(): Promise<TestData> {
  const directory = realpathSync(mkdtempSync(join(scratch(), 'tutti-differential-')));
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  for (const table of TABLES) await writeTable(connection, table, directory);
  connection.closeSync();
  instance.closeSync();
  const catalog = decodeCatalog(catalogFile(directory), { name: CATALOG, directory });
  if (!('ok' in catalog)) throw new Error(catalog.problems.join('\n'));
  return {
    directory,
    catalogs: [catalog.ok],
    createViews: (target) => createViews(target, directory),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Thousands of small files are written and removed: in memory where that is possible. */
function scratch(): string {
  try {
    accessSync(IN_MEMORY, constants.W_OK);
    return IN_MEMORY;
  } catch {
    return tmpdir();
  }
}

const paths = (table: TableSpec, directory: string): string[] =>
  table.files.map((_, index) => join(directory, `${table.schema}-${table.name}`, `${index}.${table.format}`));

/** Small row groups, so that a file has several. */
const FORMATS = { parquet: 'FORMAT parquet, ROW_GROUP_SIZE 2048', csv: 'FORMAT csv, HEADER true', json: 'FORMAT json' };

async function writeTable(connection: DuckDBConnection, table: TableSpec, directory: string): Promise<void> {
  mkdirSync(join(directory, `${table.schema}-${table.name}`));
  const items = table.columns.map(({ name, type, sql }) => `CAST(${sql} AS ${type}) AS ${name}`);
  let first = 0;
  for (const [index, path] of paths(table, directory).entries()) {
    const end = first + (table.files[index] ?? 0);
    await connection.run(
      `COPY (SELECT ${items.join(', ')} FROM range(${first}, ${end}) r(i)) TO '${path}' (${FORMATS[table.format]})`,
    );
    first = end;
  }
}

function catalogFile(directory: string): unknown {
  const schemas: Record<string, { tables: Record<string, unknown> }> = {};
  for (const table of TABLES) {
    const schema = (schemas[table.schema] ??= { tables: {} });
    schema.tables[table.name] = {
      format: table.format,
      files: paths(table, directory),
      columns: table.columns.map(({ name, type }) => ({ name, type })),
    };
  }
  return { schemas };
}

async function createViews(connection: DuckDBConnection, directory: string): Promise<void> {
  await connection.run(`ATTACH ':memory:' AS ${CATALOG}`);
  for (const schema of new Set(TABLES.map((table) => table.schema)))
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${CATALOG}.${schema}`);
  for (const table of TABLES) {
    const files = `[${paths(table, directory).map((path) => `'${path}'`)}]`;
    await connection.run(`CREATE VIEW ${CATALOG}.${table.schema}.${table.name} AS FROM ${source(table, files)}`);
  }
  await connection.run(`USE ${CATALOG}.main`);
}

/** Written apart from what executors use to read tables, so that a mistake there shows. */
function source({ format, columns }: TableSpec, files: string): string {
  const types = `{${columns.map(({ name, type }) => `${name}: '${type}'`).join(', ')}}`;
  if (format === 'parquet') return `read_parquet(${files})`;
  if (format === 'csv')
    return `read_csv(${files}, auto_detect = false, header = true, quote = '"', escape = '"', columns = ${types})`;
  return `read_json(${files}, format = 'newline_delimited', columns = ${types})`;
}
