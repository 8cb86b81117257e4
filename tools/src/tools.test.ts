import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bench } from './bench/main.js';
import { percentile } from './bench/percentile.js';
import { childrenOf, cpuSeconds, rssBytes } from './bench/process-stats.js';
import { freePorts } from './free-ports.js';
import { roleEnvironment } from './role-environment.js';
import { mainCatalog, parseUpOptions } from './up.js';

const root = join(__dirname, '..', '..');

describe('free ports', () => {
  it('gives each port once, and another one when the preferred port is taken', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
    );
    const ports = await freePorts([port, ...Array<undefined>(27).fill(undefined)]);
    taken.close();
    expect(new Set(ports).size).toBe(28);
    expect(ports).not.toContain(port);
  });
});

describe('the options of npm start', () => {
  it('start 3 resource managers, 2 coordinators and 2 workers unless asked otherwise', () => {
    expect(parseUpOptions([])).toMatchObject({ resourceManagers: 3, coordinators: 2, workers: 2, once: false });
    expect(parseUpOptions(['--once', '--workers', '5', '--sql', 'SELECT 1'])).toMatchObject({
      once: true,
      workers: 5,
      statement: 'SELECT 1',
    });
  });

  it('take a statement that begins with a comment', () => {
    const statement = '-- revenue\nSELECT 1';
    expect(parseUpOptions(['--sql', statement, '--once'])).toMatchObject({ statement, once: true });
    expect(parseUpOptions(['--sql', '--once'])).toMatchObject({ exitCode: 2 });
  });

  it('list every wrong value, and how it is used', () => {
    const answer = parseUpOptions(['--workers', '0', '--coordinators', 'two', '--resource-groups', '/nowhere.json']);
    expect(answer).toMatchObject({ exitCode: 2 });
    const { usage } = answer as { usage: string };
    expect(usage).toContain('--workers must be a whole number from 1 to 16, was "0"');
    expect(usage).toContain('--coordinators must be a whole number from 1 to 16, was "two"');
    expect(usage).toContain('/nowhere.json does not exist');
    expect(usage).toContain('npm start -- [options]');
  });

  it('refuse an option that is not there', () => {
    expect(parseUpOptions(['--wrokers', '2'])).toMatchObject({
      exitCode: 2,
      usage: expect.stringContaining('--wrokers'),
    });
  });

  it('take the catalog "demo" for names without one, or the first of a folder that has none', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tutti-catalogs-'));
    for (const name of ['sales.json', 'billing.json', 'README.md']) writeFileSync(join(directory, name), '{}');
    expect(mainCatalog(directory)).toBe('billing');
    expect(mainCatalog(join(directory, 'sales.json'))).toBe('sales');
    writeFileSync(join(directory, 'demo.json'), '{}');
    expect(mainCatalog(directory)).toBe('demo');
    expect(mainCatalog(undefined)).toBe('demo');
    rmSync(directory, { recursive: true });
  });
});

describe('measurements', () => {
  it.each([
    [['nonsense'], 'there is no measurement "nonsense"\n\nnpm run bench -- NAME'],
    [['admision'], 'there is no measurement "admision"; did you mean admission?\n'],
    [['--verbose'], 'the name comes first, not "--verbose"\n'],
  ])('%j is refused with code 2, and it is said what is wrong', async (argv, said) => {
    const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const exitCode = await bench(argv, root);
    const [text] = write.mock.calls[0] ?? [];
    write.mockRestore();
    expect([exitCode, text]).toEqual([2, expect.stringContaining(said)]);
  });

  it('take percentiles by nearest rank', () => {
    expect([0.5, 0.99, 1].map((fraction) => percentile([5, 1, 4, 2, 3], fraction))).toEqual([3, 5, 5]);
  });

  it('read CPU, memory and children of a process', () => {
    expect(cpuSeconds(process.pid)).toBeGreaterThan(0);
    expect(rssBytes(process.pid)).toBeGreaterThan(1 << 20);
    expect(childrenOf(process.ppid)).toContain(process.pid);
  });
});

