import { loadConfig } from '@tutti/service';
import { DISTRIBUTION_DEFAULTS } from './core/stage-settings.js';
import { distributionOf, relations, settings } from './settings.js';

describe('the configuration of a coordinator', () => {
  const load = (...argv: string[]) =>
    loadConfig(settings, {
      argv: ['--resource-managers-addresses', 'rm:9090', ...argv],
      env: {},
      relations,
      program: 'coordinator',
    });

  test('has the defaults of sessions', () => {
    expect(distributionOf(load())).toEqual(DISTRIBUTION_DEFAULTS);
    const argv = ['--distribution-mode', 'single', '--distribution-tasks-per-worker', '8'];
    expect(distributionOf(load(...argv, '--distribution-adaptive', 'false'))).toEqual({
      ...DISTRIBUTION_DEFAULTS,
      distribution: 'single',
      tasksPerWorker: 8,
      isAdaptive: false,
    });
  });

  test.each([
    [['--distribution-tasks-per-worker', '0'], 'distribution.tasksPerWorker must be at least 1 and at most 64'],
    [['--distribution-tasks-per-worker', '65'], 'distribution.tasksPerWorker must be at least 1 and at most 64'],
    [['--distribution-broadcast-rows-max', '1000000001'], 'must be at most 1000000000'],
    [['--distribution-mode', 'all'], 'distribution.mode'],
  ])('refuses %j', (argv, problem) => {
    expect(() => load(...argv)).toThrow(problem);
  });
});
