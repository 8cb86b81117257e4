import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CatalogTable, decodeCatalog } from '@tutti/sql';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

const directory = join(__dirname, '..', '..', 'catalogs');
const decoded = decodeCatalog(JSON.parse(readFileSync(join(directory, 'demo.json'), 'utf8')), {
  name: 'demo',
  directory,
});
const tables = 'ok' in decoded ? decoded.ok.schemas.flatMap((schema) => schema.tables) : [];

let duckdb: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  duckdb = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await duckdb.connect();
});

afterAll(() => {
  connection.closeSync();
  duckdb.closeSync();
});

const rowsOf = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRowsJson();
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const LAYOUTS = { array: 'array', lines: 'newline_delimited', objects: 'unstructured' };

/** The files of a table, read with nothing but what the catalog declares. */
function scan({ source, format, columns, csv, json }: CatalogTable): string {
  const files = 'files' in source ? `[${source.files.map(quoted).join(', ')}]` : '[]';
  const struct = `{${columns.map(({ name, type }) => `${quoted(name)}: ${quoted(type)}`).join(', ')}}`;
  if (format === 'parquet') return `read_parquet(${files})`;
  if (format === 'json')
    return `read_json(${files}, format = ${quoted(LAYOUTS[json?.layout ?? 'lines'])}, columns = ${struct})`;
  const { header, headerNames: _, ...texts } = { header: true, headerNames: undefined, ...csv };
  const options = Object.entries(texts).map(([name, text]) => `, ${name} = ${quoted(text)}`);
  return `read_csv(${files}, auto_detect = false, header = ${header}${options.join('')}, columns = ${struct})`;
}

test('the demo catalog decodes', () => {
  expect(decoded).not.toHaveProperty('problems');
  expect(tables.length).toBeGreaterThanOrEqual(8);
});

test.each(tables.map((table) => [table.name, table] as const))('demo.%s reads as declared', async (_, table) => {
  const described = await rowsOf(`DESCRIBE SELECT * FROM ${scan(table)}`);
  expect(described.map(([name, type]) => ({ name, type }))).toEqual(
    table.columns.map(({ name, type }) => ({ name, type })),
  );
  expect(table.comment).toContain('Source: ');

  // Every value can be read, and no column is empty: a column out of place would show as one.
  const counts = table.columns.map(({ name }) => `count("${name}")`).join(', ');
  const [row = []] = await rowsOf(`SELECT count(*), ${counts} FROM ${scan(table)}`);
  expect(Number(row[0])).toBe(table.rows);
  for (const values of row) expect(Number(values)).toBeGreaterThan(0);
});

test('every flight starts and ends at an airport of the demo catalog', async () => {
  const [flights, airports] = ['flights', 'airports'].map((name) => scan(tables.find((table) => table.name === name)!));
  const strays = `SELECT count(*) FROM ${flights} WHERE origin NOT IN (SELECT iata FROM ${airports})
    OR destination NOT IN (SELECT iata FROM ${airports})`;
  expect(await rowsOf(strays)).toEqual([['0']]);
});
