import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import {
  GroupState,
  type ListResourceGroupsRequest,
  type NodeGroupConfigSchema,
  type ResourceGroupSchema,
  ResourceGroupService,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type Routes, rpcError } from '@tutti/service';
import { runInMemory } from '../testing/run-in-memory.js';

type GroupInit = Omit<MessageInitShape<typeof ResourceGroupSchema>, '$typeName'>;
type ConfigInit = MessageInitShape<typeof NodeGroupConfigSchema>;

const group = (path: string, more: GroupInit = {}): GroupInit => ({
  group: path,
  template: path,
  state: GroupState.CAN_RUN,
  running: 3,
  softConcurrencyLimit: 10,
  hardConcurrencyLimit: 10,
  queued: 0,
  maxQueued: 100,
  memoryBytes: 1_073_741_824n,
  softMemoryLimitBytes: -1n,
  schedulingPolicy: 'fair',
  schedulingWeight: 1,
  coordinators: [
    { nodeId: 'c1', running: 1, queued: 0, age: durationFromMs(300), memoryBytes: 1_073_741_824n },
    { nodeId: 'c2', running: 2, queued: 0, age: durationFromMs(10) },
  ],
  ...more,
});
const LIMITED = group('global.alice', {
  template: 'global.${USER}',
  state: GroupState.CAN_QUEUE,
  softConcurrencyLimit: 2,
  queued: 4,
  softMemoryLimitBytes: 536_870_912n,
  cpuUsed: durationFromMs(18_000),
  softCpuLimit: durationFromMs(20_000),
  hardCpuLimit: durationFromMs(24_000),
  schedulingPolicy: 'weighted_fair',
  schedulingWeight: 3,
  guarantee: 1,
});

const asked: ListResourceGroupsRequest[] = [];
beforeEach(() => (asked.length = 0));

/** A coordinator that tells of these groups, one a page, and of what the nodes keep to. */
function serving(groups: GroupInit[], configs: ConfigInit[] = []): Routes {
  return (router) =>
    router.service(ResourceGroupService, {
      listResourceGroups: (request) => {
        asked.push(request);
        const found = groups.filter(({ group: path = '' }) =>
          `${path}.`.startsWith(request.group && `${request.group}.`),
        );
        if (request.group !== '' && found.length === 0)
          throw rpcError(Code.NotFound, `There is no group "${request.group}".`, { reason: 'GROUP_NOT_FOUND' });
        const at = Number(request.pageToken);
        return {
          groups: found.slice(at, at + 1),
          nextPageToken: at + 1 < found.length ? String(at + 1) : '',
          configs: at === 0 ? configs : [],
        };
      },
    });
}

