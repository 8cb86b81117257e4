import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import {
  type ExplainQueuedRequest,
  type QueryInfoSchema,
  QueryService,
  QueryState,
  WaitKind,
  type WaitReasonSchema,
} from '@tutti/contracts/tutti/query/v1/query_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type Routes, rpcError } from '@tutti/service';
import { runInMemory } from '../testing/run-in-memory.js';

type QueryInit = Omit<MessageInitShape<typeof QueryInfoSchema>, '$typeName'>;
type WaitInit = Omit<MessageInitShape<typeof WaitReasonSchema>, '$typeName'>;

const waiting = (queryId: string, wait: WaitInit = {}, more: QueryInit = {}): QueryInit => ({
  queryId,
  state: QueryState.QUEUED,
  session: { user: 'ann' },
  resourceGroup: 'global.adhoc.ann',
  coordinatorId: 'c1',
  elapsed: durationFromMs(12_300),
  queued: durationFromMs(12_300),
  priority: 1,
  waitReason: {
    kind: WaitKind.CONCURRENCY_LIMIT,
    blockingGroup: 'global',
    hardConcurrencyLimit: 20,
    runningHere: 2,
    runningElsewhere: 18,
    queuedAhead: 2,
    dataAge: durationFromMs(35),
    message: 'waits in "global": 20 of 20 run',
    limit: 20n,
    used: 20n,
    claimsHere: 1,
    position: 3,
    unblockedBy: 'a query of global ends',
    estimatedWait: durationFromMs(40_300),
    ...wait,
  },
  ...more,
});

const serving =
  (query: QueryInit): Routes =>
  (router) =>
    router.service(QueryService, { getQuery: () => ({ query }) });

const whyOf = async (query: QueryInit): Promise<string> => {
  const { exitCode, stdout } = await runInMemory(['queries', 'why', query.queryId ?? ''], { routes: serving(query) });
  expect(exitCode).toBe(0);
  return stdout;
};

