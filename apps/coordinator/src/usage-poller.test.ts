import type { Instant } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import type { UsageSnapshot } from '@tutti/resource-groups';
import { TestLog } from '@tutti/service/testing';
import type { UsageAnswer, UsageQuestion } from './usage-client.js';
import { UsagePoller } from './usage-poller.js';

type Answering = 'usage' | 'refuses' | 'is silent';

class World {
  readonly clock = new FakeClock(1_000);
  readonly asked: { address: string; at: number; sequence: number }[] = [];
  readonly usages: UsageSnapshot[] = [];
  readonly unavailable: Instant[] = [];
  readonly managers = new Map<string, Answering>([['b:1', 'usage']]);
  readonly stop = new AbortController();
  someoneWaits = true;
  ticks = 0;
  private sequence = 0;
  private held: (() => void) | undefined;
  answerLater = false;
  onUsage = () => {};

  readonly poller: UsagePoller = new UsagePoller({
    source: { ask: (address, question, timeoutMs) => this.answer(address, question, timeoutMs) },
    addresses: () => [...this.managers.keys()],
    question: () => ({ sequence: ++this.sequence, groups: [], configVersion: 'v1' }),
    someoneWaits: () => this.someoneWaits,
    onTick: () => {
      this.ticks++;
      this.poller.ask();
    },
    onUsage: (usage) => {
      this.usages.push(usage);
      this.onUsage();
    },
    onUnavailable: (since) => this.unavailable.push(since),
    refreshIntervalMs: 25,
    clock: this.clock,
    log: new TestLog(),
  });

  constructor() {
    void this.poller.run(this.stop.signal);
  }

  release(): void {
    this.held?.();
  }

  private async answer(address: string, { sequence }: UsageQuestion, timeoutMs: number): Promise<UsageAnswer> {
    this.asked.push({ address, at: this.clock.now(), sequence });
    if (this.answerLater) await new Promise<void>((resolve) => (this.held = resolve));
    const how = this.managers.get(address);
    if (how === 'is silent') await new Promise<void>((resolve) => this.clock.schedule(timeoutMs, resolve));
    if (how !== 'usage') return { kind: 'none', reason: how ?? 'gone' };
    const usage = {
      answeredBy: address,
      knownRound: 0,
      groups: new Map(),
      cpu: new Map(),
      oldestDataAgeMs: 40,
      coordinatorCount: 1,
    };
    return { kind: 'usage', usage };
  }
}

describe('asking for the usage of other coordinators', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.stop.abort());
  const addresses = () => world.asked.map(({ address }) => address);

  test('U4: silent while nobody waits; each interval while somebody does', async () => {
    world.someoneWaits = false;
    await world.clock.advance(10_000);
    expect(world.asked).toEqual([]);
    world.someoneWaits = true;
    world.poller.watch();
    await world.clock.advance(500);
    expect(world.asked.length).toBeGreaterThanOrEqual(19);
    expect(world.asked.length).toBeLessThanOrEqual(20);
    world.someoneWaits = false;
    await world.clock.advance(200);
    const before = world.asked.length;
    await world.clock.advance(10_000);
    expect(world.asked).toHaveLength(before);
  });

  test('U4: a slot that becomes free is told at once, also when nobody waits here (F12)', async () => {
    world.someoneWaits = false;
    await world.clock.advance(0);
    world.poller.ask();
    await world.clock.advance(0);
    expect(world.asked).toHaveLength(1);
  });

  test('U5: where nothing moves it asks ten times a second, and often again when something does', async () => {
    world.poller.watch();
    await world.clock.advance(10_000);
    world.asked.length = 0;
    await world.clock.advance(1_000);
    expect(world.asked).toHaveLength(10);
    world.poller.ask();
    world.asked.length = 0;
    await world.clock.advance(500);
    expect(world.asked.length).toBeGreaterThanOrEqual(19);
  });

  test('U1: the answer carries the time before it was asked for', async () => {
    world.someoneWaits = false;
    world.answerLater = true;
    await world.clock.advance(0);
    world.poller.ask();
    await world.clock.advance(70);
    world.release();
    await world.clock.advance(0);
    expect(world.usages).toMatchObject([{ requestedAt: 1_000, oldestDataAgeMs: 40 }]);
    expect(world.poller.dataAgeMs(world.clock.now())).toBe(110);
  });

  test('U2: what is wanted while a question is open is asked for after it, once', async () => {
    world.someoneWaits = false;
    world.answerLater = true;
    await world.clock.advance(0);
    world.poller.ask();
    await world.clock.advance(10);
    world.poller.ask();
    world.poller.ask();
    await world.clock.advance(10);
    expect(world.asked).toHaveLength(1);
    world.answerLater = false;
    world.release();
    await world.clock.advance(0);
    expect(world.asked.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(world.usages.map(({ requestedAt }) => requestedAt)).toEqual([1_000, 1_020]);
  });

  test('U6: at one moment of the clock there is one question, however often another one is wanted', async () => {
    world.someoneWaits = false;
    world.onUsage = () => world.poller.ask();
    await world.clock.advance(0);
    world.poller.ask();
    await world.clock.advance(3);
    expect(world.asked.map(({ at }) => at)).toEqual([1_000, 1_001, 1_002, 1_003]);
  });

  test('U3: the first by address is asked, then the next at once, and the first again when it is back', async () => {
    world.someoneWaits = false;
    world.managers.set('a:1', 'refuses');
    await world.clock.advance(0);
    world.poller.ask();
    await world.clock.advance(0);
    expect(addresses()).toEqual(['a:1', 'b:1']);
    world.managers.set('a:1', 'usage');
    await world.clock.advance(1_000);
    world.poller.ask();
    await world.clock.advance(0);
    expect(addresses()).toEqual(['a:1', 'b:1', 'a:1']);
    expect(world.usages.map(({ answeredBy }) => answeredBy)).toEqual(['b:1', 'a:1']);
  });

  test('one that is silent delays a question once, not each of them', async () => {
    world.someoneWaits = false;
    world.managers.set('a:1', 'is silent');
    await world.clock.advance(0);
    world.poller.ask();
    await world.clock.advance(500);
    expect(world.usages).toHaveLength(1);
    world.poller.ask();
    await world.clock.advance(1);
    expect(world.usages).toHaveLength(2);
    expect(addresses()).toEqual(['a:1', 'b:1', 'b:1']);
  });

  test('when nobody answers the machine hears since when, again and again, and the first answer counts at once', async () => {
    world.managers.set('b:1', 'refuses');
    await world.clock.advance(1_000);
    expect(world.unavailable.length).toBeGreaterThan(2);
    expect(new Set(world.unavailable).size).toBe(1);
    world.managers.set('b:1', 'usage');
    await world.clock.advance(300);
    expect(world.usages.length).toBeGreaterThan(0);
  });

  test('no resource manager at all is the same', async () => {
    world.managers.clear();
    await world.clock.advance(500);
    expect(world.unavailable.length).toBeGreaterThan(0);
    expect(world.asked).toEqual([]);
  });
});
