import { parseColumnType } from './column-type.js';

test.each([
  ['int', 'INTEGER'],
  ['  Varchar ', 'VARCHAR'],
  ['decimal', 'DECIMAL(18,3)'],
  ['DECIMAL( 15 , 2 )', 'DECIMAL(15,2)'],
  ['numeric(4)', 'DECIMAL(4,0)'],
  ['timestamptz', 'TIMESTAMP WITH TIME ZONE'],
  ['timestamp', 'TIMESTAMP'],
  ['double[][3]', 'DOUBLE[][3]'],
  [
    'struct(mag double, "the place" text, at timestamp with time zone)[]',
    'STRUCT(mag DOUBLE, "the place" VARCHAR, at TIMESTAMP WITH TIME ZONE)[]',
  ],
  ['map(varchar, struct(a int[]))', 'MAP(VARCHAR, STRUCT(a INTEGER[]))'],
])('%s is read as %s', (text, type) => {
  expect(parseColumnType(text)).toEqual({ ok: type });
});

test.each([
  ['', 'expected a type'],
  ['BIGNIT', "unknown type 'BIGNIT'; did you mean BIGINT?"],
  ['constructor', "unknown type 'constructor'"],
  ['varchar; drop table t', "unexpected ';' in the type"],
  ['int int', "unexpected 'int' after the type"],
  ['decimal(39,2)', 'DECIMAL takes a width of 1 to 38 and a scale of 0 to the width'],
  ['decimal(a)', 'DECIMAL takes a width of 1 to 38 and a scale of 0 to the width'],
  ['decimal(5,6)', 'DECIMAL takes a width of 1 to 38 and a scale of 0 to the width'],
  ['int[', "expected ']'"],
  ['struct()', "expected a field name, not ')'"],
  ['struct(a)', "expected a type, not ')'"],
  ['map(int)', 'MAP takes two types, of the key and of the value'],
  [`${'struct(a '.repeat(20)}int${')'.repeat(20)}`, 'types may be nested 16 deep'],
])('%s is refused: %s', (text, problem) => {
  expect(parseColumnType(text)).toEqual({ problem });
});
