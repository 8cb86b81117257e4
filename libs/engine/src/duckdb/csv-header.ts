import type { DuckDBConnection } from '@duckdb/node-api';
import type { TableReader } from '../fragment.js';
import { literal } from './sql-text.js';
import { csvFields } from './reader-sql.js';

/**
 * What is wrong with the header of a CSV file; undefined when it fits. Columns are read by position, so a file whose
 * columns stand in another order would give wrong answers. Case, spaces and signs do not count.
 */
export async function headerProblem(
  connection: DuckDBConnection,
  table: TableReader,
  file: string,
): Promise<string | undefined> {
  if (table.format !== 'csv' || table.csv?.header === false) return undefined;
  const expected = withoutEmptyEnd(table.csv?.headerNames ?? table.columns.map(({ name }) => name));
  // One more field than there should be, to see whether there are too many; missing ones are empty.
  const [row] = await (await connection.run(`${firstLine(table, file, expected.length + 1)} LIMIT 1`)).getRows();
  if (row === undefined) return undefined;
  const found = withoutEmptyEnd(row.map((name) => String(name ?? '')));
  if (found.length === expected.length && found.every((name, i) => sameName(name, expected[i] ?? ''))) return undefined;
  return `its header is ${listed(found)}, and the catalog declares ${listed(expected)}; if that is right, name the header in csv.headerNames`;
}

function firstLine(table: TableReader, file: string, fields: number): string {
  const columns = Array.from({ length: fields }, (_, i) => `c${i}: 'VARCHAR'`).join(', ');
  // Lines of other lengths are not this one's business; a parallel reader does not take the padding.
  const lenient = 'null_padding = true, strict_mode = false, parallel = false';
  return `FROM read_csv(${literal(file)}, header = false, ${csvFields(table)}, ${lenient}, columns = {${columns}})`;
}

const withoutEmptyEnd = (names: readonly string[]): readonly string[] =>
  names.slice(0, names.findLastIndex((name) => name !== '') + 1);

function sameName(a: string, b: string): boolean {
  const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  return a === b || (plain(a) !== '' && plain(a) === plain(b));
}

const listed = (names: readonly string[]): string =>
  names.length > 20 ? `${names.slice(0, 20).join(', ')}, ...` : names.join(', ');