describe('tutti groups', () => {
  test('is a table of all pages', async () => {
    const routes = serving([group('global'), group('global.adhoc')]);
    expect((await runInMemory(['groups'], { routes })).stdout).toBe(
      [
        ' group        | state   | running | limit | queued | max queued | memory | by coordinator (running + queued)',
        '--------------+---------+---------+-------+--------+------------+--------+-----------------------------------',
        ' global       | can run |       3 |    10 |      0 |        100 | 1.00GB | c1 1+0, c2 2+0',
        ' global.adhoc | can run |       3 |    10 |      0 |        100 | 1.00GB | c1 1+0, c2 2+0',
        '',
      ].join('\n'),
    );
    expect(asked).toMatchObject([{ pageToken: '' }, { pageToken: '1' }]);
  });

  test('has columns for soft limits and CPU where a group has them', async () => {
    const { stdout } = await runInMemory(['groups'], { routes: serving([group('global'), LIMITED]) });
    const rows = stdout.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    expect(rows[0]).toEqual(
      expect.arrayContaining(['group', 'state', 'running', 'soft', 'limit', 'queued', 'max queued', 'memory', 'cpu']),
    );
    expect(rows[3]?.slice(0, 9)).toEqual([
      ...['global.alice', 'can queue', '3', '2', '10', '4', '100', '1.00GB of 512.00MB', '18.00s of 24.00s'],
    ]);
  });

  test('GROUP: that one in full, with the next step, and those below it', async () => {
    const below = { ...LIMITED, group: 'global.alice.big' };
    const routes = serving([group('admin'), LIMITED, below]);
    const { stdout } = await runInMemory(['groups', 'global.alice'], { routes });
    expect(asked[0]).toMatchObject({ group: 'global.alice' });
    const [record, table] = stdout.split('\n\n');
    expect(record).toBe(
      [
        'group      global.alice',
        'template   global.${USER}',
        'state      can queue: no query could start now, but one could wait',
        'running    3 of 10, softConcurrencyLimit 2',
        'queued     4 of 100',
        'memory     1.00GB of 512.00MB',
        'cpu        18.00s used; fewer start from 20.00s; none start from 24.00s',
        'policy     weighted_fair, weight 3',
        'guarantee  1',
        'on         c1: 1 running, 0 queued, 1.00GB, heard 0.30 s ago',
        '           c2: 2 running, 0 queued, 0B, heard 0.01 s ago',
        'who waits  tutti queries why --group global.alice',
      ].join('\n'),
    );
    expect(table).toMatch(/^ group .*\n-.*\n global\.alice\.big .*\n$/);
  });

  const LEASED = { admissionMode: 'leased', owner: 'rm-2', ownerEpoch: 7n, held: 8 };

  test('tells by whom the slots are dealt, how many are held, and whether too many run', async () => {
    const full = async (more: GroupInit) =>
      (await runInMemory(['groups', 'global'], { routes: serving([group('global', more)]) })).stdout.split('\n');
    expect(await full(LEASED)).toEqual(
      expect.arrayContaining([
        'held       8 of 10, by all coordinators together',
        'admission  leased, by rm-2 in epoch 7',
      ]),
    );
    expect(await full({ admissionMode: 'leased' })).toContain('admission  leased, no owner is known');
    expect(await full({ admissionMode: 'gated' })).toContain('admission  gated');
    expect(await full({ ...LEASED, overAdmission: 2 })).toContain('over limit  2 more run, as the workers count them');
  });

  test('has a column for slots that are held, where the owner tells', async () => {
    const routes = serving([group('global', LEASED), group('other')]);
    const { stdout } = await runInMemory(['groups'], { routes });
    const rows = stdout.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    expect(rows.map((row) => row[3])).toEqual(['held', undefined, '8', '', undefined]);
  });

  test('a name that the shell would take apart is quoted in the next step', async () => {
    const routes = serving([group(`global."o'neil.x"`, { queued: 1 })]);
    const { stdout } = await runInMemory(['groups', `global."o'neil.x"`], { routes });
    expect(stdout).toContain(`tutti queries why --group 'global."o'\\''neil.x"'\n`);
  });

  test('a group that nobody knows', async () => {
    expect(await runInMemory(['groups', 'globl'], { routes: serving([group('global')]) })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: GROUP_NOT_FOUND: There is no group "globl".\n',
    });
  });

  test('none at all', async () => {
    expect((await runInMemory(['groups'], { routes: serving([]) })).stdout).toBe('no resource group is in use\n');
  });

  test('as json', async () => {
    const { stdout } = await runInMemory(['groups', '-o', 'json'], { routes: serving([group('global'), LIMITED]) });
    expect(JSON.parse(stdout)).toMatchObject([
      {
        ...{ group: 'global', state: 'CAN_RUN', running: 3, hardConcurrencyLimit: 10 },
        ...{ softMemoryLimitBytes: null, cpuUsedMs: null, hardCpuLimitMs: null },
        coordinators: [{ coordinator: 'c1', ageMs: 300, memoryBytes: 1_073_741_824 }, {}],
      },
      {
        ...{ template: 'global.${USER}', state: 'CAN_QUEUE', softConcurrencyLimit: 2 },
        ...{ softMemoryLimitBytes: 536_870_912, cpuUsedMs: 18_000, softCpuLimitMs: 20_000, hardCpuLimitMs: 24_000 },
      },
    ]);
  });
});

describe('tutti groups warns on standard error', () => {
  const config = (nodeId: string, version: string, problems: string[] = []): ConfigInit => ({
    nodeId,
    status: { version, problems },
  });
  const stderrWith = async (...configs: ConfigInit[]): Promise<string> => {
    const routes = serving([group('global')], configs);
    const { exitCode, stderr } = await runInMemory(['groups', '-o', 'json'], { routes });
    expect(exitCode).toBe(0);
    return stderr;
  };

  test('not at all when all nodes keep to one good file; a node that has not reported is no other version', async () => {
    expect(await stderrWith(config('c1', 'aaa'), config('rm1', 'aaa'), { nodeId: 'c2' })).toBe('');
  });

  test('when nodes keep different versions', async () => {
    const others = ['c3', 'c4', 'c5', 'c6', 'c7', 'c8'].map((nodeId) => config(nodeId, 'bbb'));
    expect(await stderrWith(config('c1', 'aaa'), config('c2', 'aaa'), ...others)).toBe(
      [
        'warning: nodes keep different resource groups: aaa on c1, c2; bbb on c3, c4, c5, c6, c7 and 1 more',
        '  A changed file takes effect within seconds of its arrival on a node. If this stays, compare the files there.',
        '',
      ].join('\n'),
    );
  });

  test('when a file is wrong, once for all nodes that say the same', async () => {
    const problems = ['line 8:6: rootGroups[0].maxFoo: Unknown property', 'line 9:1: \x1b[2J'];
    expect(await stderrWith(config('c1', 'aaa', problems), config('c2', 'aaa', problems), config('rm1', 'aaa'))).toBe(
      [
        'warning: the resource-groups file of c1, c2 is wrong; they keep version aaa',
        '  line 8:6: rootGroups[0].maxFoo: Unknown property',
        '  line 9:1: \\x1b[2J',
        '  Check a file before it is rolled out: tutti groups validate FILE',
        '',
      ].join('\n'),
    );
  });
});
