import { nodeId, seededRandom, systemClock } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import {
  HeartbeatService,
  type NodeReport,
  type StreamNodeHeartbeatsRequest,
} from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type { FenceListSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { AddressWatcher, aborted, type Routes } from '@tutti/service';
import { createTestServer, memoryTransport, TestLog, type TestServer } from '@tutti/service/testing';
import { HeartbeatSender, type HeartbeatSenderOptions } from './heartbeat-sender.js';

const USAGE = { cpuCores: 2, cpuUsedCores: 0.5, rssBytes: 1_000, eventLoopLagMs: 1 };

/** A resource manager that keeps what it hears; `answers: false` makes one that is stuck. */
class Ear {
  readonly heard: NodeReport[] = [];
  /** What it tells with each answer. */
  fences: MessageInitShape<typeof FenceListSchema>[] = [];
  private waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  constructor(
    readonly id: string,
    private readonly answers = true,
  ) {}

  readonly routes: Routes = (router, drainSignal) => {
    router.service(HeartbeatService, { streamNodeHeartbeats: (requests) => this.listen(requests, drainSignal) });
  };

  /** Resolves when it has heard that many reports. */
  atLeast(count: number): Promise<void> {
    if (this.heard.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }

  private async *listen(requests: AsyncIterable<StreamNodeHeartbeatsRequest>, drainSignal: AbortSignal) {
    for await (const { report } of requests) {
      if (report === undefined) continue;
      this.hear(report);
      if (!this.answers) await aborted(drainSignal);
      const { id: resourceManagerId, fences } = this;
      yield { ack: { sequence: report.sequence, resourceManagerId, synced: true, fences } };
    }
  }

  private hear(report: NodeReport): void {
    this.heard.push(report);
    for (const { count, resolve } of this.waiting) if (this.heard.length >= count) resolve();
  }
}

function watcher(specs: readonly string[], resolve: () => Promise<string[]> = () => Promise.resolve([])) {
  return new AddressWatcher({ specs, resolveIntervalMs: 50, resolve, clock: systemClock, log: new TestLog() });
}

const options = (overrides: Partial<HeartbeatSenderOptions>): HeartbeatSenderOptions => ({
  nodeId: nodeId('w1'),
  incarnation: 1_700_000_000_000,
  addresses: watcher([]),
  status: () => ({ case: 'worker', value: { tasksMax: 4 } }),
  processUsage: () => USAGE,
  intervalMs: 1_000,
  clock: systemClock,
  random: seededRandom(1),
  log: new TestLog(),
  ...overrides,
});

describe('HeartbeatSender', () => {
  const stop = new AbortController();
  const servers: TestServer[] = [];
  afterAll(async () => {
    stop.abort();
    await Promise.all(servers.map((server) => server.drain()));
  });

  it('RM-11: reports at once, then every interval, and sooner when something happens', async () => {
    const clock = new FakeClock();
    const ear = new Ear('r1');
    const over = new AbortController();
    const connect = () => ({ ...memoryTransport(ear.routes), close: () => undefined });
    const sender = new HeartbeatSender(options({ clock, connect, addresses: watcher(['r1:9090']) }));
    const running = sender.run(over.signal);
    await ear.atLeast(1);
    for (let second = 0; second < 10; second++) await clock.advance(1_000);
    const regular = ear.heard.length;
    expect(regular).toBeGreaterThanOrEqual(9);
    expect(regular).toBeLessThanOrEqual(12);

    sender.sendSoon();
    sender.sendSoon();
    await clock.advance(20);
    await ear.atLeast(regular + 1);
    await clock.advance(20);
    expect(ear.heard).toHaveLength(regular + 1);
    over.abort();
    await running;
    expect(ear.heard.map(({ sequence }) => Number(sequence))).toEqual(ear.heard.map((_, index) => index + 1));
    expect(ear.heard[0]).toMatchObject({ nodeId: 'w1', status: { case: 'worker', value: { tasksMax: 4 } } });
  });

  it('hands on what a resource manager answers, and reports again at once when that changed what there is to report', async () => {
    const clock = new FakeClock();
    const [ear, other, self] = [new Ear('r1'), new Ear('r2'), new Ear('w1')];
    const ears: Record<string, Ear> = { r1: ear, r2: other, self };
    const told: string[] = [];
    const over = new AbortController();
    const connect = (address: string) => ({ ...memoryTransport(ears[address]!.routes), close: () => undefined });
    const sender: HeartbeatSender = new HeartbeatSender(
      options({
        ...{ clock, connect, addresses: watcher(['r1', 'r2', 'self']) },
        status: () => ({
          case: 'worker',
          value: { fencesKept: told.map(() => ({ shard: 7, epoch: 1n, version: 2n })) },
        }),
        onAck: ({ resourceManagerId, fences }) => {
          for (const { shard } of fences) told.push(`${resourceManagerId} tells of shard ${shard}`);
          if (fences.length > 0) sender.sendSoon();
        },
      }),
    );
    self.fences = [{ shard: 8 }]; // Its own word is no news to a node.
    const running = sender.run(over.signal);
    await Promise.all([ear.atLeast(1), other.atLeast(1), self.atLeast(1)]);
    ear.fences = [{ shard: 7 }];
    const before = [ear, other].map(({ heard }) => heard.length);
    while (told.length === 0) await clock.advance(50);
    ear.fences = [];
    await clock.advance(50);
    expect(told).toEqual(['r1 tells of shard 7']);
    await Promise.all([ear, other].map((one, index) => one.atLeast(before[index]! + 2)));
    for (const { heard } of [ear, other])
      expect(heard.at(-1)?.status.value).toMatchObject({ fencesKept: [{ shard: 7, version: 2n }] });
    over.abort();
    await running;
  });

  it('one resource manager that accepts and never answers delays no report to the others, and gets no pile of them', async () => {
    const [stuck, well] = [new Ear('r1', false), new Ear('r2')];
    servers.push(...(await Promise.all([stuck, well].map(({ routes }) => createTestServer({ routes })))));
    const addresses = watcher(servers.map((server) => server.clusterAddress));
    const running = new HeartbeatSender(options({ addresses, intervalMs: 20 })).run(stop.signal);
    await well.atLeast(20);
    expect(stuck.heard.length).toBeLessThanOrEqual(2);
    stop.abort();
    await running;
  });

  it('reports to each new address behind a DNS name, and stays away from itself', async () => {
    const [first, second, self] = [new Ear('r1'), new Ear('r2'), new Ear('w1')];
    const ears: Record<string, Ear> = { '10.0.0.1:9090': first, '10.0.0.2:9090': second, '10.0.0.3:9090': self };
    let answer = ['10.0.0.1'];
    const clock = new FakeClock();
    const addresses = new AddressWatcher({
      specs: ['dns:managers:9090'],
      resolveIntervalMs: 5_000,
      resolve: () => Promise.resolve(answer),
      clock,
      log: new TestLog(),
    });
    const over = new AbortController();
    const connect = (address: string) => ({ ...memoryTransport(ears[address]!.routes), close: () => undefined });
    const running = new HeartbeatSender(options({ clock, connect, addresses })).run(over.signal);
    addresses.start(over.signal);
    await first.atLeast(1);
    expect(second.heard).toHaveLength(0);

    answer = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
    await clock.advance(5_000);
    await Promise.all([second.atLeast(1), self.atLeast(1)]);
    const before = first.heard.length;
    for (let second = 0; second < 5; second++) await clock.advance(1_000);
    expect(first.heard.length).toBeGreaterThan(before + 2);
    expect(self.heard).toHaveLength(1);

    answer = ['10.0.0.2'];
    await clock.advance(5_000);
    const atRemoval = first.heard.length;
    for (let second = 0; second < 5; second++) await clock.advance(1_000);
    expect(first.heard).toHaveLength(atRemoval);
    over.abort();
    await running;
  });
});
