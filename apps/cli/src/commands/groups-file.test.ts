import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from '@connectrpc/connect';
import {
  ResourceGroupService,
  type SelectResourceGroupRequest,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { groupConfigVersion } from '@tutti/group-file';
import { type Routes, rpcError } from '@tutti/service';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { runInMemory } from '../testing/run-in-memory.js';

const GOOD = JSON.stringify({
  rootGroups: [
    {
      name: 'global',
      hardConcurrencyLimit: 20,
      maxQueued: 1000,
      softMemoryLimit: '80%',
      subGroups: [
        {
          name: '${USER}',
          hardConcurrencyLimit: 4,
          softConcurrencyLimit: 2,
          maxQueued: 10,
          perQueryLimits: { cpuTimeLimit: '1h' },
        },
        { name: 'etl', hardConcurrencyLimit: 10, maxQueued: 100 },
      ],
    },
  ],
  selectors: [
    { source: '(?i)airflow', group: 'global.etl' },
    { user: 'a.*', group: 'global.${USER}' },
  ],
});
const WRONG =
  '{\n  "rootGroups": [{ "name": "global", "hardConcurrencyLimit": 1, "maxQueued": 1, "maxFoo": 1 }],\n  "selectors": [{ "group": "globl" }]\n}\n';

/** It loads, but one of its selectors takes queries that then fail. */
const DOUBTFUL = GOOD.replace('"group":"global.etl"', '"group":"global"');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tutti-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'groups.json');
  writeFileSync(path, text);
  return path;
}

describe('tutti groups validate', () => {
  test('a good file: what is in it, and the version that nodes will tell', async () => {
    const path = file(GOOD);
    expect(await runInMemory(['groups', 'validate', path])).toEqual({
      exitCode: 0,
      stdout: `${path} is good: 3 groups, 2 selectors, version ${groupConfigVersion(GOOD)}\n`,
      stderr: '',
    });
  });

  test('a good file with a selector whose queries fail: a warning with its place, exit code 0', async () => {
    const path = file(DOUBTFUL);
    const { exitCode, stdout, stderr } = await runInMemory(['groups', 'validate', path]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const [warning = '', verdict] = stdout.split('\n');
    expect(warning.replace(/:1:\d+:/, ':1:C:')).toBe(
      `${path}:1:C: warning: selectors[0].group: queries fail: Cannot add queries to global. It is not a leaf group; ` +
        'queries go to groups without subgroups: global.${USER}, global.etl',
    );
    expect(verdict).toBe(`${path} is good: 3 groups, 2 selectors, version ${groupConfigVersion(DOUBTFUL)}`);
    const view = JSON.parse((await runInMemory(['groups', 'validate', '-o', 'json', path])).stdout) as object;
    expect(view).toMatchObject({ isGood: true, warnings: [{ line: 1, message: expect.stringContaining('leaf') }] });
  });

  test('a wrong file: every problem as FILE:line:column, exit code 1', async () => {
    const path = file(WRONG);
    const { exitCode, stdout, stderr } = await runInMemory(['groups', 'validate', path]);
    expect(exitCode).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    for (const line of lines) expect(line.startsWith(`${path}:`)).toBe(true);
    expect(lines.find((line) => line.includes('maxFoo'))).toMatch(/groups\.json:2:\d+: /);
    expect(lines.find((line) => line.includes('globl'))).toMatch(/groups\.json:3:\d+: /);
    expect(stderr).toBe(`${path} is wrong: ${lines.length} problems\n`);
  });

  test('standard input', async () => {
    const terminal = new FakeTerminal({ input: '{' });
    const { exitCode, stdout, stderr } = await runInMemory(['groups', 'validate', '-'], { terminal });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^standard input:1:\d+: /);
    expect(stderr).toMatch(/^standard input is wrong: \d+ problems?\n$/);
  });

  test('as json', async () => {
    const good = await runInMemory(['groups', 'validate', '-o', 'json', file(GOOD)]);
    expect(JSON.parse(good.stdout)).toMatchObject({ isGood: true, problems: [], groups: 3, selectors: 2 });
    const wrong = await runInMemory(['groups', 'validate', '-o', 'json', file(WRONG)]);
    expect(wrong.exitCode).toBe(1);
    const { isGood, problems } = JSON.parse(wrong.stdout) as { isGood: boolean; problems: { line: number }[] };
    expect(isGood).toBe(false);
    expect(problems).toContainEqual({
      line: 2,
      column: expect.any(Number) as number,
      message: expect.stringContaining('maxFoo') as string,
    });
  });

  test('a file that is too large is not even read', async () => {
    const path = file('');
    truncateSync(path, 11 * 2 ** 20);
    expect(await runInMemory(['groups', 'validate', path])).toMatchObject({
      exitCode: 1,
      stdout: `${path}: is larger than 10 MiB\n`,
    });
  });

  test('a file that is not there', async () => {
    const { exitCode, stderr } = await runInMemory(['groups', 'validate', '/nowhere/groups.json']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: cannot read the file of resource groups: ENOENT/);
  });
});

