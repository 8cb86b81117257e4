import fc from 'fast-check';
import { splitStatements } from './statement-splitter.js';

const texts = (source: string) => splitStatements(source).map((statement) => statement.text);

describe('splitStatements', () => {
  test.each([
    ['one statement needs no semicolon', 'SELECT 1', ['SELECT 1']],
    ['a semicolon ends a statement', 'SELECT 1;\n SELECT 2 ;', ['SELECT 1', 'SELECT 2']],
    ['empty parts are left out', ';;  ; -- only a comment\n ; /* ; */ ;', []],
    ['a string keeps its semicolon (S2)', "SELECT ';', 'it''s;'; SELECT 2", ["SELECT ';', 'it''s;'", 'SELECT 2']],
    ['a quoted name keeps its semicolon (S2)', 'SELECT 1 AS "a;""b;"; SELECT 2', ['SELECT 1 AS "a;""b;"', 'SELECT 2']],
    [
      'a line comment hides a quote and a semicolon',
      "SELECT 1 -- don't; stop\n, 2; SELECT 3",
      ["SELECT 1 -- don't; stop\n, 2", 'SELECT 3'],
    ],
    ['block comments nest', 'SELECT /* a /* ; */ ; */ 1; SELECT 2', ['SELECT /* a /* ; */ ; */ 1', 'SELECT 2']],
    [
      'dollar quotes keep everything',
      'SELECT $$;$$, $a$ ; $$ ; $a$; SELECT 2',
      ['SELECT $$;$$, $a$ ; $$ ; $a$', 'SELECT 2'],
    ],
    ['a dollar inside a name quotes nothing', 'SELECT a$b$ ; SELECT c$b$', ['SELECT a$b$', 'SELECT c$b$']],
    ['a parameter is no dollar quote', 'SELECT $1; SELECT $2', ['SELECT $1', 'SELECT $2']],
    ["E'...' knows backslashes", "SELECT E'\\';', e'\\\\'; SELECT 2", ["SELECT E'\\';', e'\\\\'", 'SELECT 2']],
    ['a plain string does not know them', "SELECT '\\'; SELECT 2", ["SELECT '\\'", 'SELECT 2']],
    ['an open string reaches to the end', "SELECT 'a; SELECT 2", ["SELECT 'a; SELECT 2"]],
    ['an open comment reaches to the end', 'SELECT 1; /* SELECT 2;', ['SELECT 1']],
    ['a comment in front of a statement stays with it', '-- the answer\nSELECT 42;', ['-- the answer\nSELECT 42']],
    ['minus and division are no comments', 'SELECT 1 - -1 / 2; SELECT 2*/1', ['SELECT 1 - -1 / 2', 'SELECT 2*/1']],
  ])('%s', (_name, source, expected) => {
    expect(texts(source)).toEqual(expected);
  });

  test('each statement knows its line and place', () => {
    expect(splitStatements('\n\nSELECT 1;\n\n  SELECT\n 2; SELECT 3')).toEqual([
      { text: 'SELECT 1', offset: 2, line: 3 },
      { text: 'SELECT\n 2', offset: 15, line: 5 },
      { text: 'SELECT 3', offset: 26, line: 6 },
    ]);
  });

  const token = fc.oneof(
    fc.stringMatching(/^[a-z0-9_*+=.]{1,6}$/),
    fc.stringMatching(/^[a-z;"\-$/*\n]{0,6}$/).map((text) => `'${text}'`),
    fc.stringMatching(/^[a-z;'\-$/*\n]{0,6}$/).map((text) => `"${text}"`),
    fc.stringMatching(/^[a-z;'"-]{0,6}$/).map((text) => `$q$${text}$q$`),
    fc.stringMatching(/^[a-z;'" -]{0,6}$/).map((text) => `-- ${text}\n`),
    fc.stringMatching(/^[a-z;'" -]{0,6}$/).map((text) => `/* ${text} */`),
  );
  const statement = fc.array(token, { maxLength: 5 }).map((tokens) => ['SELECT', ...tokens, '1'].join(' '));

  test('statements that are joined with semicolons come apart as they were (S1, S2)', () => {
    const space = fc.constantFrom('', ' ', '\n', ' \n ');
    fc.assert(
      fc.property(fc.array(fc.tuple(space, statement, space)), (parts) => {
        const source = parts.map(([before, text, after]) => before + text + after).join(';');
        expect(texts(source)).toEqual(parts.map(([, text]) => text));
      }),
    );
  });

  test('any text at all: pieces are cut from the source in order, and nothing but separators is left (S1, S3)', () => {
    const anything = fc.array(fc.constantFrom(...`'";$-/*eE\\\n\r a1`), { maxLength: 40 }).map((all) => all.join(''));
    fc.assert(
      fc.property(anything, (source) => {
        let end = 0;
        let left = '';
        for (const piece of splitStatements(source)) {
          expect(source.slice(piece.offset, piece.offset + piece.text.length)).toBe(piece.text);
          expect(piece.line).toBe(source.slice(0, piece.offset).split(/\r\n|\n|\r/).length);
          expect(piece.offset).toBeGreaterThanOrEqual(end);
          left += source.slice(end, piece.offset);
          end = piece.offset + piece.text.length;
        }
        expect(splitStatements(left)).toEqual([]);
      }),
    );
  });
});
