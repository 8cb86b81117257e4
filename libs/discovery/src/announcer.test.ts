import { nodeId, seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { DiscoveryService } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { AddressWatcher, News } from '@tutti/service';
import { memoryTransport, TestLog } from '@tutti/service/testing';
import { Announcer } from './announcer.js';
import type { NodeRole } from './core/node-record.js';
import { NodeTable } from './core/node-table.js';
import { discoveryService } from './discovery-service.js';
import { LiveNodeTable } from './live-node-table.js';

/** One resource manager, rm1, and processes that announce themselves to it. */
class World {
  readonly clock = new FakeClock(1_000);
  readonly log = new TestLog();
  private readonly nodes: LiveNodeTable;
  private readonly ends: AbortController[] = [];
  private readonly draining = new AbortController();

  constructor() {
    const { clock } = this;
    const table = new NodeTable({ suspectAfterMs: 2_500, leaseMs: 10_000 }, clock.now());
    this.nodes = new LiveNodeTable(table, new News(clock, 20));
  }

  start(
    address: string,
    { incarnation = this.clock.now() as number, id = 'c1', role = 'coordinator' as NodeRole } = {},
  ) {
    const log = new TestLog();
    const told: string[] = [];
    const announcer = new Announcer({
      ...{ role, nodeId: nodeId(id), incarnation, clock: this.clock, random: seededRandom(1), log },
      addresses: new AddressWatcher({
        ...{ specs: ['rm1:9090'], resolveIntervalMs: 5_000, resolve: async () => [], clock: this.clock, log },
      }),
      knownNodeIds: () => [],
      connect: () => this.transport(),
      onNameTaken: (message) => told.push(message),
      onNameFree: () => told.push('free'),
    });
    const end = new AbortController();
    this.ends.push(end);
    void announcer.run({ clusterAddress: `${address}:9090`, edgeAddress: `${address}:8080` }, end.signal);
    return { announcer, log, told, kill: () => end.abort() };
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 400) {
      await this.clock.advance(Math.min(400, left));
      this.nodes.update((table) => table.tick(this.clock.now()));
    }
  }

  addressOf(id: string): string | undefined {
    return this.nodes.nodes.get(nodeId(id), this.clock.now())?.clusterAddress;
  }

  end(): void {
    for (const end of this.ends) end.abort();
  }

  private transport() {
    const { nodes, clock, log } = this;
    const self = { resourceManagerId: nodeId('rm1'), resourceManagerIncarnation: 7 };
    const service = { ...self, nodes, leaseMs: 10_000, loadOf: () => undefined, clock, log };
    const transport = memoryTransport(
      (router, drainSignal) => router.service(DiscoveryService, discoveryService(service, drainSignal)),
      this.draining.signal,
    );
    return { ...transport, close: () => undefined };
  }
}

const of = (log: TestLog, level: string) =>
  log.lines.filter((line) => line.level === level).map(({ event, fields }) => `${event}: ${String(fields['message'])}`);

describe('two processes with one node id', () => {
  let world: World;
  beforeEach(() => (world = new World()));
  afterEach(() => world.end());

  it('the one that started later counts; the other one is told so, and so are people', async () => {
    const older = world.start('a');
    await world.pass(1_200);
    const newer = world.start('b');
    await world.pass(6_000);
    expect(world.addressOf('c1')).toBe('b:9090');
    const message =
      'another process with node id "c1" (a coordinator, started later, at b:9090) is in the cluster; give each process its own --node-id';
    expect([older.told, newer.told]).toEqual([[message], []]);
    expect(of(older.log, 'error')).toEqual([`node-id-taken: ${message}`]);
    expect(of(newer.log, 'error')).toEqual([]);
    await world.pass(60_000);
    expect(older.told).toHaveLength(1);
    expect(of(world.log, 'warn')).toEqual([
      'node-id-shared: two processes share the node id "c1": a coordinator at b:9090, which started later and counts, and ' +
        'a coordinator at a:9090, which does not; give each process its own --node-id',
    ]);
  });

  it('when the later one says good-bye the other one hears within 5 s that the name is free; when it is killed, within 20 s', async () => {
    const older = world.start('a');
    await world.pass(1_200);
    const newer = world.start('b');
    await world.pass(6_000);
    await newer.announcer.depart();
    newer.kill();
    await world.pass(5_000);
    expect(older.told.at(-1)).toBe('free');
    older.kill();

    const again = world.start('a');
    await world.pass(1_200);
    const third = world.start('b');
    await world.pass(6_000);
    third.kill();
    expect(again.told).toHaveLength(1);
    await world.pass(20_000);
    expect(again.told.at(-1)).toBe('free');
  });

  it('two that started in the same millisecond are told apart by their addresses', async () => {
    const [a, b] = [world.start('a', { incarnation: 5 }), world.start('b', { incarnation: 5 })];
    await world.pass(11_000);
    expect([a.told.length, b.told.length]).toEqual([1, 0]);
  });

  it('a coordinator that is named as a resource manager does not take that one for itself', async () => {
    world.start('a', { id: 'rm1' });
    await world.pass(400);
    expect(world.addressOf('rm1')).toBe('a:9090');
  });

  it('a restart in place is no second process, even with a clock that has gone back', async () => {
    const before = world.start('a', { incarnation: 9_000 });
    await world.pass(2_000);
    before.kill();
    const after = world.start('a', { incarnation: 8_000 });
    await world.pass(30_000);
    expect([after.told, of(after.log, 'error'), of(world.log, 'warn')]).toEqual([[], [], []]);
    expect(world.addressOf('c1')).toBe('a:9090');
  });

  it('one that drains while its successor comes up says so at info only', async () => {
    const older = world.start('a');
    await world.pass(1_200);
    older.announcer.setState('DRAINING');
    world.start('b');
    await world.pass(12_000);
    expect([older.told, of(older.log, 'error'), of(world.log, 'warn')]).toEqual([[], [], []]);
    expect(of(older.log, 'info')).toHaveLength(1);
  });
});
