// Exact limits on real processes: three resource managers, three coordinators that all want more than there is, two workers.
import { existsSync, readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { createClient } from '@connectrpc/connect';
import { type ResourceGroup, ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { shardOfGroup } from '@tutti/resource-groups';
import { createClusterTransport, createEdgeTransport, readRpcError } from '@tutti/service';
import { connect, eventually, type QueryClient, runQuery, startCluster, type TestCluster } from './harness.js';
import type { LocalNode } from '@tutti/tools/local-cluster';
import { firstTimeOf, peakOf, type TaskTime, TaskTimes } from './task-times.js';

const LIMIT = 6;
const LOOPS_PER_COORDINATOR = 4;
/** In the same shard as "work", so that both have one owner. Each query of a new user needs a grant. */
const PROBE = 'probe-64';
const GROUPS = {
  rootGroups: [
    { name: 'work', hardConcurrencyLimit: LIMIT, maxQueued: 1000, schedulingPolicy: 'fair' },
    {
      name: PROBE,
      hardConcurrencyLimit: 50,
      maxQueued: 1000,
      schedulingPolicy: 'fair',
      subGroups: [{ name: '${USER}', hardConcurrencyLimit: 1, maxQueued: 10 }],
    },
  ],
  selectors: [{ source: 'probe', group: `${PROBE}.\${USER}` }, { group: 'work' }],
};
/** Less than the 10.5 s that it takes when nobody knows what was dealt. Far more than is usual: this machine is busy. */
const TAKEN_OVER_MS = 8_000;
const HANDED_OVER_MS = 5_000;
const FROZEN_MS = 12_000;
const SHORT_QUERY = 'SELECT count(*) AS n FROM range(3000000) AS a(i) WHERE hash(i) % 7 = 3';

/** Queries one after another on one coordinator, until it is told to stop. Failures are kept: some are expected. */
class Load {
  readonly failures: { readonly atMs: number; readonly reason: string }[] = [];
  completed = 0;
  private stopped = false;
  private readonly done: Promise<unknown>;

  constructor(
    private readonly client: QueryClient,
    readonly coordinatorId: string,
  ) {
    this.done = Promise.all(Array.from({ length: LOOPS_PER_COORDINATOR }, () => this.loop()));
  }

  stop(): Promise<unknown> {
    this.stopped = true;
    return this.done;
  }

  private async loop(): Promise<void> {
    while (!this.stopped) {
      try {
        await runQuery(this.client, { statement: SHORT_QUERY });
        this.completed++;
      } catch (error) {
        this.failures.push({ atMs: Date.now(), reason: readRpcError(error).reason ?? String(error) });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

/** Queries that compute leave no time to the others on a small machine; whoever admits them is what this is about. */
function lowerPriorityOfExecutors({ cluster }: TestCluster): void {
  for (const { pid } of cluster.byRole('worker')) {
    const file = `/proc/${pid}/task/${pid}/children`;
    const children = existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean) : [];
    for (const child of children) setPriority(Number(child), constants.priority.PRIORITY_LOW);
  }
}

describe('a group with a limit, over three coordinators', () => {
  let test: TestCluster;
  let clients: QueryClient[];
  let loads: Load[];
  let times: TaskTimes;
  let probes = 0;

  beforeAll(async () => {
    const worker = ['--log-level', 'debug', '--task-threads', '1', '--task-max-tasks', '8', '--executor-warm', '8'];
    test = await startCluster({ coordinators: 3, groups: GROUPS, arguments: { worker } });
    times = new TaskTimes(test);
    clients = [1, 2, 3].map((number) => connect(test.cluster.url(number)));
    lowerPriorityOfExecutors(test);
    loads = clients.map((client, index) => new Load(client, `coordinator-${index + 1}`));
  }, 120_000);
  afterAll(async () => {
    await Promise.all((loads ?? []).map((load) => load.stop()));
    clients?.forEach((client) => client.close());
    await test?.close();
  }, 120_000);

  const workTimes = (): TaskTime[] => times.all().filter(({ resourceGroup }) => resourceGroup === 'work');
  const fullSince = (sinceMs: number, withinMs: number, isCounted = (_: TaskTime) => true): Promise<number> =>
    eventually(`${LIMIT} queries run`, withinMs, async () =>
      firstTimeOf(LIMIT, workTimes().filter(isCounted), sinceMs),
    );
  const failures = () => loads.flatMap((load) => load.failures);

  /** The group as its owner knows it; undefined while nobody says that it is the owner. */
  const dealt = async (group: string): Promise<ResourceGroup | undefined> => {
    for (const node of test.cluster.byRole('resource-manager')) {
      if (!node.running) continue;
      const transport = createEdgeTransport({ url: `http://127.0.0.1:${node.ports.edge}` });
      const { groups } = await createClient(ResourceGroupService, transport).listResourceGroups(
        {},
        { timeoutMs: 5_000 },
      );
      transport.close();
      const found = groups.find((candidate) => candidate.group === group);
      if (found?.owner === node.id) return found;
    }
    return undefined;
  };
  const owner = async () => (await eventually('an owner', 20_000, () => dealt('work'))).owner;
  /** Resolves when a resource manager that was started again votes on who owns what: only then another one may go. */
  const votes = (node: LocalNode): Promise<true> =>
    eventually(`${node.id} votes`, 30_000, async () => {
      const transport = createClusterTransport({ address: `127.0.0.1:${node.ports.cluster}` });
      const answer = createClient(SeatService, transport).listShards({}, { timeoutMs: 2_000 });
      const ready = await answer.then((shards) => shards.ready).catch(() => false); // It is starting.
      transport.close();
      return ready || undefined;
    });
  /** What the owner began with, the last time that a resource manager became it: as it said in its log. */
  const beganWith = (id: string): unknown =>
    readFileSync(test.cluster.node(id).logFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"shards-acquired"'))
      .map((line) => JSON.parse(line) as { readonly knows: string; readonly shards: string })
      .findLast(({ shards }) => shards.split(' ').includes(String(shardOfGroup('work'))))?.knows;

  /** Asks for a slot that needs a grant, again and again while `action` goes on and `afterMs` longer; the longest it took. */
  async function slowestProbe(afterMs: number, action: () => Promise<void>): Promise<number> {
    let until = Infinity;
    let slowestMs = 0;
    const probing = (async () => {
      while (performance.now() < until) {
        const session = { user: `user-${probes++}`, source: 'probe' } as never;
        const startedAt = performance.now();
        await runQuery(clients[0] as QueryClient, { statement: 'SELECT 1 AS one', session });
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      }
    })();
    await action();
    until = performance.now() + afterMs;
    await probing;
    return Math.round(slowestMs);
  }

  it('runs as many queries as it may, and never more', async () => {
    expect(shardOfGroup(PROBE)).toBe(shardOfGroup('work'));
    await fullSince(Date.now(), 30_000);
    await slowestProbe(2_000, async () => undefined);
    expect(peakOf(workTimes())).toBe(LIMIT);
    expect(failures()).toEqual([]);
  }, 60_000);

  it('kill -9 of the owner: another one deals soon, since it knows what was dealt, and no query fails', async () => {
    const first = await owner();
    const node = test.cluster.node(first);
    const slowest = await slowestProbe(1_000, async () => {
      await node.kill();
      await eventually('another owner', TAKEN_OVER_MS, async () => ((await owner()) === first ? undefined : true));
    });
    expect(slowest).toBeLessThan(TAKEN_OVER_MS);
    expect(beganWith(await owner())).toBe('copies');
    await fullSince(Date.now(), 10_000);
    node.start();
    await votes(node);
    expect(failures()).toEqual([]);
    expect(peakOf(workTimes())).toBe(LIMIT);
  }, 90_000);

  it('SIGTERM of the owner: it hands over, and nobody waits long', async () => {
    const first = await owner();
    const node = test.cluster.node(first);
    const slowest = await slowestProbe(1_000, () => node.stop(20_000));
    expect(slowest).toBeLessThan(HANDED_OVER_MS);
    expect(await owner()).not.toBe(first);
    expect(beganWith(await owner())).toBe('handedOver');
    node.start();
    await votes(node);
    expect(failures()).toEqual([]);
    expect(peakOf(workTimes())).toBe(LIMIT);
  }, 90_000);

  it('SIGSTOP of a coordinator: the others get its slots, and it goes on when it wakes', async () => {
    const frozen = test.cluster.node('coordinator-3');
    frozen.signal('SIGSTOP');
    const stoppedMs = Date.now();
    await fullSince(stoppedMs, 30_000, ({ coordinatorId }) => coordinatorId !== frozen.id);
    await eventually(
      'it is frozen for a while',
      FROZEN_MS,
      async () => Date.now() > stoppedMs + FROZEN_MS || undefined,
    );
    frozen.signal('SIGCONT');
    const wokenMs = Date.now();
    await fullSince(wokenMs, 20_000);
    await eventually(
      'it runs queries again',
      20_000,
      async () =>
        workTimes().some(({ coordinatorId, startMs }) => coordinatorId === frozen.id && startMs > wokenMs) || undefined,
    );
    expect(peakOf(workTimes())).toBe(LIMIT);
    // What it ran was stopped, and begins again or fails with an error that says to try again.
    expect(failures().filter(({ reason }) => reason !== 'WORKER_LOST')).toEqual([]);
  }, 120_000);

  it('kill -9 of a coordinator: the others get its slots', async () => {
    const dead = test.cluster.node('coordinator-3');
    await dead.kill();
    await fullSince(Date.now(), 30_000, ({ coordinatorId }) => coordinatorId !== dead.id);
    expect(peakOf(workTimes())).toBe(LIMIT);
    expect((await eventually('an owner', 20_000, () => dealt('work'))).overAdmission).toBe(0);
  }, 90_000);
});
