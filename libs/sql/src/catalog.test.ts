import fc from 'fast-check';
import { decodeCatalog } from './catalog-decoder.js';

const from = { name: 'demo', directory: '/srv/catalogs' };

const columns = [{ name: 'a', type: 'bigint' }];
const oneTable = (table: Record<string, unknown>) => ({ schemas: { main: { tables: { t: table } } } });
const decodeTable = (table: Record<string, unknown>) => {
  const decoded = decodeCatalog(oneTable({ format: 'parquet', files: ['t.parquet'], columns, ...table }), from);
  return 'ok' in decoded ? decoded.ok.schemas[0]!.tables[0]! : { problems: decoded.problems };
};

test('a catalog file becomes schemas, tables, absolute paths and types in the spelling of the engine', () => {
  const decoded = decodeCatalog(
    {
      comment: 'Flights.',
      schemas: {
        main: {
          tables: {
            flights: {
              format: 'parquet',
              files: ['../data/./flights.parquet', '/mnt/more.parquet'],
              columns: [
                { name: 'Flight Date', type: 'timestamp with time zone', comment: 'Local time.' },
                { name: 'fare', type: 'numeric(9, 2)' },
              ],
              rows: 3_000_000,
            },
            events: { format: 'json', prefix: 'events/', columns },
          },
        },
      },
    },
    from,
  );
  expect(decoded).toEqual({
    ok: {
      name: 'demo',
      comment: 'Flights.',
      schemas: [
        {
          name: 'main',
          tables: [
            {
              name: 'flights',
              format: 'parquet',
              source: { files: ['/srv/data/flights.parquet', '/mnt/more.parquet'] },
              columns: [
                { name: 'Flight Date', type: 'TIMESTAMP WITH TIME ZONE', comment: 'Local time.' },
                { name: 'fare', type: 'DECIMAL(9,2)' },
              ],
              rows: 3_000_000,
            },
            {
              name: 'events',
              format: 'json',
              source: { prefix: '/srv/catalogs/events' },
              columns: [{ name: 'a', type: 'BIGINT' }],
              json: { layout: 'lines' },
            },
          ],
        },
      ],
    },
  });
});

test('reader options of a CSV table have defaults, so that nothing is guessed from a file', () => {
  expect(decodeTable({ format: 'csv' })).toMatchObject({ csv: { header: true, delim: ',', quote: '"', nullstr: '' } });
  expect(decodeTable({ format: 'csv', csv: { header: false, delim: '\t', dateformat: '%m/%d/%Y' } })).toMatchObject({
    csv: { header: false, delim: '\t', dateformat: '%m/%d/%Y' },
  });
});

