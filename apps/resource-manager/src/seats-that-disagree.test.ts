// Resource managers whose lists of seats contradict each other, or that are too few: who deals, who is ready, and what is said.
import { createClient } from '@connectrpc/connect';
import { SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { readRpcError } from '@tutti/service';
import { SeatStage } from './testing/seat-stage.js';

let stage: SeatStage;
afterEach(() => stage.end());

async function listShards(id: string) {
  return createClient(SeatService, stage.seat(id).edge).listShards({});
}

/** How many shards each of them deals. */
async function dealt(...ids: string[]): Promise<number[]> {
  const lists = await Promise.all(ids.map(listShards));
  return lists.map(({ shards }) => shards.filter(({ phase }) => phase === 'dealing').length);
}

async function sampleOf(id: string, name: string): Promise<number> {
  const { text } = await stage.seat(id).metrics.expose();
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
}

/** A coordinator is there, so that a resource manager that knows of nothing else is ready. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await stage.announce('c1');
    await stage.clock.advance(1_000);
  }
}

const readiness = (id: string): string => stage.seat(id).readiness.at(-1) ?? '';

it('three that each name only themselves: one deals from its first start on, the others never do, and say why', async () => {
  stage = new SeatStage({ ids: ['r1', 'r2', 'r3'], lists: { r1: ['r1'], r2: ['r2'], r3: ['r3'] } });
  for (let step = 0; step < 100; step++) {
    await stage.clock.advance(100);
    const dealers = (await dealt('r1', 'r2', 'r3')).filter((shards) => shards > 0);
    expect(dealers.length).toBeLessThanOrEqual(1);
  }
  expect(await dealt('r1', 'r2', 'r3')).toEqual([64, 0, 0]);
  await pass(1_000);
  expect(readiness('r2')).toMatch(/^not ready: .*r1 has the seats r1 \(version 1\), this one has r2 \(version 1\)\./);
  expect(readiness('r2')).toContain('This one deals nothing until that is mended');
  expect(readiness('r1')).not.toMatch(/^not ready: r2/);
  expect(readiness('r1')).toContain('r2 must not deal until that is mended');
  expect([await sampleOf('r1', 'tutti_seat_problems'), await sampleOf('r2', 'tutti_seat_problems')]).toEqual([2, 2]);
  expect([await sampleOf('r1', 'tutti_seat_ready'), await sampleOf('r2', 'tutti_seat_ready')]).toEqual([1, 0]);
  for (const id of ['r1', 'r2', 'r3']) {
    const { events, lines } = stage.seat(id).log;
    expect(events.call(stage.seat(id).log)).toContain('seat-problems');
    expect(lines.some(({ level }) => level === 'error')).toBe(true);
  }
});

it('the one that deals dies: another one waits for all that it can have granted, and deals then', async () => {
  stage = new SeatStage({ ids: ['r1', 'r2'], lists: { r1: ['r1'], r2: ['r2'] } });
  await stage.clock.advance(5_000);
  expect(await dealt('r1', 'r2')).toEqual([64, 0]);
  stage.kill('r1');
  // It is forgotten after 10 s; what it granted ends within another 10 s.
  for (let second = 0; second < 20; second++) {
    await stage.clock.advance(1_000);
    expect(await dealt('r2')).toEqual([0]);
  }
  await stage.clock.advance(5_000);
  expect(await dealt('r2')).toEqual([64]);
});

it('one with a list and a version of its own deals nothing, and the others go on', async () => {
  stage = new SeatStage({ ids: ['r1', 'r2', 'r3'] });
  await stage.clock.advance(2_000);
  stage.kill('r3');
  stage.start('r3', { ids: ['r3'], version: 2 });
  for (let second = 0; second < 20; second++) {
    await stage.clock.advance(1_000);
    expect(await dealt('r3')).toEqual([0]);
  }
  const [one = 0, two = 0] = await dealt('r1', 'r2');
  expect(one + two).toBe(64);
  const { problems, ready } = await listShards('r3');
  expect(ready).toBe(false);
  expect(problems.join()).toContain('r1, r2 have the seats r1, r2, r3 (version 1), this one has r3 (version 2).');
});

it('a seat that replaces another one in one step is not ready, and nothing is dealt twice or not at all', async () => {
  stage = new SeatStage({
    ids: ['r1', 'r2', 'r3', 'r4'],
    lists: { r4: undefined },
    seats: { ids: ['r1', 'r2', 'r3'] },
  });
  await stage.clock.advance(2_000);
  stage.start('r4', { ids: ['r1', 'r2', 'r4'], version: 2 });
  await pass(5_000);
  expect(readiness('r4')).toMatch(/^not ready: .*r1, r2, r3 have the seats r1, r2, r3 \(version 1\)/);
  expect((await dealt('r1', 'r2', 'r3')).reduce((sum, shards) => sum + shards, 0)).toBe(64);
  stage.kill('r1');
  stage.start('r1', { ids: ['r1', 'r2', 'r4'], version: 2, firstStart: false });
  await pass(20_000);
  expect(await dealt('r1', 'r4')).toEqual([0, 0]);
});

it('a seat that is added with the next version is no problem', async () => {
  stage = new SeatStage({
    ids: ['r1', 'r2', 'r3', 'r4'],
    lists: { r4: undefined },
    seats: { ids: ['r1', 'r2', 'r3'] },
  });
  await stage.clock.advance(2_000);
  stage.start('r4', { ids: ['r1', 'r2', 'r3', 'r4'], version: 2, firstStart: false });
  await pass(10_000);
  for (const id of ['r1', 'r2', 'r3', 'r4']) {
    expect((await listShards(id)).problems).toEqual([]);
    expect(readiness(id)).toBe('ready');
  }
  expect((await dealt('r1', 'r2', 'r3')).reduce((sum, shards) => sum + shards, 0)).toBe(64);
});

it('a seat without a majority is ready for reports, says that nothing is dealt, and does not count as a voter', async () => {
  stage = new SeatStage({ ids: ['r1', 'r2', 'r3'] });
  await stage.clock.advance(15_000);
  expect(await sampleOf('r1', 'tutti_seat_ready')).toBe(1);
  stage.kill('r2');
  stage.kill('r3');
  await pass(15_000);
  expect(await sampleOf('r1', 'tutti_seat_ready')).toBe(0);
  expect(await sampleOf('r1', 'tutti_seat_problems')).toBe(1);
  expect(readiness('r1')).toMatch(/^2 of 3 seats are not heard \(r2, r3\): without a majority nobody deals slots/);
});

it('where no seat exists those that look on say so', async () => {
  stage = new SeatStage({ ids: ['r1', 'r2'], seats: { ids: ['x1', 'x2', 'x3'] } });
  await pass(17_000);
  for (const id of ['r1', 'r2'])
    expect((await listShards(id)).problems.join()).toMatch(/^3 of 3 seats are not heard \(x1, x2, x3\)/);
});

it('a life of a seat from far in the future is refused, and changes nothing', async () => {
  stage = new SeatStage({ ids: ['r1', 'r2', 'r3'] });
  await stage.clock.advance(2_000);
  const before = await dealt('r1', 'r2', 'r3');
  const from = { seat: 'r2', incarnation: 99_999_999_999_999n };
  const requests = async function* () {
    yield { from, seatSetVersion: 1n, request: 1n, message: { case: 'hold' as const, value: { items: [] } } };
  };
  const error = await createClient(SeatService, stage.seat('r1').transport)
    .deliver(requests())
    .catch((thrown: unknown) => readRpcError(thrown));
  expect(error).toMatchObject({ reason: 'BAD_SEAT_MESSAGE' });
  await stage.clock.advance(3_000);
  expect(await dealt('r1', 'r2', 'r3')).toEqual(before);
});
