import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, createMetrics, loadConfig } from '@tutti/service';
import { loadCatalogs } from './catalog-files.js';
import { createCoordinatorMetrics } from './coordinator-metrics.js';
import { relations, settings } from './settings.js';
import { Listening, TestCluster } from './testing/test-cluster.js';

const problemsOf = (work: Promise<unknown>): Promise<readonly string[]> =>
  work.then(
    () => [],
    (error) => (error instanceof ConfigError ? error.problems : Promise.reject(error as Error)),
  );

describe('what stops a coordinator from starting', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tutti-test-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const write = (name: string, content: unknown) => {
    writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
    return join(directory, name);
  };
  const table = { format: 'csv', files: ['a.csv'], columns: [{ name: 'n', type: 'BIGINT' }] };

  test('good catalogs are loaded by the names of their files', async () => {
    write('demo.json', { schemas: { main: { tables: { numbers: table } } } });
    write('notes.txt', 'not a catalog');
    const [catalog, ...others] = await loadCatalogs([directory], 'demo');
    expect(others).toEqual([]);
    expect(catalog).toMatchObject({ name: 'demo', schemas: [{ name: 'main', tables: [{ name: 'numbers' }] }] });
  });

  test('everything that is wrong with the catalogs is told at once, with the file', async () => {
    write('broken.json', '{"schemas": ');
    write('wrong.json', { schemas: { main: { tables: { t: { ...table, format: 'xml' } } } } });
    const problems = await problemsOf(loadCatalogs([directory], 'demo'));
    expect(problems).toHaveLength(3);
    expect(problems[0]).toMatch(/broken\.json: .*JSON/);
    expect(problems[1]).toMatch(/wrong\.json: \$\.schemas\.main\.tables\.t/);
    expect(problems[2]).toMatch(/^catalogs\.default: there is no file demo\.json in /);
  });

  test('a directory without catalogs, or none at all', async () => {
    expect(await problemsOf(loadCatalogs([directory], 'demo'))).toEqual([
      expect.stringMatching(/^catalogs\.path: there is no/),
    ]);
    const missing = join(directory, 'missing');
    expect(await problemsOf(loadCatalogs([missing], 'demo'))).toEqual([
      expect.stringMatching(/^catalogs\.path: cannot read/),
    ]);
  });

  test('the defaults hold together; settings that contradict each other do not', () => {
    const load = (argv: string[]) => loadConfig(settings, { argv, env: {}, relations, program: 'coordinator' });
    const addresses = ['--resource-managers-addresses', 'a:1'];
    expect(load(addresses).usage).toEqual({ maxAge: 3_000, refreshInterval: 25 });
    expect(load(addresses).query.maxExecutionTime).toBe(3_600_000);
    const wrong = ['--usage-max-age', '1s', '--usage-refresh-interval', '2s', '--catalogs-path', ''];
    expect(() => load(wrong)).toThrow(ConfigError);
    try {
      load(wrong);
    } catch (error) {
      expect((error as ConfigError).problems).toEqual([
        expect.stringContaining('usage.maxAge must be at least 2 times heartbeat.interval'),
        expect.stringContaining('usage.refreshInterval must be shorter than usage.maxAge'),
        expect.stringContaining('resourceManagers.addresses must name at least one'),
        expect.stringContaining('catalogs.path must name at least one file or directory'),
      ]);
    }
  });
});

test('the metrics tell states, groups, outcomes, waits, ages and bytes', async () => {
  const cluster = new TestCluster();
  const worker = cluster.worker('w1');
  const { client, expose } = cluster.coordinator('c1', 'aaaaa');
  const done = new Listening(client, { statement: 'rows 2' });
  await cluster.until(() => done.over, 1);
  const failed = new Listening(client, { statement: 'typo' });
  await cluster.until(() => failed.over, 1);
  const running = new Listening(client, { statement: 'hold' });
  await cluster.until(() => running.states.includes('RUNNING'), 1);
  const text = await expose();
  for (const line of [
    'tutti_queries{state="running"} 1',
    'tutti_queries{state="queued"} 0',
    'tutti_queries_started_total 3',
    'tutti_queries_ended_total{outcome="finished",reason=""} 1',
    'tutti_queries_ended_total{outcome="failed",reason="SYNTAX_ERROR"} 1',
    'tutti_group_running{resource_group="global"} 1',
    'tutti_group_queued{resource_group="global"} 0',
    'tutti_admission_wait_seconds_count 2',
    'tutti_result_rows_total 2',
    'tutti_result_bytes_total 8',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).toMatch(/tutti_usage_age_seconds \d/);
  expect(text).toMatch(/tutti_query_history_bytes [1-9]/);
  worker.end('finish');
  cluster.stop();
});

test('before anything has happened the metrics are there as well', async () => {
  const metrics = createMetrics({}, { processMetrics: false });
  createCoordinatorMetrics(metrics).watch({
    queries: () => [],
    groups: () => [],
    leases: () => [],
    tasksUnconfirmed: () => 0,
    usageAgeMs: () => undefined,
    historyBytes: () => 0,
  });
  expect((await metrics.expose()).text).toContain('tutti_usage_age_seconds Nan\n');
});
