import fc from 'fast-check';
import { classifyStatement } from './own-statements.js';
import { tokenize } from './sql-tokens.js';

const own = (text: string) => {
  const result = classifyStatement(text);
  return result.kind === 'own' ? result.statement : result.kind;
};

test.each([
  ['SHOW CATALOGS', { kind: 'showCatalogs', like: undefined }],
  ['show  /* x */ Catalogs -- all\n;;', { kind: 'showCatalogs', like: undefined }],
  ["SHOW SCHEMAS FROM demo LIKE 'm%'", { kind: 'showSchemas', catalog: { parts: ['demo'], at: 18 }, like: 'm%' }],
  ['show tables', { kind: 'showTables', schema: undefined, like: undefined }],
  ['show tables in "My"."S"', { kind: 'showTables', schema: { parts: ['My', 'S'], at: 15 }, like: undefined }],
  ['show columns from a.b.c', { kind: 'showColumns', table: { parts: ['a', 'b', 'c'], at: 18 }, like: undefined }],
  ['describe "a""b"', { kind: 'showColumns', table: { parts: ['a"b'], at: 9 }, like: undefined }],
  ['desc t', { kind: 'showColumns', table: { parts: ['t'], at: 5 }, like: undefined }],
  ['describe select 1', { kind: 'describeQuery', query: '         select 1' }],
  ['explain\nselect 1', { kind: 'explain', isAnalyze: false, query: '       \nselect 1' }],
  ['explain (select 1)', { kind: 'explain', isAnalyze: false, query: '        (select 1)' }],
  ['explain analyze select 1', { kind: 'explain', isAnalyze: true, query: '                select 1' }],
  ['EXPLAIN (analyze) (select 1)', { kind: 'explain', isAnalyze: true, query: '                  (select 1)' }],
  ['explain (select analyze)', { kind: 'explain', isAnalyze: false, query: '        (select analyze)' }],
])('%j is one of our own', (text, statement) => {
  expect(own(text)).toEqual(statement);
});

test.each([
  'select 1',
  'from t',
  'with show as (select 1) from show',
  '"show" tables',
  "select 'show tables'",
  'summarize t',
])('%j is for the engine', (text) => {
  expect(classifyStatement(text)).toMatchObject({ kind: 'other', sql: text });
});

test.each([
  ['select 1 ; select 2', 'MULTIPLE_STATEMENTS 1:12'],
  ["select ';'; -- one\n drop table t", 'MULTIPLE_STATEMENTS 2:2'],
  [';;', 'EMPTY_STATEMENT 0:0'],
  ['/* nothing /* at */ all */', 'EMPTY_STATEMENT 0:0'],
  ['show columns flights', 'SYNTAX_ERROR 1:14'],
  ['show tables like x', 'SYNTAX_ERROR 1:18'],
  ['show tables from a.b.c', 'SYNTAX_ERROR 1:23'],
  ['show catalogs from x', 'SYNTAX_ERROR 1:15'],
  ['show functions', 'NOT_SUPPORTED 1:6'],
  ['explain', 'SYNTAX_ERROR 1:8'],
  ['explain (format json) select 1', 'NOT_SUPPORTED 1:9'],
  ['explain (analyze, verbose) select 1', 'NOT_SUPPORTED 1:9'],
  ['explain analyze', 'SYNTAX_ERROR 1:16'],
])('%j is refused as %s', (text, summary) => {
  const result = classifyStatement(text);
  if (result.kind !== 'error') throw new Error(`${text} was accepted`);
  expect(`${result.error.reason} ${result.error.line}:${result.error.column}`).toBe(summary);
});

test.each([
  "select ';' x",
  'select ";" x',
  'select $$;$$ x',
  'select $a$;$$;$a$ x',
  "select E'\\';' x",
  'select 1 -- ;\n',
  'select /* ; */ 1',
  "select 'it''s;'",
])('the semicolon in %j ends no statement', (text) => {
  expect(classifyStatement(text).kind).toBe('other');
});

test('any text at all is classified, and its tokens cover it in order', () => {
  const pieces = fc.constantFrom(
    "'",
    '"',
    '$',
    '$a$',
    '--',
    '/*',
    '*/',
    ';',
    '\\',
    '\n',
    'E',
    'show',
    'tables',
    '.',
    '(',
    '1e',
    'ä',
    '😀',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const text = parts.join('');
      const tokens = tokenize(text);
      expect(tokens.at(-1)).toMatchObject({ kind: 'end', start: text.length });
      tokens.reduce((end, token) => {
        expect(token.start).toBeGreaterThanOrEqual(end);
        return token.end;
      }, 0);
      expect(['own', 'other', 'error']).toContain(classifyStatement(text).kind);
    }),
  );
});
