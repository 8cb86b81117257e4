import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Catalog, decodeCatalog } from '@tutti/sql';
import { openInstance } from '../duckdb/open-instance.js';
import { literal } from '../duckdb/sql-text.js';

/** A directory with data files, and a catalog `demo` of them. */
export interface TestFiles {
  readonly directory: string;
  readonly catalogs: readonly Catalog[];
  /** Paths of the data files, by table. */
  readonly files: Readonly<Record<'flights' | 'airports' | 'events', string>>;
  remove(): void;
}

/** Writes a Parquet table of 10,000 flights, a CSV table of 3 airports and a JSON table of 2 events. */
export async function writeTestFiles(): Promise<TestFiles> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'tutti-engine-test-')));
  const files = {
    flights: join(directory, 'flights.parquet'),
    airports: join(directory, 'airports.csv'),
    events: join(directory, 'events.json'),
  };
  const instance = await openInstance();
  const connection = await instance.connect();
  const rows = `SELECT i::INTEGER AS id, ['SEA', 'SFO', 'JFK'][1 + i % 3] AS origin, (i % 100 - 20)::INTEGER AS delay,
    (i * 1.5)::DECIMAL(12,2) AS price, sum(i) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS total FROM range(10000) t(i)`;
  await connection.run(
    `COPY (SELECT id, origin, delay, price, total::BIGINT AS total FROM (${rows})) TO ${literal(files.flights)}`,
  );
  connection.closeSync();
  instance.closeSync();
  writeFileSync(files.airports, 'iata,city\nSEA,Seattle\nSFO,"San Francisco"\nJFK,"New York"\n');
  writeFileSync(files.events, '{"id": 1, "tags": ["a", "b"]}\n{"id": 2, "tags": []}\n');
  const catalog = decodeCatalog(catalogFile(files), { name: 'demo', directory });
  if (!('ok' in catalog)) throw new Error(catalog.problems.join('\n'));
  return {
    directory,
    catalogs: [catalog.ok],
    files,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const catalogFile = (files: TestFiles['files']) => ({
  schemas: {
    main: {
      tables: {
        flights: {
          format: 'parquet',
          files: [files.flights],
          columns: [
            { name: 'id', type: 'INTEGER' },
            { name: 'origin', type: 'VARCHAR' },
            { name: 'delay', type: 'INTEGER' },
            { name: 'price', type: 'DECIMAL(12,2)' },
            { name: 'total', type: 'BIGINT' },
          ],
        },
        airports: {
          format: 'csv',
          files: [files.airports],
          columns: [
            { name: 'iata', type: 'VARCHAR' },
            { name: 'city', type: 'VARCHAR' },
          ],
        },
      },
    },
    raw: {
      tables: {
        events: {
          format: 'json',
          files: [files.events],
          columns: [
            { name: 'id', type: 'BIGINT' },
            { name: 'tags', type: 'VARCHAR[]' },
          ],
        },
      },
    },
  },
});