describe('tutti queries why ID', () => {
  test('tells what is missing, which place the query has, and what to do next', async () => {
    expect(await whyOf(waiting('q1'))).toBe(
      [
        'query          q1',
        'state          queued',
        'group          global.adhoc.ann',
        'waits because  waits in "global": 20 of 20 run',
        'blocked by     global',
        'limit          20 of 20 queries run',
        'running        2 on c1, 18 on other coordinators',
        'claims         1 of c1',
        'place          3 of those that wait for global',
        'unblocked by   a query of global ends',
        'will wait      about 40 s',
        'data age       0.04 s',
        'coordinator    c1',
        'elapsed        12.30 s, of these 12.30 s queued',
        'next           tutti groups global',
        '',
      ].join('\n'),
    );
  });

  test.each<[keyof typeof WaitKind, bigint, bigint, string]>([
    ['MEMORY_LIMIT', 1_288_490_189n, 1_073_741_824n, '1.20GB of 1.00GB of memory held'],
    ['CPU_LIMIT', 10_800_000n, 7_200_000n, '3.00h of 2.00h of CPU used'],
    ['WORKERS_PER_QUERY_LIMIT', 3n, 3n, '3 queries run, 3 may with the workers that there are'],
  ])('a limit of kind %s in its own unit', async (kind, used, limit, text) => {
    const stdout = await whyOf(waiting('q1', { kind: WaitKind[kind], used, limit }));
    expect(stdout).toContain(`\nlimit          ${text}\n`);
    expect(stdout).toContain('\nnext           tutti groups global\n');
  });

  test.each<keyof typeof WaitKind>(['STALE_DATA', 'RESOURCE_MANAGERS_UNREACHABLE', 'NO_WORKERS'])(
    'what is missing is no limit (%s): no limit is shown, and the cluster is to be looked at',
    async (kind) => {
      const stdout = await whyOf(waiting('q1', { kind: WaitKind[kind] }));
      expect(stdout).not.toContain('\nlimit ');
      expect(stdout).toContain('\nnext           tutti status\n');
    },
  );

  const LEASE = { owner: 'rm-2', epoch: 7n, heldHere: 3, held: 20, valid: true, age: durationFromMs(400) };

  test('a group whose slots are dealt: by whom, and what is held', async () => {
    const stdout = await whyOf(waiting('q1', { lease: LEASE }));
    expect(stdout).toContain(
      [
        '\nowner          rm-2, epoch 7',
        'lease          holds, answered 0.40 s ago; c1 holds 3 of global.adhoc.ann; 20 of global are held in all\n',
      ].join('\n'),
    );
  });

  test('a group that nobody deals now', async () => {
    const { held, ...less } = LEASE;
    expect(held).toBe(20);
    const lease = { ...less, owner: '', valid: false, heldHere: 0, age: durationFromMs(15_000) };
    const stdout = await whyOf(waiting('q1', { kind: WaitKind.RESOURCE_MANAGERS_UNREACHABLE, lease }));
    expect(stdout).toContain('\nowner          none is known\n');
    expect(stdout).toContain('\nlease          is over, answered 15.00 s ago; c1 holds 0 of global.adhoc.ann\n');
  });

  test('what is not known is left out', async () => {
    const { estimatedWait, dataAge, ...less } = waiting('q1').waitReason ?? {};
    expect([estimatedWait, dataAge]).not.toContain(undefined);
    const stdout = await whyOf({ ...waiting('q1'), waitReason: { ...less, position: 0, claimsHere: 0 } as WaitInit });
    for (const name of ['will wait', 'data age', 'place', 'claims']) expect(stdout).not.toContain(`\n${name} `);
  });

  test('a query that runs does not wait', async () => {
    const { waitReason, ...running } = waiting('q1', {}, { state: QueryState.RUNNING, queued: durationFromMs(300) });
    expect(waitReason).toBeDefined();
    expect(await whyOf(running)).toBe(
      [
        'query        q1',
        'state        running: it does not wait',
        'group        global.adhoc.ann',
        'coordinator  c1',
        'elapsed      12.30 s, of these 0.30 s queued',
        'next         tutti queries show q1',
        '',
      ].join('\n'),
    );
  });

  test('a query that was turned away says why', async () => {
    const error = { reason: 'QUERY_QUEUE_FULL', message: 'Too many queued queries for "global"' };
    const stdout = await whyOf({ queryId: 'q1', state: QueryState.FAILED, error });
    expect(stdout).toMatch(
      /\nstate +failed: it does not wait\nerror +QUERY_QUEUE_FULL: Too many queued queries for "global"\n/,
    );
  });

  test('a query that was queued a moment ago', async () => {
    const stdout = await whyOf({ queryId: 'q1', state: QueryState.QUEUED, coordinatorId: 'c1' });
    expect(stdout).toContain('\nwaits because  its coordinator has not said why yet; ask again\n');
  });

  test('as json', async () => {
    const { stdout } = await runInMemory(['queries', 'why', 'q1', '-o', 'json'], { routes: serving(waiting('q1')) });
    expect(JSON.parse(stdout)).toMatchObject({
      queryId: 'q1',
      waitReason: {
        ...{ kind: 'CONCURRENCY_LIMIT', blockingGroup: 'global', limit: 20, used: 20, runningElsewhere: 18 },
        ...{ claimsHere: 1, position: 3, unblockedBy: 'a query of global ends', estimatedWaitMs: 40_300 },
      },
    });
  });
});

