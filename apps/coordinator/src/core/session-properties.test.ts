import fc from 'fast-check';
import {
  checkProperty,
  checkPropertyName,
  distributionSettings,
  propertyValue,
  SESSION_PROPERTIES,
} from './session-properties.js';
import { DISTRIBUTION_DEFAULTS } from './stage-settings.js';

test.each([
  ['DISTRIBUTION', ' Forced ', { name: 'distribution', value: 'forced' }],
  ['tasks_per_worker', '064', { name: 'tasks_per_worker', value: '64' }],
  ['broadcast_rows_max', '0', { name: 'broadcast_rows_max', value: '0' }],
  ['adaptive', 'False', { name: 'adaptive', value: 'false' }],
  ['exchange_compression', 'zstd', { name: 'exchange_compression', value: 'zstd' }],
])('P1: %j = %j is spelled in one way', (name, value, ok) => {
  expect(checkProperty(name, value)).toEqual({ ok });
});

test.each([
  ['distribution', 'all', 'The setting distribution must be auto, single or forced; it is "all".'],
  ['tasks_per_worker', '0', 'The setting tasks_per_worker must be a whole number from 1 to 64; it is "0".'],
  ['tasks_per_worker', '65', 'a whole number from 1 to 64'],
  ['tasks_per_worker', '2.5', 'it is "2.5"'],
  ['replicated_rows_max', '-1', 'a whole number from 0 to 1000000000'],
  ['broadcast_rows_max', '1e3', 'it is "1e3"'],
  ['adaptive', '1', 'The setting adaptive must be true or false; it is "1".'],
  ['exchange_compression', 'gzip', 'must be none, lz4 or zstd'],
  ['task_per_worker', '2', 'There is no setting "task_per_worker" of sessions. Did you mean "tasks_per_worker"?'],
  ['query_max_memory', '2', 'There are: distribution, tasks_per_worker,'],
])('%s = %s is refused: %s', (name, value, problem) => {
  expect(checkProperty(name, value)).toEqual({ problem: expect.stringContaining(problem) });
});

test('a long name or value is cut in the message', () => {
  const checked = checkProperty('distribution', 'x'.repeat(10_000));
  expect('problem' in checked && checked.problem.length).toBeLessThan(250);
  const named = checkPropertyName('y'.repeat(10_000));
  expect('problem' in named && named.problem.length).toBeLessThan(350);
});

test('P2: what a session does not set is as the coordinator is configured', () => {
  const defaults = { ...DISTRIBUTION_DEFAULTS, tasksPerWorker: 7, exchangeCompression: 'lz4' } as const;
  expect(distributionSettings({}, defaults)).toEqual(defaults);
  expect(distributionSettings({ distribution: 'single', adaptive: 'false' }, defaults)).toEqual({
    ...defaults,
    distribution: 'single',
    isAdaptive: false,
  });
});

test('what was checked means what it says, and is shown as it is kept', () => {
  const names = SESSION_PROPERTIES.map(({ name }) => name);
  const values = fc.oneof(
    fc.constantFrom('auto', 'single', 'forced', 'true', 'false', 'none', 'lz4', 'zstd'),
    fc.nat(2_000_000_000).map(String),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.constantFrom(...names), values, (name, value) => {
      const checked = checkProperty(name, value);
      if (!('ok' in checked)) return;
      const settings = distributionSettings({ [name]: checked.ok.value }, DISTRIBUTION_DEFAULTS);
      expect(propertyValue(name, settings)).toBe(checked.ok.value);
      expect(checkProperty(name, checked.ok.value)).toEqual(checked);
    }),
  );
});
