// Three resource managers that decide among themselves who deals, and coordinators that hold what they are dealt.
import { createClient } from '@connectrpc/connect';
import { HeartbeatService } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { TaskState } from '@tutti/contracts/tutti/task/v1/task_pb';
import { shardOfGroup } from '@tutti/resource-groups';
import { readRpcError } from '@tutti/service';
import { LeasePlayer } from './testing/lease-player.js';
import { SeatStage } from './testing/seat-stage.js';

const IDS = ['r1', 'r2', 'r3'];
const SHARD = shardOfGroup('global');

let stage: SeatStage;
const players: LeasePlayer[] = [];

/** A coordinator with streams to all resource managers. */
async function coordinator(id: string, incarnation = 1): Promise<LeasePlayer> {
  const player = new LeasePlayer({ coordinatorId: id, incarnation }, stage.clock, stage.connect);
  players.push(player);
  await stage.announce(id, BigInt(incarnation));
  for (const rm of IDS) player.talkTo(rm);
  return player;
}

/** Everybody is there, and somebody deals. */
async function begin(options: ConstructorParameters<typeof SeatStage>[0] = { ids: IDS }): Promise<LeasePlayer> {
  stage = new SeatStage(options);
  const c1 = await coordinator('c1');
  await stage.until(() => c1.ownerId !== undefined, 15_000);
  return c1;
}

const sampleOf = async (id: string, pattern: RegExp): Promise<number> => {
  const { text } = await stage.seat(id).metrics.expose();
  return Number(pattern.exec(text)?.[1] ?? NaN);
};

const listShards = (id: string) => createClient(SeatService, stage.seat(id).edge).listShards({});

/** A node that is not heard is forgotten after ten seconds: nothing of that here. */
const keepHeard = (id: string) => stage.announce(id);

/** A worker tells everybody that it runs queries of a coordinator. */
async function reportTasks(worker: string, coordinatorId: string, count: number): Promise<void> {
  const ack = await report(worker, coordinatorId, count, []);
  // A report that keeps to what it was just told.
  await report(worker, coordinatorId, count, ack);
}

let sequence = 0n;

async function report(workerId: string, coordinatorId: string, count: number, fencesKept: FencesKept[]) {
  const lease = { coordinatorIncarnation: 1n, shard: SHARD, epoch: 1n, seq: 1n };
  const tasks = Array.from({ length: count }, (_, index) => ({
    ...{ taskId: `q${index}.0.0`, queryId: `q${index}`, state: TaskState.RUNNING },
    ...{ coordinatorId, resourceGroup: 'global', lease },
  }));
  sequence++;
  const heard: FencesKept[] = [];
  for (const { transport } of stage.seats.values()) {
    const status = { case: 'worker' as const, value: { tasks, fencesKept } };
    const client = createClient(HeartbeatService, transport);
    const { ack } = await client.reportNode({ report: { nodeId: workerId, incarnation: 1n, sequence, status } });
    heard.push(...(ack?.fences ?? []).map(({ shard, epoch, version }) => ({ shard, epoch, version })));
  }
  return heard;
}

interface FencesKept {
  readonly shard: number;
  readonly epoch: bigint;
  readonly version: bigint;
}

afterEach(async () => {
  for (const player of players.splice(0)) player.leave();
  await stage.end();
});

it('one of them owns a group, and all slots are dealt within a moment of the first start', async () => {
  stage = new SeatStage({ ids: IDS });
  const c1 = await coordinator('c1');
  c1.submit(12);
  const tookMs = await stage.until(() => c1.running === 10, 2_000);
  expect(tookMs).toBeLessThanOrEqual(1_000);
  await stage.clock.advance(500);
  expect([c1.running, c1.waiting]).toEqual([10, 2]);

  const owner = c1.ownerId ?? '';
  for (const id of IDS) {
    const { shards, seats, problems } = await listShards(id);
    expect(seats?.seats).toEqual(IDS);
    expect(problems).toEqual([]);
    expect(shards.length).toBe(64);
    const shard = shards[SHARD];
    expect(shard).toMatchObject({ shard: SHARD, owner, rootGroups: ['global'], phase: id === owner ? 'dealing' : '' });
  }
});

