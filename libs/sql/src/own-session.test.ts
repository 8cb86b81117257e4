import { parseSessionStatement } from './own-session.js';

test.each([
  ['SET SESSION distribution = single', { kind: 'setSession', name: 'distribution', value: 'single' }],
  ["set session Tasks_Per_Worker='4';", { kind: 'setSession', name: 'Tasks_Per_Worker', value: '4' }],
  ['set session "adaptive" to false -- why', { kind: 'setSession', name: 'adaptive', value: 'false' }],
  ['set session broadcast_rows_max = -1', { kind: 'setSession', name: 'broadcast_rows_max', value: '-1' }],
  ['/* x */ RESET SESSION distribution', { kind: 'resetSession', name: 'distribution' }],
  ['show session', { kind: 'showSession', like: undefined }],
  ["show session like '%max'", { kind: 'showSession', like: '%max' }],
])('%j is about the session', (text, ok) => {
  expect(parseSessionStatement(text)).toEqual({ ok });
});

test.each(['select session from t', 'set x = 1', 'show tables', 'set session a = 1; set session b = 2', '-- session'])(
  '%j is not',
  (text) => {
    expect(parseSessionStatement(text)).toBeUndefined();
  },
);

test.each([
  ['set session', '1:12'],
  ['set session x', '1:14'],
  ['set session x =', '1:16'],
  ['set session x = ,', '1:17'],
  ['set session a.b = 1', '1:17'],
  ['set session x = 1 2', '1:19'],
  ['reset session', '1:14'],
  ['reset session all of them', '1:19'],
  ['show session x', '1:14'],
])('%j is refused at %s', (text, place) => {
  const parsed = parseSessionStatement(text);
  if (parsed === undefined || !('error' in parsed)) throw new Error(`${text} was accepted`);
  const { reason, line, column } = parsed.error;
  expect(`${reason} ${line}:${column}`).toBe(`SYNTAX_ERROR ${place}`);
});
