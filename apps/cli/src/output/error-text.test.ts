import { renderError, type StatementSource } from './error-text.js';
import { COLOURS, NO_COLOURS } from './styles.js';

const source = (text: string, more: Partial<StatementSource> = {}): StatementSource => ({
  text,
  fileName: undefined,
  line: 1,
  indent: '',
  ...more,
});
const SYNTAX = { name: 'SYNTAX_ERROR', message: 'syntax error at or near "FORM"' };
const render = (report: Parameters<typeof renderError>[0], width = 80) => renderError(report, NO_COLOURS, width);

test('the caret stands under the column', () => {
  expect(render({ ...SYNTAX, line: 2, column: 3, queryId: 'q1', source: source('SELECT *\n  FORM t') })).toBe(
    [
      'error: SYNTAX_ERROR: syntax error at or near "FORM"',
      '  line 2:   FORM t',
      '            ^',
      '  query q1',
      '',
    ].join('\n'),
  );
});

test('a place in a file is a place in the file, also behind another statement in the same line', () => {
  const second = source('SELECT FORM\n  x', { fileName: 'report.sql', line: 12, indent: 'SELECT 1; ' });
  expect(render({ ...SYNTAX, line: 1, column: 8, source: second })).toContain(
    '\n  report.sql:12: SELECT 1; SELECT FORM\n                                  ^\n',
  );
  expect(render({ ...SYNTAX, line: 2, column: 3, source: second })).toContain(
    '\n  report.sql:13:   x\n                   ^\n',
  );
});

test('wide characters and tabs before the place are counted in cells', () => {
  expect(render({ ...SYNTAX, line: 1, column: 13, source: source("\tSELECT '日', FORM") })).toContain(
    "\n  line 1:  SELECT '日', FORM\n                       ^\n",
  );
});

test('columns count characters, and lines end as they do everywhere', () => {
  const text = "SELECT 1,\r\n'😀😀' FORM\r, 2";
  expect(render({ ...SYNTAX, line: 2, column: 6, source: source(text) })).toContain(
    "\n  line 2: '😀😀' FORM\n                 ^\n",
  );
  expect(render({ ...SYNTAX, line: 3, column: 3, source: source(text) })).toContain('\n  line 3: , 2\n            ^\n');
});

test('a long line is cut around the place', () => {
  const text = `SELECT ${'a, '.repeat(100)}FORM ${'b, '.repeat(100)}`;
  const lines = render({ ...SYNTAX, line: 1, column: text.indexOf('FORM') + 1, source: source(text) }).split('\n');
  expect(lines[1]?.length).toBeLessThan(80);
  expect(lines[1]?.slice(lines[2]?.indexOf('^'))).toMatch(/^FORM b/);
});

test('without a place there is no context, with a line alone there is no caret', () => {
  expect(render({ ...SYNTAX, source: source('SELECT') })).toBe('error: SYNTAX_ERROR: syntax error at or near "FORM"\n');
  expect(render({ ...SYNTAX, line: 0, column: 0, source: source('SELECT') })).not.toContain('line');
  expect(render({ ...SYNTAX, line: 1, source: source('SELECT') })).toMatch(/\n {2}line 1: SELECT\n$/);
  expect(render({ ...SYNTAX, line: 9, column: 1, source: source('SELECT') })).not.toContain('line');
});

test('a message of several lines is indented, and moves no cursor', () => {
  expect(render({ name: 'QUERY_FAILED', message: 'a\n\x1b[2Jb', hint: 'Try again.' })).toBe(
    'error: QUERY_FAILED: a\n  \\x1b[2Jb\n  Try again.\n',
  );
});

test('the name stands out where there are colours', () => {
  expect(renderError(SYNTAX, COLOURS, 80)).toMatch(/^\x1b\[31merror:\x1b\[39m \x1b\[1mSYNTAX_ERROR\x1b\[22m: /);
});
