import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigAccepted, ConfigError, HelpRequested, loadConfig } from './config.js';
import {
  advertisedHost,
  choice,
  commonSettings,
  count,
  duration,
  flag,
  list,
  nodeIdOf,
  port,
  requiredText,
  sensitive,
  size,
  text,
} from './settings.js';

const schema = {
  cluster: { port: port(9090, 'the cluster port') },
  catalogs: { default: text('demo', 'a group may have a setting called default'), path: text('catalogs', 'where') },
  heartbeat: { interval: duration('1s', 'how often') },
  nodes: { lease: duration('10s', 'how long'), suspectAfter: duration('2.5s', 'how long') },
  task: { memoryLimit: size('1GB', 'per task'), threads: count(0, '0 = cores'), spill: flag(true, 'may spill') },
  peers: list([], 'others'),
  log: { level: choice(['debug', 'info'], 'info', 'least level') },
  secret: sensitive(text('', 'a token')),
};

const relations = (config: { heartbeat: { interval: number }; nodes: { lease: number } }) => ({
  'nodes.lease must be at least 3 heartbeat.interval': config.nodes.lease >= 3 * config.heartbeat.interval,
});

describe('loadConfig', () => {
  let directory: string;
  beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'tutti-config-'))));
  afterAll(() => rmSync(directory, { recursive: true }));

  function file(name: string, content: string): string {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  }

  const load = (argv: string[] = [], env: Record<string, string> = {}) =>
    loadConfig(schema, { argv, env, relations, program: 'tutti-test' });

  function problems(argv: string[], env: Record<string, string> = {}): readonly string[] {
    try {
      load(argv, env);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
    return [];
  }

  test('defaults are read as they are written: durations in ms, sizes in bytes', () => {
    expect(load()).toEqual({
      cluster: { port: 9090 },
      catalogs: { default: 'demo', path: 'catalogs' },
      heartbeat: { interval: 1_000 },
      nodes: { lease: 10_000, suspectAfter: 2_500 },
      task: { memoryLimit: 2 ** 30, threads: 0, spill: true },
      peers: [],
      log: { level: 'info' },
      secret: '',
    });
  });

  test('the command line is above the environment, that above the file, that above the defaults', () => {
    const path = file(
      'layers.yaml',
      'cluster: { port: 1 }\nheartbeat:\n  interval: 2s\ncatalogs: { default: other }\n',
    );
    const env = { TUTTI_CLUSTER_PORT: '2', TUTTI_NODES_LEASE: '20s' };
    const config = load(['--config', path, '--cluster-port', '3'], env);
    expect(config.cluster.port).toBe(3);
    expect(config.nodes.lease).toBe(20_000);
    expect(config.heartbeat.interval).toBe(2_000);
    expect(config.catalogs).toEqual({ default: 'other', path: 'catalogs' });
    expect(load([], { ...env, TUTTI_CONFIG: path }).cluster.port).toBe(2);
  });

  test('a JSON file works as well, with lists and an empty file', () => {
    const path = file('c.json', '{"peers": ["a:1", "b:2"], "task": {"memoryLimit": "512MB", "threads": 2}}');
    expect(load([`--config=${path}`])).toMatchObject({
      peers: ['a:1', 'b:2'],
      task: { memoryLimit: 2 ** 29, threads: 2 },
    });
    expect(load(['--config', file('empty.yaml', '')]).cluster.port).toBe(9090);
  });

  test('lists take commas, flags stand alone, words with capitals become kebab and snake', () => {
    const config = load(['--peers', 'a:1, b:2,', '--task-spill', '--nodes-suspect-after=3s'], {
      TUTTI_TASK_MEMORY_LIMIT: '2GB',
    });
    expect(config.peers).toEqual(['a:1', 'b:2']);
    expect(config.task).toEqual({ memoryLimit: 2 ** 31, threads: 0, spill: true });
    expect(config.nodes.suspectAfter).toBe(3_000);
    expect(load(['--task-spill', 'false']).task.spill).toBe(false);
    expect(load(['--secret', '0123']).secret).toBe('0123');
  });

  test('every problem is listed at once, with its value and its place', () => {
    const path = file('bad.yaml', 'heartbeat: { interval: 5, intervall: 1s }\ntask: 7\n');
    const argv = ['--config', path, '--cluster-port', '70000', '--log-level=loud', '--cluster-prot', '1', 'stray'];
    const env = { TUTTI_TASK_THREADS: '2 cores', TUTTI_CLUSTR_PORT: '9090', TUTTI_SECRET: 'x', HOME: '/root' };
    expect(problems(argv, env)).toEqual([
      `unknown setting heartbeat.intervall: did you mean heartbeat.interval? (from ${path})`,
      `task must be a group of settings (from ${path})`,
      'unknown environment variable TUTTI_CLUSTR_PORT: did you mean TUTTI_CLUSTER_PORT?',
      'unknown argument --cluster-prot: did you mean --cluster-port?',
      'unknown argument stray',
      'cluster.port: must be a port, 0 to 65535: value was "70000" (from --cluster-port)',
      `heartbeat.interval: must be a duration such as 500ms, 1s or 5m: value was "5" (from ${path})`,
      'task.threads: must be a whole number, 0 or more: value was "2 cores" (from TUTTI_TASK_THREADS)',
      'log.level: must be one of the possible values: ["debug","info"]: value was "loud" (from --log-level)',
    ]);
  });

  test('a broken relation is a problem, once the values themselves are right', () => {
    expect(problems(['--heartbeat-interval', '4s'])).toEqual(['nodes.lease must be at least 3 heartbeat.interval']);
    expect(problems(['--heartbeat-interval', 'soon'])).toHaveLength(1);
  });

  test('a secret is never shown', () => {
    const strict = { token: sensitive(choice(['a'], 'a', 'one of few')) };
    const call = () => loadConfig(strict, { argv: [], env: { TUTTI_TOKEN: 'hunter2' }, program: 'p' });
    expect(call).toThrow(ConfigError);
    expect(call).not.toThrow(/hunter2/);
  });

  test('a value that is required names its flag and its variable', () => {
    const strict = { node: { id: requiredText('who') } };
    const call = () => loadConfig(strict, { argv: [], env: {}, program: 'p' });
    expect(call).toThrow('node.id: is required (set --node-id or TUTTI_NODE_ID)');
    expect(loadConfig(strict, { argv: ['--node-id', 'n'], env: {}, program: 'p' }).node.id).toBe('n');
  });

  test.each([
    [['--cluster-port'], '--cluster-port needs a value'],
    [['--cluster-port', '--peers', 'a'], '--cluster-port needs a value'],
    [['--cluster-port', '1', '--cluster-port', '2'], '--cluster-port is given twice'],
    [['--config', '/nowhere/at/all.json'], /^\/nowhere\/at\/all.json: cannot be read: ENOENT/],
  ])('%j is a problem', (argv, problem) => {
    const [first] = problems(argv);
    if (typeof problem === 'string') expect(first).toBe(problem);
    else expect(first).toMatch(problem);
  });

  test('a file that is no YAML, or no group, is one problem', () => {
    expect(problems(['--config', file('broken.json', '{"a"')])).toHaveLength(1);
    expect(problems(['--config', file('list.yaml', '- a\n- b\n')])).toEqual([
      `the file must be a group of settings (from ${join(directory, 'list.yaml')})`,
    ]);
  });

  test('variables that Kubernetes makes for Services are not taken for misspelt settings', () => {
    const env = {
      TUTTI_COORDINATOR_SERVICE_HOST: '10.0.0.1',
      TUTTI_COORDINATOR_SERVICE_PORT: '8080',
      TUTTI_COORDINATOR_PORT: 'tcp://10.0.0.1:8080',
      TUTTI_COORDINATOR_PORT_8080_TCP_ADDR: '10.0.0.1',
    };
    expect(problems([], env)).toEqual([]);
  });

  test('--help shows every setting with its names, default and meaning', () => {
    let help = '';
    try {
      load(['--help', '--cluster-port', 'wrong']);
    } catch (error) {
      if (error instanceof HelpRequested) help = error.text;
    }
    expect(help).toMatch(/usage: tutti-test/);
    expect(help).toMatch(/--task-memory-limit +1GB +TUTTI_TASK_MEMORY_LIMIT +per task/);
    expect(help).toMatch(/--log-level +info +TUTTI_LOG_LEVEL +least level \(debug, info\)/);
  });

  test('--check-config goes no further, and says what is wrong or that nothing is', () => {
    expect(() => load(['--check-config', '--cluster-port', '7'])).toThrow(ConfigAccepted);
    expect(problems(['--cluster-port', 'x', '--check-config', '--nodes-leese', '1s'])).toHaveLength(2);
    const options = { argv: ['--check-config'], env: {}, program: 'worker', warnings: () => ['nobody means that'] };
    expect(() => loadConfig(schema, options)).toThrow('the configuration is right\n  - warning: nobody means that');
  });

  test('the common settings load, and name the node', () => {
    const config = loadConfig(commonSettings, { argv: ['--cluster-port', '7'], env: {}, program: 'p' });
    const wrong = () =>
      loadConfig(commonSettings, { argv: ['--resource-managers-addresses', 'a:1,b'], env: {}, program: 'p' });
    expect(wrong).toThrow(
      'resourceManagers.addresses: must be a list of host:port or dns:NAME:PORT: value was "a:1,b"',
    );
    expect(config.drain).toEqual({ grace: 30_000, announceDelay: 0 });
    expect(nodeIdOf(config, 'worker')).toMatch(/^worker-.+-7$/);
    const at = (host: string, bind: string) => advertisedHost({ node: { id: '', host }, bind: { host: bind } });
    expect(at('10.0.0.9', '0.0.0.0')).toBe('10.0.0.9');
    expect(at('', '127.0.0.1')).toBe('127.0.0.1');
    expect(at('', '10.0.0.7')).toBe('10.0.0.7');
    expect(at('', '0.0.0.0')).not.toBe('0.0.0.0');
  });
});

test('names of the client and the tools may stand in the environment of a node', () => {
  const env = { TUTTI_SERVER: 'http://127.0.0.1:8080', TUTTI_USER: 'ada', TUTTI_ROOT: '/srv/tutti' };
  expect(() => loadConfig(commonSettings, { argv: [], env, program: 'worker' })).not.toThrow();
});
