import { DISTRIBUTION_DEFAULTS } from './core/stage-settings.js';
import { answerSessionStatement } from './session-statements.js';

const answer = (text: string, properties = {}) =>
  answerSessionStatement(text, { properties, defaults: DISTRIBUTION_DEFAULTS });

test('SET SESSION tells the checked value, for the client to send', () => {
  expect(answer('set session Distribution = SINGLE')).toEqual({
    outcome: { kind: 'rows', columns: [], rows: [] },
    change: { set: { distribution: 'single' }, reset: [] },
  });
});

test('RESET SESSION tells the name, for the client to leave it out', () => {
  expect(answer('reset session tasks_per_worker', { tasks_per_worker: '9' })).toMatchObject({
    outcome: { columns: [], rows: [] },
    change: { set: {}, reset: ['tasks_per_worker'] },
  });
});

test('SHOW SESSION shows every setting with what holds and what would', () => {
  const shown = answer('SHOW SESSION', { distribution: 'forced' })?.outcome;
  if (shown?.kind !== 'rows') throw new Error('there are no rows');
  expect(shown.columns.map(({ name }) => name)).toEqual(['Name', 'Value', 'Default', 'Allowed', 'Description']);
  expect(shown.rows.map((row) => row.slice(0, 3))).toEqual([
    ['distribution', 'forced', 'auto'],
    ['tasks_per_worker', '4', '4'],
    ['task_rows', '5000000', '5000000'],
    ['broadcast_rows_max', '200000', '200000'],
    ['replicated_rows_max', '200000', '200000'],
    ['adaptive', 'true', 'true'],
    ['exchange_compression', 'none', 'none'],
  ]);
  expect(answer("show session like '%rows%'")?.outcome).toMatchObject({
    rows: [
      ['task_rows', '5000000', '5000000', expect.any(String), expect.any(String)],
      ['broadcast_rows_max', '200000', '200000', expect.any(String), expect.any(String)],
      ['replicated_rows_max', '200000', '200000', expect.any(String), expect.any(String)],
    ],
  });
});

test.each([
  ['set session distributon = single', 'INVALID_ARGUMENT 1:13', 'Did you mean "distribution"?'],
  ['set session distribution = all', 'INVALID_ARGUMENT 1:28', 'auto, single or forced'],
  ['reset\nsession nothing', 'INVALID_ARGUMENT 2:9', 'There is no setting "nothing"'],
  ['set session distribution', 'SYNTAX_ERROR 1:25', 'SET SESSION name = value'],
])('%j is refused as %s', (text, summary, message) => {
  const answered = answer(text);
  if (answered?.outcome.kind !== 'error') throw new Error(`${text} was accepted`);
  const { reason, line, column } = answered.outcome.error;
  expect(`${reason} ${line}:${column}`).toBe(summary);
  expect(answered.outcome.error.message).toContain(message);
  expect(answered.change).toBeUndefined();
});

test.each(['select 1', 'show tables', "select 'session'"])('%j is not about the session', (text) => {
  expect(answer(text)).toBeUndefined();
});