test('every problem of a file is told at once, each with its JSON path', () => {
  const decoded = decodeCatalog(
    {
      shemas: {},
      schemas: {
        information_schema: { tables: {} },
        main: {
          tabels: {},
          tables: {
            a: { format: 'parket', files: [], columns: [] },
            b: { format: 'csv', files: ['b.csv'], prefix: 'b', columns: [{ name: 'x', typ: 'INT' }, 7] },
            c: {
              format: 'parquet',
              files: ['*.parquet', 's3://x/y', '', 5],
              columns: [{ name: 'x', type: 'BIGINTT' }],
            },
            C: { format: 'parquet', files: ['c', './c'], columns: [...columns, { name: 'A', type: 'INT' }], rows: -1 },
            'no name': 3,
            d: { format: 'json', files: ['d'], columns, csv: {}, json: { layout: 'list' } },
            e: {
              format: 'csv',
              files: ['e'],
              columns: [{ name: 'a\nb', type: 'INT' }],
              csv: { header: 1, delim: ';;', quote: 'x', nullstr: 'a\nb', dateformat: "%d'", escape: '!' },
            },
          },
        },
      },
    },
    from,
  );
  expect('problems' in decoded && decoded.problems).toEqual([
    `$: unknown key "shemas"; did you mean "schemas"?`,
    `$.schemas.main: unknown key "tabels"; did you mean "tables"?`,
    `$.schemas.main.tables.a.format: expected one of parquet, csv, json`,
    `$.schemas.main.tables.a.files: expected a list of 1 to 10000`,
    `$.schemas.main.tables.a.columns: expected a list of 1 to 2000`,
    `$.schemas.main.tables.b: needs either "files" or "prefix"`,
    `$.schemas.main.tables.b.columns[0]: unknown key "typ"; did you mean "type"?`,
    `$.schemas.main.tables.b.columns[0]: "type" is missing`,
    `$.schemas.main.tables.b.columns[1]: expected an object with "name", "type", "comment"`,
    `$.schemas.main.tables.c.files[0]: '*.parquet' has a wildcard; list the files, or name their directory with "prefix"`,
    `$.schemas.main.tables.c.files[1]: 's3://x/y' is a URL; only files can be read`,
    `$.schemas.main.tables.c.files[2]: expected a path`,
    `$.schemas.main.tables.c.files[3]: expected a text of at most 2000 characters`,
    `$.schemas.main.tables.c.columns[0].type: unknown type 'BIGINTT'; did you mean BIGINT?`,
    `$.schemas.main.tables.C: the name is taken: case does not tell names apart`,
    `$.schemas.main.tables.C.files[1]: '/srv/catalogs/c' is listed twice`,
    `$.schemas.main.tables.C.columns[1].name: there are two columns 'A'`,
    `$.schemas.main.tables.C.rows: expected a number of rows`,
    `$.schemas.main.tables["no name"]: this is no name; names have letters, digits and _, and do not start with a digit`,
    `$.schemas.main.tables["no name"]: expected an object with "format", "files", "prefix", "columns", "comment", "rows", "csv", "json"`,
    `$.schemas.main.tables.d.csv: only a table with "format": "csv" has these options`,
    `$.schemas.main.tables.d.json.layout: expected one of array, lines, objects`,
    `$.schemas.main.tables.e.columns[0].name: expected a column name`,
    `$.schemas.main.tables.e.csv: unknown key "escape"; known here are header, headerNames, delim, quote, nullstr, dateformat, timestampformat`,
    `$.schemas.main.tables.e.csv.header: expected true or false`,
    `$.schemas.main.tables.e.csv.delim: expected one character that is no letter, digit, quote or line break`,
    `$.schemas.main.tables.e.csv.quote: expected one of " ' | \` or nothing, and not the delimiter`,
    `$.schemas.main.tables.e.csv.nullstr: expected a text of one line with at most 64 characters`,
    `$.schemas.main.tables.e.csv.dateformat: expected a format in strptime's notation, such as %m/%d/%Y`,
    `$.schemas.information_schema: this schema name is reserved`,
  ]);
});

test.each([
  [undefined, '$: expected an object with "schemas", "comment"'],
  [[], '$: expected an object with "schemas", "comment"'],
  [{}, '$: "schemas" is missing'],
  [{ schemas: [] }, '$.schemas: expected an object from names to definitions'],
  [{ schemas: { s: {} } }, '$.schemas.s: "tables" is missing'],
])('%j is no catalog, and the answer says why', (json, problem) => {
  expect(decodeCatalog(json, from)).toEqual({ problems: [problem] });
});

test.each(['system', '1st', 'a b', ''])('a catalog cannot be called %j', (name) => {
  expect(decodeCatalog({ schemas: {} }, { ...from, name })).toHaveProperty('problems');
});

test('any JSON at all is decoded or refused with reasons, and paths stay absolute (C2)', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (json, path) => {
      const decoded = decodeCatalog(json, from);
      if ('problems' in decoded) expect(decoded.problems.length).toBeGreaterThan(0);
      const table = decodeTable({ files: [path] });
      if ('source' in table)
        expect(table.source).toEqual({ files: [expect.stringMatching(/^\/(?!.*(^|\/)\.\.?(\/|$))/s)] });
    }),
  );
});
