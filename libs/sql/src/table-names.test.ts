import type { Catalog } from './catalog.js';
import { answerFromCatalogs } from './own-answers.js';
import { findTables, fullTableName } from './table-names.js';

const table = (name: string) => ({
  name,
  format: 'csv' as const,
  source: { files: [] },
  columns: [{ name: 'a', type: 'INTEGER', comment: 'first' }],
});
const catalogs: Catalog[] = [
  {
    name: 'demo',
    schemas: [
      { name: 'main', tables: [table('flights')] },
      { name: 'raw', tables: [table('events')] },
    ],
  },
  { name: 'raw', schemas: [{ name: 'main', tables: [table('events'), table('parts')] }] },
];
const session = { catalog: 'demo', schema: 'main' };

test.each([
  [['flights'], 'demo.main.flights'],
  [['FLIGHTS'], 'demo.main.flights'],
  [['main', 'flights'], 'demo.main.flights'],
  [['raw', 'parts'], 'raw.main.parts'],
  [['raw', 'events'], 'demo.raw.events raw.main.events'],
  [['raw', 'main', 'events'], 'raw.main.events'],
  [['flight'], 'TABLE_NOT_FOUND Table "flight" does not exist in demo.main. Did you mean "flights"?'],
  [
    ['event'],
    'TABLE_NOT_FOUND Table "event" does not exist in demo.main. Did you mean "raw.events" or "raw.main.events"?',
  ],
  [['zzz'], 'TABLE_NOT_FOUND Table "zzz" does not exist in demo.main. SHOW TABLES lists those that do.'],
  [['rwa', 'events'], 'SCHEMA_NOT_FOUND Schema "rwa" does not exist in catalog "demo". Did you mean "raw"?'],
  [['nope', 'main', 'x'], 'CATALOG_NOT_FOUND Catalog "nope" does not exist. SHOW CATALOGS lists those that do.'],
  [['a', 'b', 'c', 'd'], 'TABLE_NOT_FOUND A table name has at most three parts, not 4.'],
])('%j leads to %s', (parts, expected) => {
  const found = findTables(catalogs, session, parts);
  const actual = 'ok' in found ? found.ok.map(fullTableName).join(' ') : `${found.reason} ${found.message}`;
  expect(actual).toBe(expected);
});

test('SHOW COLUMNS carries types and comments', () => {
  const statement = { kind: 'showColumns', table: { parts: ['flights'], at: 18 }, like: undefined } as const;
  expect(answerFromCatalogs(statement, catalogs, session, 'show columns from flights')).toEqual({
    ok: {
      columns: ['Column', 'Type', 'Comment'].map((name) => ({ name, type: 'VARCHAR' })),
      rows: [['a', 'INTEGER', 'first']],
    },
  });
});

test('a name that is not found is shown where it stands', () => {
  const statement = { kind: 'showTables', schema: { parts: ['rwa'], at: 17 }, like: undefined } as const;
  expect(answerFromCatalogs(statement, catalogs, session, 'show tables from rwa')).toMatchObject({
    error: { reason: 'SCHEMA_NOT_FOUND', line: 1, column: 18 },
  });
});

test.each([
  [['raw'], [['events']]],
  [
    ['raw', 'main'],
    [['events'], ['parts']],
  ],
  [['tpch'], [['nation']]],
])('SHOW TABLES FROM %j takes a schema, or else a catalog', (parts, rows) => {
  const statement = { kind: 'showTables', schema: { parts, at: 17 }, like: undefined } as const;
  const more = [...catalogs, { name: 'tpch', schemas: [{ name: 'main', tables: [table('nation')] }] }];
  expect(answerFromCatalogs(statement, more, session, '')).toMatchObject({ ok: { rows } });
});
