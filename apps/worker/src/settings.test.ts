import { ConfigError, loadConfig } from '@tutti/service';
import { relations, settings } from './settings.js';

const load = (...argv: string[]) =>
  loadConfig(settings, {
    argv: ['--resource-managers-addresses', 'rm:9090', ...argv],
    env: {},
    relations,
    program: 'worker',
  });

test('the defaults are a worker for four tasks of 1 GB', () => {
  const { task, executor, exchange } = load();
  expect(task).toMatchObject({
    maxTasks: 4,
    memoryLimit: 2 ** 30,
    threads: 0,
    spillLimit: 10 * 2 ** 30,
    orphanTimeout: 10_000,
  });
  expect(exchange).toEqual({ directory: '', limit: 10 * 2 ** 30 });
  expect(executor).toEqual({ warm: 2, interruptGrace: 1_500, recycleRss: 512 * 2 ** 20 });
});

test('all that is wrong is said at once', () => {
  const wrong = () =>
    load(
      '--task-max-tasks',
      '1',
      '--task-memory-limit',
      '1MB',
      '--executor-warm',
      '3',
      '--executor-interrupt-grace',
      '40s',
    );
  expect(wrong).toThrow(ConfigError);
  expect(wrong).toThrow(/task.memoryLimit must be at least 16MB/);
  expect(wrong).toThrow(/executor.warm must be at least 1 and at most task.maxTasks/);
  expect(wrong).toThrow(/executor.interruptGrace must be less than drain.grace/);
});