describe('tutti groups which --file', () => {
  test('tells the group, the selector, why, and the limits on the way, as a node would decide', async () => {
    const path = file(GOOD);
    const { exitCode, stdout } = await runInMemory([
      'groups',
      'which',
      '--file',
      path,
      '--user',
      'ann',
      '--source',
      'x',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^group +global\.ann\ntemplate +global\.\$\{USER\}\nselector +2\nbecause +selector 1 /);
    expect(stdout).toContain('limits    global: hardConcurrencyLimit 20, maxQueued 1000, softMemoryLimit 80%\n');
    expect(stdout).toContain(
      '          global.ann: hardConcurrencyLimit 4, maxQueued 10, softConcurrencyLimit 2, per query cpuTimeLimit 1.00h\n',
    );
    expect(stdout).toMatch(new RegExp(`\nversion +${groupConfigVersion(GOOD)}\n$`));
  });

  test('as json', async () => {
    const argv = ['groups', 'which', '--file', file(GOOD), '--source', 'Airflow', '-o', 'json'];
    const view = JSON.parse((await runInMemory(argv)).stdout) as { reasons: string[] };
    expect(view).toMatchObject({
      ...{ group: 'global.etl', template: 'global.etl', selector: 1, version: groupConfigVersion(GOOD) },
      limits: [
        { group: 'global', softMemoryLimitPercent: 80 },
        { group: 'global.etl', hardConcurrencyLimit: 10 },
      ],
    });
    expect(view.reasons).toHaveLength(1);
  });

  test('a query that no selector takes: what would happen to it, exit code 1', async () => {
    const { exitCode, stdout } = await runInMemory(['groups', 'which', '--file', file(GOOD), '--user', 'bob']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^group +none: the query would fail with MISSING_RESOURCE_GROUP_SELECTOR\nselector +none\nbecause +selector 1 /,
    );
    expect(stdout).not.toContain('\nlimits');
  });

  test('a wrong file', async () => {
    const { exitCode, stdout, stderr } = await runInMemory(['groups', 'which', '--file', file(WRONG)]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('maxFoo');
  });
});

describe('tutti groups which asks the cluster', () => {
  const asked: SelectResourceGroupRequest[] = [];
  beforeEach(() => (asked.length = 0));

  const routes: Routes = (router) =>
    router.service(ResourceGroupService, {
      selectResourceGroup: (request) => {
        asked.push(request);
        if (request.user === 'x'.repeat(300))
          return { selector: 2, reasons: ['selector 2 matches, but the name is too long'], configVersion: 'aaa' };
        return {
          ...{ group: 'global.ann.x', template: 'global.${USER}.x', selector: 2, configVersion: 'aaa' },
          reasons: ['selector 1 (group global.etl): source "x" does not match', 'selector 2 matches'],
        };
      },
      listResourceGroups: ({ group }) => {
        if (group === 'global')
          return {
            groups: [
              {
                group,
                running: 3,
                hardConcurrencyLimit: 20,
                queued: 1,
                maxQueued: 50,
                softConcurrencyLimit: 20,
                softMemoryLimitBytes: -1n,
              },
            ],
          };
        if (group === 'global.ann') throw rpcError(Code.NotFound, 'no such group', { reason: 'GROUP_NOT_FOUND' });
        throw rpcError(Code.Unavailable, 'No resource manager answers.', { reason: 'RESOURCE_MANAGERS_UNREACHABLE' });
      },
    });

  test('with all that selectors look at, and shows what is known of the groups on the way', async () => {
    const argv = ['groups', 'which', '--user', 'ann', '--source', 'x', '--principal', 'p', '--client-info', 'i'];
    argv.push('--client-tags', 'a,b', '--schema', 's', '--query-type', 'explain');
    argv.push('--resource-estimate', 'peak-memory=1GB');
    expect((await runInMemory(argv, { routes })).stdout).toBe(
      [
        'group     global.ann.x',
        'template  global.${USER}.x',
        'selector  2',
        'because   selector 1 (group global.etl): source "x" does not match',
        '          selector 2 matches',
        'limits    global: 3 of 20 run, 1 of 50 wait',
        '          global.ann: not in use now',
        '          global.ann.x: not known: No resource manager answers.',
        'version   aaa',
        '',
      ].join('\n'),
    );
    expect(asked).toMatchObject([
      {
        ...{ user: 'ann', source: 'x', principal: 'p', clientInfo: 'i', clientTags: ['a', 'b'], schema: 's' },
        ...{ queryType: 'EXPLAIN', estimates: { peakMemoryBytes: 1_073_741_824n } },
      },
    ]);
  });

  test('for the one who asks, when nothing is said', async () => {
    const terminal = new FakeTerminal({ env: { TUTTI_USER: 'ann' } });
    await runInMemory(['groups', 'which'], { routes, terminal });
    expect(asked).toMatchObject([{ user: 'ann', source: 'tutti-cli', queryType: 'SELECT', schema: '' }]);
  });

  test('a group that cannot be made', async () => {
    const { exitCode, stdout } = await runInMemory(['groups', 'which', '--user', 'x'.repeat(300)], { routes });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^group +none: the query would fail with INVALID_RESOURCE_GROUP\nselector +2\n/);
  });
});
