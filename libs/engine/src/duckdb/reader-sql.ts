import type { TableReader } from '../fragment.js';
import { identifier, literal, literals } from './sql-text.js';

/** The table function that reads a table's files, as SQL. Nothing is guessed from the files: the catalog declares it. */
export function readerCall(table: TableReader, files: readonly string[] = table.files): string {
  switch (table.format) {
    case 'parquet':
      return `read_parquet(${literals(files)}, hive_partitioning = false, union_by_name = false)`;
    case 'csv': {
      const { header = true, nullstr = '', dateformat, timestampformat } = table.csv ?? {};
      const options = [
        `header = ${header}, ${csvFields(table)}, nullstr = ${literal(nullstr)}, columns = ${columnTypes(table)}`,
      ];
      if (dateformat !== undefined) options.push(`dateformat = ${literal(dateformat)}`);
      if (timestampformat !== undefined) options.push(`timestampformat = ${literal(timestampformat)}`);
      return `read_csv(${literals(files)}, ${options.join(', ')})`;
    }
    case 'json': {
      const format = JSON_FORMATS[table.json?.layout ?? 'lines'];
      const options = `auto_detect = false, format = '${format}', columns = ${columnTypes(table)}`;
      return `read_json(${literals(files)}, ${options}, hive_partitioning = false)`;
    }
  }
}

/** How lines of a CSV file are taken apart, as options of read_csv. */
export function csvFields({ csv }: TableReader): string {
  const { delim = ',', quote = '"' } = csv ?? {};
  const quotes = `quote = ${literal(quote)}, escape = ${literal(quote)}`;
  return `auto_detect = false, delim = ${literal(delim)}, ${quotes}, hive_partitioning = false`;
}

const JSON_FORMATS = { array: 'array', lines: 'newline_delimited', objects: 'unstructured' } as const;

const columnTypes = (table: TableReader): string =>
  `{${table.columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`).join(', ')}}`;

/** Selects the declared columns in their order, so that a file with more columns or another order changes nothing. */
export const tableSelect = (table: TableReader, source: string): string =>
  `SELECT ${table.columns.map(({ name }) => identifier(name)).join(', ')} FROM ${source}`;

/** The full name of a table in SQL. */
export const tableName = (table: Pick<TableReader, 'catalog' | 'schema' | 'name'>): string =>
  [table.catalog, table.schema, table.name].map(identifier).join('.');

/** Statements that create the catalogs and schemas that `places` name. Every catalog has a schema "main" already. */
export function createSchemas(places: readonly { readonly catalog: string; readonly schema: string }[]): string[] {
  const catalogs = new Set(places.map(({ catalog }) => catalog));
  const schemas = new Set(
    places
      .filter(({ schema }) => schema.toLowerCase() !== 'main')
      .map((p) => `${identifier(p.catalog)}.${identifier(p.schema)}`),
  );
  return [
    ...[...catalogs].map((catalog) => `ATTACH ':memory:' AS ${identifier(catalog)}`),
    ...[...schemas].map((schema) => `CREATE SCHEMA ${schema}`),
  ];
}
