import { createClient } from '@connectrpc/connect';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type QueryInfo, QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { createEdgeTransport } from '@tutti/service';
import {
  type BackgroundQuery,
  connect,
  ENDLESS,
  eventually,
  type QueryClient,
  root,
  runningTasks,
  startCluster,
  startQuery,
  type TestCluster,
} from './harness.js';

/** What Presto's documentation shows, unchanged. */
const EXAMPLE = readFileSync(join(root, 'libs/resource-groups/src/testdata/presto-example.json'), 'utf8');

const OTHER = 'global.adhoc.other';
const PIPELINE = 'global.pipeline';
/** Of the example: the groups that fill up here, with their hardConcurrencyLimit. */
const LIMITS: Readonly<Record<string, number>> = {
  [OTHER]: 2,
  [`${OTHER}.alice`]: 1,
  [`${OTHER}.carol`]: 1,
  [`${PIPELINE}.pipeline_dave`]: 5,
};
const EFFECTIVE_WITHIN_MS = 5_000;

describe("Presto's documented example file, over two coordinators", () => {
  let test: TestCluster;
  let clients: QueryClient[];
  let file: string;
  const queries: BackgroundQuery[] = [];
  const ends: Promise<unknown>[] = [];

  beforeAll(async () => {
    test = await startCluster({ groups: EXAMPLE });
    file = join(test.directory, 'resource-groups.json');
    clients = [connect(test.cluster.url(1)), connect(test.cluster.url(2))];
  }, 120_000);
  afterAll(async () => {
    clients?.forEach((client) => client.close());
    await test?.close();
  }, 60_000);

  const start = async (user: string, source: string, number: number): Promise<void> => {
    const client = clients[number % 2] as QueryClient;
    const query = await startQuery(client, { statement: ENDLESS, session: { user, source } as never });
    ends.push(query.result.catch(() => undefined));
    queries.push(query);
  };
  const infoOf = async ({ id }: BackgroundQuery) => (await (clients[0] as QueryClient).getQuery({ queryId: id })).query;
  const infos = async () => (await Promise.all(queries.map(infoOf))).flatMap((info) => (info ? [info] : []));
  const groups = async () => {
    const transport = createEdgeTransport({ url: test.cluster.url(1) });
    const client = createClient(ResourceGroupService, transport);
    return client.listResourceGroups({}, { timeoutMs: 5_000 }).finally(() => transport.close());
  };
  const writeGroups = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  const isWaiting = ({ state }: QueryInfo) => state === QueryState.QUEUED;
  const isOfDave = ({ session }: QueryInfo) => session?.user === 'dave';
  const tasksIn = (group: string) => runningTasks(test, (task) => task.resourceGroup.startsWith(group));

  it('twenty queries of three users respect every limit, as the workers count, and each that waits says why', async () => {
    // A query for which there seems to be a slot may wait beside those of maxQueued. So whoever takes the slots of adhoc
    // comes first, and is known before others ask.
    const startNumber = (user: string, number: number) =>
      start(user, user === 'dave' ? 'nightly-pipeline' : 'cli', number);
    for (const [number, user] of ['alice', 'carol', 'dave', 'dave'].entries()) await startNumber(user, number);
    await eventually('those of adhoc are known to run', 10_000, async () =>
      (await groups()).groups.some(({ group, running }) => group === OTHER && running === 2) ? true : undefined,
    );
    for (let number = 4; number < 20; number++) {
      const user = ['dave', 'alice', 'dave', 'carol'][number % 4] as string;
      await startNumber(user, number + Math.floor(number / 4));
    }
    await eventually('every group is as full as it may be', 30_000, async () => {
      const running = await Promise.all(Object.keys(LIMITS).map(tasksIn));
      const limits = Object.values(LIMITS);
      expect(running.every((count, index) => count <= (limits[index] as number))).toBe(true);
      return running.join() === limits.join() ? true : undefined;
    });
    // adhoc lets one wait; who finds it taken is turned away by the next answer, in the words that Presto uses.
    const all = await eventually('no more than one waits in adhoc', 5_000, async () => {
      const now = await infos();
      return now.filter((info) => isWaiting(info) && !isOfDave(info)).length <= 1 ? now : undefined;
    });
    const waiting = all.filter(isWaiting);
    expect(waiting.filter(isOfDave)).toHaveLength(5);
    const refused = all.filter(({ state }) => state === QueryState.FAILED);
    expect(refused).toHaveLength(20 - waiting.length - 7);
    for (const { error } of refused) expect(error?.message).toMatch(/^Too many queued queries for "global\.adhoc/);
    for (const { waitReason } of waiting) {
      expect(waitReason?.message).toMatch(/^waits in "global\./);
      expect(waitReason?.unblockedBy).not.toBe('');
      expect(waitReason?.position).toBeGreaterThan(0);
    }
  }, 90_000);

  it('a changed file changes the limits while queries run, within five seconds, everywhere', async () => {
    const example = JSON.parse(EXAMPLE) as Spec;
    find(example, 'global.pipeline.pipeline_${USER}').hardConcurrencyLimit = 6;
    const changedAt = performance.now();
    writeGroups(JSON.stringify(example));
    await eventually('a sixth one of dave runs', EFFECTIVE_WITHIN_MS, async () =>
      (await tasksIn(PIPELINE)) === 6 ? true : undefined,
    );
    const { configs } = await eventually('all nodes keep to one version', EFFECTIVE_WITHIN_MS, async () => {
      const answer = await groups();
      const versions = new Set(answer.configs.map(({ status }) => status?.version));
      return versions.size === 1 && answer.configs.length === 5 ? answer : undefined;
    });
    expect(configs.every(({ status }) => status?.problems.length === 0)).toBe(true);
    expect(performance.now() - changedAt).toBeLessThan(EFFECTIVE_WITHIN_MS);
  }, 60_000);

  it('a broken file breaks nothing: the last good one holds, and everybody says what is wrong', async () => {
    const before = (await groups()).configs[0]?.status?.version;
    writeGroups('{ "rootGroups": [ { "name": "global", "maxFoo": 1 } ], "selectors": [');
    const { configs } = await eventually('all nodes tell of the problem', EFFECTIVE_WITHIN_MS, async () => {
      const answer = await groups();
      return answer.configs.length === 5 && answer.configs.every(({ status }) => status?.problems.length !== 0)
        ? answer
        : undefined;
    });
    expect(configs.map(({ status }) => status?.version)).toEqual(Array(5).fill(before));
    expect(configs[0]?.status?.problems.join('\n')).toMatch(/line 1:\d+/);
    const [running] = (await infos()).filter(
      ({ resourceGroup, state }) => resourceGroup.startsWith(PIPELINE) && state === QueryState.RUNNING,
    );
    const queryId = running?.queryId ?? '';
    await (clients[0] as QueryClient).cancelQuery({ queryId, reason: 'make room' });
    const isGone = async () =>
      (await runningTasks(test, (task) => task.queryId === queryId)) === 0 ? true : undefined;
    await eventually('its task has stopped', 10_000, isGone);
    await eventually('the place that became free is taken', 10_000, async () =>
      (await tasksIn(PIPELINE)) === 6 ? true : undefined,
    );
    expect(await tasksIn(OTHER)).toBe(2);
  }, 60_000);

  it('the whole queue can be canceled', async () => {
    await Promise.all(
      queries.map(({ id }) => (clients[1] as QueryClient).cancelQuery({ queryId: id, reason: 'over' })),
    );
    await Promise.all(ends);
    await eventually('no task is left', 20_000, async () => ((await runningTasks(test)) === 0 ? true : undefined));
  }, 60_000);
});

interface Group {
  readonly name: string;
  hardConcurrencyLimit: number;
  readonly subGroups?: readonly Group[];
}
interface Spec {
  readonly rootGroups: readonly Group[];
}

/** The group with this path in the file. */
function find({ rootGroups }: Spec, path: string): Group {
  let level: readonly Group[] = rootGroups;
  let found: Group | undefined;
  for (const name of path.split('.')) {
    found = level.find((group) => group.name === name);
    level = found?.subGroups ?? [];
  }
  if (found === undefined) throw new Error(`no group ${path} in the example`);
  return found;
}
