import { parseSessionStatement } from './own-session.js';

const words = (text: string): string => {
  const parsed = parseSessionStatement(text);
  if (parsed === undefined || !('ok' in parsed)) throw new Error(`${text} was not accepted`);
  const statement = parsed.ok;
  switch (statement.kind) {
    case 'setSession':
      return `set ${statement.name.text} at ${statement.name.at} to ${statement.value.text} at ${statement.value.at}`;
    case 'resetSession':
      return `reset ${statement.name.text} at ${statement.name.at}`;
    case 'showSession':
      return `show ${statement.like}`;
  }
};

test.each([
  ['SET SESSION distribution = single', 'set distribution at 12 to single at 27'],
  ["set session Tasks_Per_Worker='4';", 'set Tasks_Per_Worker at 12 to 4 at 29'],
  ['set session "adaptive" to false -- why', 'set adaptive at 12 to false at 26'],
  ['set session broadcast_rows_max = -1', 'set broadcast_rows_max at 12 to -1 at 33'],
  ['/* x */ RESET SESSION distribution', 'reset distribution at 22'],
  ['show session', 'show undefined'],
  ["show session like '%max'", 'show %max'],
])('%j is about the session', (text, expected) => {
  expect(words(text)).toBe(expected);
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
