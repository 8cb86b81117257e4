import { WaitKind } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { FakeWorker } from './testing/fake-worker.js';
import { Listening, oneGroup, TestCluster, type TestCoordinator } from './testing/test-cluster.js';

describe('groups whose slots are leased', () => {
  let cluster: TestCluster;
  let worker: FakeWorker;
  afterEach(() => cluster.stop());

  const begin = (...resourceManagers: string[]) => {
    cluster = new TestCluster(resourceManagers.length > 0 ? resourceManagers : ['rm']);
    worker = cluster.worker('w1');
  };
  const hold = ({ client }: TestCoordinator) => new Listening(client, { statement: 'hold' });
  const state = ({ states }: Listening) => states.at(-1);
  const isRunning = (heard: Listening) => state(heard) === 'RUNNING';
  const messages = () => cluster.resourceManagers.reduce((sum, manager) => sum + manager.admissionMessages, 0);
  const reach = (reachable: boolean) => {
    for (const manager of cluster.resourceManagers) manager.reachable = reachable;
  };
  /** Runs `count` queries one after the other, 20 ms apart. */
  async function use({ client }: TestCoordinator, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const heard = new Listening(client, { statement: 'rows 1' });
      await cluster.until(() => heard.over, 1);
      expect(heard.error).toBeUndefined();
      await cluster.clock.advance(20);
    }
  }

  test('a query starts without any message to a resource manager while there is slack', async () => {
    begin();
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(20));
    await use(c1, 20);
    const starts = async (waited: string) => {
      const { text = '0' } =
        new RegExp(`tutti_admission_starts_total\\{waited="${waited}"\\} (?<text>\\d+)`).exec(await c1.expose())
          ?.groups ?? {};
      return Number(text);
    };
    const [startedBefore, waitedBefore] = [await starts('no'), await starts('yes')];
    const costs: number[] = [];
    for (let n = 0; n < 20; n++) {
      const before = messages();
      worker.onCreated = () => costs.push(messages() - before);
      const heard = new Listening(c1.client, { statement: 'rows 1' });
      await cluster.until(() => heard.over);
      await cluster.clock.advance(20);
    }
    expect(costs).toEqual(Array(20).fill(0));
    expect([await starts('no'), await starts('yes')]).toEqual([startedBefore + 20, waitedBefore]);
    const exposed = await c1.expose();
    expect(exposed).toMatch(/tutti_group_held\{resource_group="global"\} [1-9]/);
    expect(exposed).toMatch(/tutti_lease_age_seconds\{resource_group="global"\} [01]\./);
    expect(exposed).toMatch(/tutti_admission_rpcs_total\{kind="demand"\} [1-9]/);
  });

  test('it is counted which starts waited: for a grant, or for the end of another query', async () => {
    begin();
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const first = hold(c1);
    await cluster.until(() => isRunning(first), 1);
    const second = hold(c1);
    await cluster.until(() => state(second) === 'QUEUED', 1);
    worker.end('finish');
    await cluster.until(() => isRunning(second), 1);
    expect(await c1.expose()).toContain('tutti_admission_starts_total{waited="yes"} 2\n');
    expect(await c1.expose()).toContain('tutti_admission_starts_total{waited="no"} 0\n');
  });

  test('each task carries the lease by which its query started', async () => {
    begin();
    const running = hold(cluster.coordinator('c1', 'aaaaa', oneGroup(2)));
    await cluster.until(() => isRunning(running), 1);
    const [taskId = ''] = worker.created;
    expect(worker.leaseOf(taskId)?.stamp).toMatchObject({ coordinatorId: 'c1', incarnation: 1 });
  });

  test('a burst on three coordinators never runs more than the limit, and all of it runs', async () => {
    begin();
    const coordinators = ['aaaaa', 'bbbbb', 'ccccc'].map((suffix, n) =>
      cluster.coordinator(`c${n + 1}`, suffix, oneGroup(4)),
    );
    const burst = coordinators.flatMap((coordinator) => Array.from({ length: 8 }, () => hold(coordinator)));
    await cluster.until(() => {
      worker.end('finish');
      return burst.every(({ over }) => over);
    }, 25);
    expect(burst.map(({ error }) => error)).toEqual(Array(24).fill(undefined));
    expect(worker.peak).toBe(4);
  });

  test('what one coordinator gives back another one takes', async () => {
    begin();
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const c2 = cluster.coordinator('c2', 'bbbbb', oneGroup(1));
    const first = hold(c1);
    await cluster.until(() => isRunning(first), 1);
    const second = hold(c2);
    await cluster.clock.advance(2_000);
    expect(state(second)).toBe('QUEUED');
    expect(second.last?.waitReason).toMatchObject({
      kind: WaitKind.CONCURRENCY_LIMIT,
      blockingGroup: 'global',
      lease: { owner: 'rm', heldHere: 0, held: 1, valid: true },
    });
    worker.end('finish');
    const freedAt = cluster.clock.now();
    await cluster.until(() => isRunning(second), 1);
    expect(cluster.clock.now() - freedAt).toBeLessThanOrEqual(100);
  });

  test('who waits for a full group hears the same on the coordinator that runs it full and on the others', async () => {
    begin();
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const c2 = cluster.coordinator('c2', 'bbbbb', oneGroup(1));
    const first = hold(c1);
    await cluster.until(() => isRunning(first), 1);
    const [here, there] = [hold(c1), hold(c2)];
    await cluster.clock.advance(2_500);
    const said =
      /^waits in "global": 1 of 1 slots are held, (\d) here and (\d) on other coordinators \(lease of rm, (\d+) ms old\)/;
    for (const [heard, ...places] of [
      [here, '1', '0'],
      [there, '0', '1'],
    ] as const) {
      const [, ownSlots, otherSlots, ageMs] = said.exec(heard.last?.waitReason?.message ?? '') ?? [];
      expect([ownSlots, otherSlots]).toEqual(places);
      expect(heard.last?.waitReason?.dataAge).toMatchObject({ seconds: BigInt(Math.floor(Number(ageMs) / 1_000)) });
    }
  });

  test('a stream that breaks and comes back ends no lease: queries go on starting', async () => {
    begin();
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(20));
    await use(c1, 20);
    reach(false);
    await use(c1, 20);
    reach(true);
    await cluster.clock.advance(2_000);
    await use(c1, 20);
    expect(c1.log.events()).toContain('peer-lost');
  });

  describe('while all resource managers are away', () => {
    test('holdings last until they are over; then queries queue, and start within a second of the first grant', async () => {
      begin();
      const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(20));
      const running = hold(c1);
      await cluster.until(() => isRunning(running), 1);
      reach(false);
      await cluster.clock.advance(12_000);
      const late = new Listening(c1.client, { statement: 'rows 1' });
      await cluster.clock.advance(2_000);
      expect([state(late), late.last?.waitReason?.kind]).toEqual(['QUEUED', WaitKind.RESOURCE_MANAGERS_UNREACHABLE]);
      expect(late.last?.waitReason?.message).toContain('resource managers unreachable');
      expect(late.last?.waitReason?.lease).toMatchObject({ owner: '', valid: false });
      expect(state(running)).toBe('RUNNING');
      reach(true);
      const backAt = cluster.clock.now();
      await cluster.until(() => late.over, 10);
      expect(late.error).toBeUndefined();
      expect(cluster.clock.now() - backAt).toBeLessThanOrEqual(2_000);
      worker.end('finish');
      await cluster.until(() => running.over, 10);
      expect(running.error).toBeUndefined();
    });

    test('a query that was admitted and not sent waits again, and its whole wait counts', async () => {
      cluster = new TestCluster();
      const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(2));
      const heard = new Listening(c1.client, { statement: 'rows 1' });
      await cluster.until(() => state(heard) === 'WAITING_FOR_RESOURCES', 10);
      reach(false);
      await cluster.until(() => state(heard) === 'QUEUED', 100);
      await cluster.clock.advance(5_000);
      expect(heard.last?.waitReason?.kind).toBe(WaitKind.RESOURCE_MANAGERS_UNREACHABLE);
      expect(c1.log.events()).toContain('query-requeued');
      reach(true);
      await cluster.until(() => state(heard) === 'WAITING_FOR_RESOURCES', 10);
      cluster.worker('w1');
      await cluster.until(() => heard.over, 10);
      expect(heard.error).toBeUndefined();
      expect(heard.states).toEqual(expect.arrayContaining(['QUEUED', 'WAITING_FOR_RESOURCES', 'RUNNING', 'FINISHED']));
      expect(Number(heard.last?.queued?.seconds)).toBeGreaterThanOrEqual(14);
    });

    test('a coordinator that wakes when its lease is over says that a query has lost its slot, not that it keeps it', async () => {
      begin();
      const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(2));
      worker.mode = 'busy';
      const heard = new Listening(c1.client, { statement: 'rows 1' });
      await cluster.until(() => heard.last?.waitReason?.kind === WaitKind.NO_WORKERS, 10);
      reach(false);
      cluster.clock.standStill(12_000);
      await cluster.until(() => state(heard) === 'QUEUED', 10);
      for (const ms of [0, 300, 3_000]) {
        await cluster.clock.advance(ms);
        expect(heard.last?.waitReason?.message).toMatch(
          /^lost its slot, since its lease was over and no worker had a task of it; waits again in "global": /,
        );
      }
      worker.mode = 'accept';
      reach(true);
      await cluster.until(() => heard.over, 10);
      expect(heard.error).toBeUndefined();
    });

    test('a query that waits again can be canceled', async () => {
      cluster = new TestCluster();
      const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(2));
      const heard = new Listening(c1.client, { statement: 'rows 1' });
      await cluster.until(() => state(heard) === 'WAITING_FOR_RESOURCES', 10);
      reach(false);
      await cluster.until(() => state(heard) === 'QUEUED', 100);
      await c1.client.cancelQuery({ queryId: heard.last?.queryId ?? '' });
      await cluster.until(() => heard.over, 10);
      expect(state(heard)).toBe('CANCELED');
      expect([...c1.dispatcher.queries()]).toEqual([]);
    });

    test('a task that is lost is placed again only with a lease that holds', async () => {
      begin();
      const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(2));
      const heard = hold(c1);
      await cluster.until(() => isRunning(heard), 1);
      reach(false);
      await cluster.clock.advance(12_000);
      worker.end('die');
      await cluster.clock.advance(5_000);
      expect(worker.created).toHaveLength(1);
      expect(heard.last?.waitReason?.kind).toBe(WaitKind.RESOURCE_MANAGERS_UNREACHABLE);
      expect(heard.last?.waitReason?.message).toContain('lost its slot, since its lease was over');
      reach(true);
      await cluster.until(() => worker.created.length === 2, 10);
      worker.end('finish');
      await cluster.until(() => heard.over, 10);
      expect(heard.error).toBeUndefined();
    });
  });

  test('a query whose lost task may still be on a worker keeps its slot while the lease is over, and says so', async () => {
    begin();
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(2));
    const heard = hold(c1);
    await cluster.until(() => isRunning(heard), 1);
    reach(false);
    await cluster.clock.advance(12_000);
    worker.canceling = 'stay silent';
    worker.end('die');
    await cluster.clock.advance(5_000);
    expect(heard.last?.waitReason?.message).toMatch(
      /^keeps its slot in "global", but the lease was over .*, and a former one may still be on a worker; resource managers/,
    );
  });

  test('a task that a worker refuses since its lease is over comes again with a newer one', async () => {
    begin();
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(4));
    const first = hold(c1);
    await cluster.until(() => isRunning(first), 1);
    await cluster.clock.advance(100);
    const second = hold(c1);
    await cluster.until(() => isRunning(second), 1);
    const lease = worker.leaseOf(worker.created[1] ?? '');
    if (lease === undefined) throw new Error('the task came without a lease');
    worker.fence(lease);
    const third = hold(c1);
    await cluster.until(() => isRunning(third), 10);
    const newer = worker.leaseOf(worker.created[2] ?? '');
    expect(newer?.stamp.seq).toBeGreaterThan(lease.stamp.seq);
    expect(third.error).toBeUndefined();
  });

  test('another resource manager takes the group over, and nothing that runs notices', async () => {
    begin('rm1', 'rm2', 'rm3');
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(3));
    const running = hold(c1);
    await cluster.until(() => isRunning(running), 10);
    const before = cluster.ownerOf('global');
    const gone = cluster.resourceManagers.find(({ id }) => id === before);
    if (gone === undefined) throw new Error('nobody owns the group');
    gone.reachable = false;
    await cluster.until(() => cluster.ownerOf('global') !== undefined && cluster.ownerOf('global') !== before, 50);
    const others = [hold(c1), hold(c1), hold(c1)];
    await cluster.until(() => others.filter(isRunning).length === 2, 50);
    expect([state(running), worker.peak]).toEqual(['RUNNING', 3]);
    worker.end('finish');
    await cluster.until(() => others.every(isRunning), 10);
    expect(worker.peak).toBe(3);
  });

  test('any resource manager may be asked for groups: what only the owner knows is asked of the owner', async () => {
    begin('rm0', 'rm1', 'rm2');
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(3));
    const running = hold(c1);
    await cluster.until(() => isRunning(running), 10);
    const owner = cluster.ownerOf('global');
    const listed = async () => (await c1.groupClient.listResourceGroups({})).groups[0];
    expect(await listed()).toMatchObject({ owner, held: expect.any(Number) });
    const others = cluster.resourceManagers.filter(({ id }) => id !== owner);
    for (const { id, leases } of others) expect([id, leases?.view('global').held]).toEqual([id, undefined]);
    expect(owner).not.toBe('rm0'); // That one is asked first.
    cluster.cut(owner ?? '');
    expect((await listed())?.held).toBeUndefined();
  });

  describe('a slot is given back when every task is known to have ended', () => {
    test('a worker that does not confirm is asked until it does, and the slot stays taken', async () => {
      begin();
      const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
      const first = hold(c1);
      await cluster.until(() => isRunning(first), 1);
      worker.canceling = 'stay silent';
      await c1.client.cancelQuery({ queryId: first.last?.queryId ?? '' });
      await cluster.until(() => first.over, 1);
      const second = hold(c1);
      await cluster.clock.advance(30_000);
      expect(state(second)).toBe('QUEUED');
      expect(await c1.expose()).toContain('tutti_tasks_unconfirmed 1\n');
      worker.canceling = 'confirm';
      await cluster.until(() => isRunning(second), 10);
      expect(await c1.expose()).toContain('tutti_tasks_unconfirmed 0\n');
    });

    test('a worker that has been restarted runs nothing of its former life', async () => {
      begin();
      const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
      const first = hold(c1);
      await cluster.until(() => isRunning(first), 1);
      worker.canceling = 'stay silent';
      await c1.client.cancelQuery({ queryId: first.last?.queryId ?? '' });
      await cluster.until(() => first.over, 1);
      const second = hold(c1);
      await cluster.clock.advance(3_000);
      expect(state(second)).toBe('QUEUED');
      cluster.change('w1', { incarnation: 2 });
      await cluster.until(() => isRunning(second), 10);
    });
  });

  test('a coordinator that drains gives back what it holds at once', async () => {
    begin();
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(4));
    const c2 = cluster.coordinator('c2', 'bbbbb', oneGroup(4));
    await use(c1, 20);
    c1.dispatcher.admission.giveUpLeases();
    const all = [1, 2, 3, 4].map(() => hold(c2));
    await cluster.clock.advance(200);
    expect(all.every(isRunning)).toBe(true);
  });
});