describe('tutti queries why', () => {
  const asked: ExplainQueuedRequest[] = [];
  beforeEach(() => (asked.length = 0));

  /** Coordinators where these queries wait, told in pages. */
  const queue =
    (queries: QueryInit[], unreachableCoordinators: string[] = []): Routes =>
    (router) =>
      router.service(QueryService, {
        explainQueued: (request) => {
          asked.push(request);
          const from = Number(request.pageToken);
          const to = from + Math.min(request.pageSize, 2);
          return {
            queries: queries.slice(from, to),
            nextPageToken: to < queries.length ? String(to) : '',
            unreachableCoordinators,
          };
        },
      });
  const FIVE = ['q1', 'q2', 'q3', 'q4', 'q5'].map((queryId, index) =>
    waiting(queryId, { position: index + 1 }, { session: { user: index % 2 === 0 ? 'ann' : 'bob' } }),
  );

  test('lists all that wait, as the cluster orders them', async () => {
    const { exitCode, stdout, stderr } = await runInMemory(['queries', 'why'], { routes: queue(FIVE.slice(0, 2)) });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(
      [
        ' query | user | group            | coordinator |  queued | place |  will wait | waits because',
        '-------+------+------------------+-------------+---------+-------+------------+---------------------------------',
        ' q1    | ann  | global.adhoc.ann | c1          | 12.30 s |     1 | about 40 s | waits in "global": 20 of 20 run',
        ' q2    | bob  | global.adhoc.ann | c1          | 12.30 s |     2 | about 40 s | waits in "global": 20 of 20 run',
        '',
      ].join('\n'),
    );
  });

  test('shows priorities where one has one', async () => {
    const routes = queue([waiting('q1', {}, { priority: 7 }), waiting('q2')]);
    const { stdout } = await runInMemory(['queries', 'why'], { routes });
    expect(stdout).toMatch(/\| priority \|.*\n.*\n q1 .*\| +7 \|.*\n q2 .*\| +1 \|/);
  });

  test('of one group, and says when there are more', async () => {
    const { stdout, stderr } = await runInMemory(['queries', 'why', '--group', 'global', '--limit', '3'], {
      routes: queue(FIVE),
    });
    expect(asked).toMatchObject([
      { group: 'global', pageSize: 4, pageToken: '' },
      { group: 'global', pageSize: 2, pageToken: '2' },
    ]);
    expect(stdout.match(/^ q\d/gm)).toEqual([' q1', ' q2', ' q3']);
    expect(stderr).toBe('more wait than the 3 shown: list them with a larger --limit\n');
  });

  test('of one user', async () => {
    const { stdout, stderr } = await runInMemory(['queries', 'why', '--user', 'bob', '--limit', '2'], {
      routes: queue(FIVE),
    });
    expect(stdout.match(/^ q\d/gm)).toEqual([' q2', ' q4']);
    expect(stderr).toBe('');
  });

  test('names coordinators that do not answer', async () => {
    const { exitCode, stderr } = await runInMemory(['queries', 'why', '-o', 'json'], { routes: queue(FIVE, ['c2']) });
    expect(exitCode).toBe(0);
    expect(stderr).toBe('warning: no answer from c2: what waits there is not listed\n');
  });

  test.each([
    [[], 'no query waits\n'],
    [['--user', 'bob'], 'no query of bob waits\n'],
  ])('when none waits: %j', async (flags, text) => {
    expect(await runInMemory(['queries', 'why', ...flags], { routes: queue([]) })).toMatchObject({
      exitCode: 0,
      stdout: text,
    });
  });

  describe('of a group in which none waits', () => {
    const knowing =
      (reason?: string): Routes =>
      (router) => {
        router.service(QueryService, { explainQueued: () => ({}) });
        router.service(ResourceGroupService, {
          listResourceGroups: ({ group }) => {
            if (reason !== undefined) throw rpcError(Code.NotFound, `No group "${group}".`, { reason });
            return { groups: [{ group }] };
          },
        });
      };
    const run = async (routes: Routes, ...flags: string[]) =>
      runInMemory(['queries', 'why', '--group', 'globl', ...flags], { routes });

    test.each([[[]], [['-o', 'json']]])('fails when nobody knows the group %j', async (flags) => {
      expect(await run(knowing('GROUP_NOT_FOUND'), ...flags)).toEqual({
        ...{ exitCode: 1, stdout: '' },
        stderr: 'error: GROUP_NOT_FOUND: No group "globl".\n',
      });
    });

    test('says so, also when the resource managers do not tell the groups', async () => {
      const none = { exitCode: 0, stdout: 'no query waits in globl\n', stderr: '' };
      expect(await run(knowing())).toEqual(none);
      expect((await run(knowing(), '--user', 'bob')).stdout).toBe('no query of bob waits in globl\n');
      expect(await run(knowing('RESOURCE_MANAGERS_UNREACHABLE'))).toEqual(none);
    });
  });
});
