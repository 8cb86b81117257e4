import { nodeId, seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import type { LeaseTelling, ShardDemand } from '@tutti/lease-wire';
import type { Demand } from '@tutti/resource-groups';
import { AddressWatcher } from '@tutti/service';
import { TestLog } from '@tutti/service/testing';
import { LeaseStreams } from './lease-streams.js';

/** A stream as the resource manager sees it. */
class FakeStream {
  readonly heard: (readonly ShardDemand[])[] = [];
  isOver = false;
  private readonly said: (LeaseTelling | 'break')[] = [];
  private wake = () => {};

  constructor(readonly address: string) {}

  say({ seat, ...told }: { seat: string } & Partial<Pick<LeaseTelling, 'owned' | 'dealsInMs'>>): void {
    this.said.push({ resourceManagerId: nodeId(seat), ...told, grants: [] });
    this.wake();
  }

  break(): void {
    this.said.push('break');
    this.wake();
  }

  async *talk(messages: AsyncIterable<readonly ShardDemand[]>, signal: AbortSignal): AsyncGenerator<LeaseTelling> {
    signal.addEventListener('abort', () => this.wake(), { once: true });
    void this.listen(messages);
    try {
      for (;;) {
        if (signal.aborted) throw signal.reason;
        const next = this.said.shift();
        if (next === 'break') throw new Error('the connection broke');
        if (next === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
        else yield next;
      }
    } finally {
      this.isOver = true;
    }
  }

  private async listen(messages: AsyncIterable<readonly ShardDemand[]>): Promise<void> {
    for await (const message of messages) this.heard.push(message);
  }
}

const RM_A = nodeId('rm-a');
const demand = (seq: number) => ({ seq }) as Demand;

class World {
  readonly clock = new FakeClock(1_000);
  readonly opened: FakeStream[] = [];
  readonly told: string[] = [];
  readonly log = new TestLog();
  readonly stop = new AbortController();
  readonly streams: LeaseStreams;
  demandMessages = 0;

  constructor(addresses: readonly string[]) {
    const { clock, log } = this;
    this.streams = new LeaseStreams({
      source: (address) => {
        const stream = new FakeStream(address);
        this.opened.push(stream);
        return { talk: (messages, signal) => stream.talk(messages, signal), close: () => {} };
      },
      addresses: new AddressWatcher({
        specs: addresses,
        resolveIntervalMs: 5_000,
        resolve: async () => [],
        clock,
        log,
      }),
      onNews: ({ resourceManagerId: seat, owned, grants }) =>
        this.told.push(`${seat} owns ${owned?.map(({ shard }) => shard).join() ?? '?'}, ${grants.length} grants`),
      onLost: (seat) => this.told.push(`${seat} lost`),
      onDemands: () => this.demandMessages++,
      clock,
      random: seededRandom(3),
      log,
    });
    void this.streams.run(this.stop.signal);
  }

  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  stream(index: number): FakeStream {
    const stream = this.opened[index];
    if (stream === undefined) throw new Error(`stream ${index} was not opened`);
    return stream;
  }
}

describe('streams of leases', () => {
  let world: World;
  afterEach(() => world.stop.abort());

  test('B1: each resource manager gets a stream, which begins with a message without demands', async () => {
    world = new World(['a:1', 'b:1']);
    await world.settle();
    expect(world.opened.map(({ address, heard }) => [address, heard])).toEqual([
      ['a:1', [[]]],
      ['b:1', [[]]],
    ]);
    world.stream(1).say({ seat: 'rm-b', owned: [{ shard: 7, epoch: 1 }] });
    await world.settle();
    expect(world.told).toEqual(['rm-b owns 7, 0 grants']);
    expect(world.streams.seats).toEqual(['rm-b']);
  });

  test('B2: demands of one turn leave in one message, of each shard the newest one', async () => {
    world = new World(['a:1']);
    await world.settle();
    world.stream(0).say({ seat: 'rm-a', owned: [] });
    await world.settle();
    world.streams.send(RM_A, 3, demand(1));
    world.streams.send(RM_A, 5, demand(1));
    world.streams.send(RM_A, 3, demand(2));
    await world.settle();
    expect(world.stream(0).heard.slice(1)).toEqual([
      [
        { shard: 3, demand: demand(2) },
        { shard: 5, demand: demand(1) },
      ],
    ]);
    expect(world.demandMessages).toBe(1);
  });

  test('a demand for a resource manager without a stream goes nowhere', async () => {
    world = new World(['a:1']);
    await world.settle();
    world.streams.send(RM_A, 3, demand(1));
    world.stream(0).say({ seat: 'rm-a', owned: [] });
    await world.settle();
    expect(world.stream(0).heard).toEqual([[]]);
  });

  test('B3: a resource manager that does not answer for 3 s is given up and called again', async () => {
    world = new World(['a:1']);
    await world.settle();
    world.stream(0).say({ seat: 'rm-a', owned: [] });
    await world.clock.advance(60_000);
    expect(world.opened).toHaveLength(1); // Nothing was asked, so nothing was missed.
    world.streams.send(RM_A, 3, demand(1));
    await world.clock.advance(2_999);
    expect(world.opened).toHaveLength(1);
    await world.clock.advance(200);
    expect(world.stream(0).isOver).toBe(true);
    expect(world.opened).toHaveLength(2);
    expect(world.told).toEqual(['rm-a owns , 0 grants', 'rm-a lost']);
    expect(world.streams.seats).toEqual([]);
  });

  test('B3: each answer gives it 3 s more', async () => {
    world = new World(['a:1']);
    await world.settle();
    for (let second = 0; second < 10; second++) {
      world.streams.send(RM_A, 3, demand(second));
      await world.clock.advance(500);
      world.stream(0).say({ seat: 'rm-a' });
      await world.clock.advance(500);
    }
    expect(world.opened).toHaveLength(1);
  });

  test('B1: whoever does not answer at all is called again at most a second later, for ever', async () => {
    world = new World(['a:1']);
    await world.clock.advance(40_000);
    expect(world.opened.length).toBeGreaterThanOrEqual(10);
    expect(world.told).toEqual([]);
  });

  test('B4: a stream that breaks is lost before a new one is heard of', async () => {
    world = new World(['a:1']);
    await world.settle();
    world.stream(0).say({ seat: 'rm-a', owned: [{ shard: 1, epoch: 4 }] });
    await world.settle();
    world.stream(0).break();
    await world.clock.advance(100);
    world.stream(1).say({ seat: 'rm-a', owned: [{ shard: 1, epoch: 5 }] });
    await world.settle();
    expect(world.told).toEqual(['rm-a owns 1, 0 grants', 'rm-a lost', 'rm-a owns 1, 0 grants']);
  });

  test('B5: of two addresses of one resource manager the newer stream counts, and they do not take turns', async () => {
    world = new World(['a:1', 'b:1']);
    await world.settle();
    world.stream(0).say({ seat: 'rm', owned: [] });
    await world.settle();
    world.stream(1).say({ seat: 'rm', owned: [{ shard: 2, epoch: 1 }] });
    await world.clock.advance(60_000);
    expect(world.told).toEqual(['rm owns , 0 grants', 'rm lost', 'rm owns 2, 0 grants']);
    expect(world.opened.map(({ isOver }) => isOver)).toEqual([true, false]);
    world.streams.send(nodeId('rm'), 2, demand(1));
    await world.settle();
    expect(world.stream(1).heard).toHaveLength(2);
  });

  test('B5: a resource manager that was left alone for another one of its name is called again when that one has gone', async () => {
    world = new World(['a:1', 'b:1']);
    await world.settle();
    world.stream(0).say({ seat: 'rm', owned: [] });
    await world.settle();
    world.stream(1).say({ seat: 'rm', owned: [{ shard: 2, epoch: 1 }] });
    await world.clock.advance(60_000);
    world.stream(1).break();
    await world.clock.advance(1_000);
    const [, , ...again] = world.opened.map(({ address }) => address);
    expect(again.sort()).toEqual(['a:1', 'b:1']);
  });

  test('resource managers that have just started say when they deal, for so long as a majority of them is there', async () => {
    world = new World(['a:1', 'b:1', 'c:1']);
    await world.settle();
    const inMs = () => {
      const at = world.streams.dealAgainAt(world.clock.now());
      return at === undefined ? undefined : at - world.clock.now();
    };
    world.stream(0).say({ seat: 'rm-a', owned: [], dealsInMs: 9_000 });
    await world.settle();
    expect(inMs()).toBeUndefined();
    world.stream(1).say({ seat: 'rm-b', owned: [], dealsInMs: 8_000 });
    await world.settle();
    expect(inMs()).toBe(11_000);
    await world.clock.advance(5_000);
    expect(inMs()).toBe(6_000);
    await world.clock.advance(6_000);
    expect(inMs()).toBeUndefined();
  });

  test('a resource manager that changes its name on a stream is not believed', async () => {
    world = new World(['a:1']);
    await world.settle();
    world.stream(0).say({ seat: 'rm-a', owned: [] });
    world.stream(0).say({ seat: 'rm-x', owned: [{ shard: 2, epoch: 9 }] });
    await world.clock.advance(200);
    expect(world.told).toEqual(['rm-a owns , 0 grants', 'rm-a lost']);
    expect(world.log.events()).toContain('peer-lost');
  });
});