it('a slot that is free on one coordinator goes to a query that waits on another', async () => {
  const c1 = await begin();
  c1.submit(10);
  await stage.until(() => c1.running === 10, 2_000);
  const c2 = await coordinator('c2');
  c2.submit(3);
  await stage.clock.advance(300);
  expect(c2.running).toBe(0);
  c1.finish(2);
  expect(await stage.until(() => c2.running === 2, 1_000)).toBeLessThanOrEqual(100);
  expect(c1.running + c2.running).toBe(10);
});

it('the owner dies: another one deals within four seconds, and knows what was dealt', async () => {
  const c1 = await begin();
  const c2 = await coordinator('c2');
  c1.submit(6);
  await stage.until(() => c1.running === 6, 2_000);
  const owner = c1.ownerId ?? '';
  stage.kill(owner);
  c2.submit(9);
  const tookMs = await stage.until(() => c2.running === 4, 6_000);
  expect(tookMs).toBeLessThanOrEqual(4_000);
  expect(c1.ownerId).not.toBe(owner);
  await stage.clock.advance(1_000);
  expect([c1.running, c2.running]).toEqual([6, 4]);
});

it('the owner stops in good order: the next one deals within two tenths of a second', async () => {
  const c1 = await begin();
  const c2 = await coordinator('c2');
  c1.submit(6);
  await stage.until(() => c1.running === 6, 2_000);
  await stage.clock.advance(4_000); // The others have the ledger by then.
  await keepHeard('c1');
  await keepHeard('c2');
  const owner = c1.ownerId ?? '';
  const stopped = stage.stop(owner);
  c2.submit(9);
  const tookMs = await stage.until(() => c2.running === 4, 2_000);
  await stopped;
  expect(tookMs).toBeLessThanOrEqual(200);
  expect(c1.ownerId).not.toBe(owner);
  expect(stage.seat(owner).log.lines.find(({ event }) => event === 'leases-given-up')?.fields).toMatchObject({
    outcome: 'handed-over',
    stillOwned: 0,
  });
});

it('a resource manager that comes back gets its groups again', async () => {
  const c1 = await begin();
  const owner = c1.ownerId ?? '';
  await stage.clock.advance(4_000);
  await keepHeard('c1');
  await stage.stop(owner);
  await stage.until(() => c1.ownerId !== undefined && c1.ownerId !== owner, 2_000);
  stage.start(owner, { firstStart: false });
  c1.talkTo(owner);
  for (let second = 0; second < 40 && c1.ownerId !== owner; second += 5) {
    await keepHeard('c1');
    await stage.clock.advance(5_000);
  }
  expect(c1.ownerId).toBe(owner);
});

it('a machine that was suspended gives up what it owns before it deals anything', async () => {
  const c1 = await begin();
  const owner = c1.ownerId ?? '';
  await stage.clock.advance(4_000);
  await keepHeard('c1');
  stage.clock.suspend(30_000);
  const { log } = stage.seat(owner);
  await stage.until(() => log.events().includes('machine-overslept'), 2_000);
  const { text } = await stage.seat(owner).metrics.expose();
  expect(text).toMatch(/^tutti_shards_lost_total\{reason="overslept"\} [1-9]/m);
  c1.submit(2);
  await stage.until(() => c1.running === 2, 15_000);
});

it('without a majority nothing is dealt, and nothing is owned', async () => {
  const c1 = await begin();
  const owner = c1.ownerId ?? '';
  for (const id of IDS) if (id !== owner) stage.kill(id);
  await stage.until(() => c1.ownerId === undefined, 4_000);
  c1.submit(3);
  await stage.clock.advance(3_000);
  expect(c1.running).toBe(0);
  const { shards } = await listShards(owner);
  expect(shards.filter(({ phase }) => phase !== '')).toEqual([]);
});

it('at rest nobody says more than one thing a second to anybody', async () => {
  const c1 = await begin();
  await stage.clock.advance(5_000);
  await keepHeard('c1');
  const sent = () =>
    Promise.all(IDS.map((id) => sampleOf(id, /^tutti_seat_messages_total\{direction="sent"\} (\d+)/m)));
  const [before, heardBefore] = [await sent(), c1.messages];
  await stage.clock.advance(8_000);
  const after = await sent();
  // Hold requests and their answers: each pair exchanges at most one of each per second.
  after.forEach((count, index) => expect(count - (before[index] ?? 0)).toBeLessThanOrEqual(8 * 4 + 2));
  expect(c1.messages - heardBefore).toBeLessThanOrEqual(8);
});