describe('the import rule', () => {
  const violations: readonly (readonly [string, string, string, string])[] = [
    [
      'core may not import a shell library',
      'libs/resource-groups',
      `import '@tutti/service';`,
      'may not import @tutti/service',
    ],
    [
      'core may not import wire types',
      'libs/sql',
      `import '@tutti/contracts/tutti/query/v1/query_pb';`,
      'may not import @tutti/contracts',
    ],
    ['core may not import Node', 'libs/resource-groups', `import 'node:fs';`, 'Core code is pure'],
    [
      'the pure part of a shell library is core, too',
      'libs/discovery/src/core',
      `import '@connectrpc/connect';`,
      'Core code is pure',
    ],
    [
      'an app may not import another app',
      'apps/worker',
      `import '@tutti/coordinator-app/testing';`,
      'may not import @tutti/coordinator-app',
    ],
    [
      'nobody reaches into the files of another project',
      'apps/worker',
      `import '../../../libs/base/src/clock.js';`,
      'by its package name',
    ],
    ['core does not read the clock', 'libs/resource-groups', `export const now = Date.now();`, 'Time is an argument'],
    ['core does not toss coins', 'libs/resource-groups', `export const coin = Math.random();`, 'Chance is an argument'],
    ['no promise floats', 'libs/service', `Promise.resolve();`, 'Promises must be awaited'],
  ];

  it('is broken by each planted violation, and lint says which', () => {
    const input = violations.map(([, directory, code]) => ({ file: anyFileOf(directory), code: `${code}\n` }));
    const result = spawnSync(process.execPath, ['tools/lint-text.mjs'], {
      cwd: root,
      encoding: 'utf8',
      input: JSON.stringify(input),
    });
    const messages = JSON.parse(result.stdout) as string[][];
    for (const [index, [name, , , expected]] of violations.entries()) {
      expect(`${name}: ${messages[index]?.join('; ')}`).toContain(expected);
    }
  }, 60_000);
});

/** Some source file of a folder: the violation is linted in its place, and never written. */
function anyFileOf(directory: string): string {
  const folder = directory.includes('/src') ? directory : `${directory}/src`;
  const file = readdirSync(join(root, folder)).find((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  return `${folder}/${file}`;
}

describe('npm start gives settings of its environment to the roles that have them', () => {
  const SETTINGS = {
    'resource-manager': new Set(['TUTTI_LOG_LEVEL', 'TUTTI_NODE_ID']),
    coordinator: new Set(['TUTTI_LOG_LEVEL', 'TUTTI_NODE_ID', 'TUTTI_CATALOGS_DEFAULT']),
    worker: new Set(['TUTTI_LOG_LEVEL', 'TUTTI_NODE_ID', 'TUTTI_TASK_THREADS']),
  };
  const of = (env: Record<string, string>) => roleEnvironment(env, (role) => SETTINGS[role]);

  test('and to no other: roles refuse what they do not know', () => {
    const log = { TUTTI_LOG_LEVEL: 'debug' };
    expect(of({ ...log, TUTTI_TASK_THREADS: '1', HOME: '/root', TUTTI_SERVER: 'http://a:1' })).toEqual({
      ok: { 'resource-manager': log, coordinator: log, worker: { ...log, TUTTI_TASK_THREADS: '1' } },
    });
  });

  test('what it cannot give to any is an error, with what to use instead', () => {
    expect(of({ TUTTI_TASK_THREAD: '1', TUTTI_CATALOGS_DEFAULT: 'tpch', TUTTI_NODE_ID: 'a' })).toEqual({
      problems: [
        'unknown environment variable TUTTI_TASK_THREAD: no role has such a setting',
        'TUTTI_CATALOGS_DEFAULT is not for npm start: use --catalog',
        'TUTTI_NODE_ID is not for npm start: npm start sets it itself',
      ],
    });
  });
});