it('a node with other seats of the same version is told to everybody who looks', async () => {
  stage = new SeatStage({ ids: ['r1', 'r2'] });
  stage.start('r3', { ids: ['r3', 'r1'] });
  await stage.until(() => stage.seat('r1').log.events().includes('seat-problems'), 5_000);
  const { problems } = await listShards('r1');
  expect(problems.join()).toMatch(
    /^r3 has the seats r1, r3 \(version 1\), this one has r1, r2 \(version 1\)\. Both could deal the same slots\./,
  );
  expect(await sampleOf('r1', /^tutti_seat_problems (\d)/m)).toBe(1);
  await createClient(HeartbeatService, stage.seat('r1').transport).reportNode({
    report: { nodeId: 'c9', incarnation: 1n, sequence: 1n, status: { case: 'coordinator', value: {} } },
  });
  await stage.until(() => /r3 has the seats/.test(stage.seat('r1').readiness.at(-1) ?? ''), 5_000);
});

it('a worker is told which tasks to refuse in the answer to its report', async () => {
  const c1 = await begin();
  await stage.announce('w1');
  const heartbeats = createClient(HeartbeatService, stage.seat(c1.ownerId ?? '').transport);
  const fencesTold = async (number: bigint) => {
    const status = { case: 'worker' as const, value: {} };
    const { ack } = await heartbeats.reportNode({
      report: { nodeId: 'w1', incarnation: 1n, sequence: number, status },
    });
    return ack?.fences ?? [];
  };
  await fencesTold(1n);
  await stage.clock.advance(500);
  const fences = await fencesTold(2n);
  expect(fences.map(({ shard, leasedRootGroups }) => ({ shard, leasedRootGroups }))).toEqual([
    { shard: SHARD, leasedRootGroups: ['global'] },
  ]);
});

it('the list of groups says how each is limited, by whom, and what is held', async () => {
  const c1 = await begin();
  c1.submit(4);
  await stage.until(() => c1.running === 4, 2_000);
  for (const id of IDS) {
    const { groups } = await createClient(ResourceGroupService, stage.seat(id).edge).listResourceGroups({});
    const [global] = groups;
    expect(global).toMatchObject({ group: 'global', admissionMode: 'leased', owner: c1.ownerId, overAdmission: 0 });
    expect(global?.held === undefined).toBe(id !== c1.ownerId);
    if (global?.held !== undefined) expect(global.held).toBeGreaterThanOrEqual(4);
  }
});

it('what a coordinator and a worker left behind together is written off by an operator, and not while one is heard', async () => {
  const c1 = await begin();
  await stage.announce('w1');
  const c2 = await coordinator('c2');
  c2.submit(10);
  await stage.until(() => c2.running === 10, 2_000);
  await reportTasks('w1', 'c2', 10);
  await stage.clock.advance(500);
  await reportTasks('w1', 'c2', 10);
  c1.submit(5);
  const edge = createClient(ResourceGroupService, stage.seat(c1.ownerId ?? '').edge);
  const writeOff = () =>
    edge.writeOffCoordinator({ coordinatorId: 'c2' }).catch((error: unknown) => readRpcError(error));
  expect(await writeOff()).toMatchObject({ reason: 'COORDINATOR_HEARD' });
  c2.leave();
  for (let second = 0; second < 15; second += 5) {
    await keepHeard('c1');
    await stage.clock.advance(5_000);
  }
  // Nobody can say what is left of it.
  expect(c1.running).toBe(0);
  expect(
    await edge.writeOffCoordinator({ coordinatorId: 'c22' }).catch((error: unknown) => readRpcError(error)),
  ).toMatchObject({
    ...{ reason: 'COORDINATOR_NOT_FOUND', metadata: { coordinators: 'c2' } },
    message: 'no coordinator "c22" is known; could be written off: c2',
  });
  expect(await writeOff()).toMatchObject({
    ...{ slots: 10, resourceManagers: [{ resourceManagerId: c1.ownerId, slots: 10 }] },
  });
  await stage.until(() => c1.running === 5, 3_000);
});
