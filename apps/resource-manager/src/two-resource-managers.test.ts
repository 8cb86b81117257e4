// Over real sockets: what one resource manager says of itself to another.
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { nodeId, seededRandom, systemClock } from '@tutti/base';
import { DiscoveryService, NodeRole, NodeState } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { HeartbeatService } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { defaultGroupConfig, groupSpec } from '@tutti/resource-groups';
import { aborted, AddressWatcher, createClusterTransport, createMetrics } from '@tutti/service';
import { createTestServer, memoryTransport, TestLog } from '@tutti/service/testing';
import { createResourceManager } from './resource-manager.js';
import { LeasePlayer } from './testing/lease-player.js';

const clock = systemClock;
/** Each is a call to the server: far more time than a report takes. */
const LOOKS_MAX = 5_000;
const CONFIG = {
  heartbeat: { interval: 20 },
  nodes: { suspectAfter: 2_500, lease: 10_000 },
  usage: { forgetAfter: 3_500 },
  queries: { expireAfter: 10_000, completedKept: 600_000, completedMax: 1_000 },
  seats: { ids: [], version: 1, firstStart: true },
};

interface Peer {
  readonly id: string;
  readonly version?: string;
  readonly addresses?: string[];
  readonly incarnation?: number;
  readonly config?: typeof defaultGroupConfig;
  readonly seats?: readonly string[];
}

function resourceManager({ id, version = 'built-in', addresses = [], ...more }: Peer) {
  const { incarnation = clock.wallMs(), config = defaultGroupConfig, seats = [] } = more;
  const log = new TestLog();
  return createResourceManager({
    nodeId: nodeId(id),
    incarnation,
    config: { ...CONFIG, seats: { ...CONFIG.seats, ids: seats } },
    addresses: new AddressWatcher({ specs: addresses, resolveIntervalMs: 1_000, resolve: async () => [], clock, log }),
    groups: { current: { config, version }, status: () => ({ version }), run: aborted },
    clock,
    random: seededRandom(1),
    metrics: createMetrics({}, { processMetrics: false }),
    log,
  });
}

it('a resource manager shows which resource groups another one keeps to', async () => {
  const stop = new AbortController();
  const ends: Promise<unknown>[] = [];
  const server = await createTestServer({ routes: resourceManager({ id: 'r2' }).clusterRoutes });
  const transport = createClusterTransport({ address: server.clusterAddress });
  try {
    const r1 = resourceManager({ id: 'r1', version: '0a1b2c3d4e5f', addresses: [server.clusterAddress] });
    ends.push(r1.run({ clusterAddress: 'r1:9090', edgeAddress: 'r1:8080' }, () => undefined, stop.signal));
    const client = createClient(ResourceGroupService, transport);
    let versions: string[] = [];
    for (let look = 0; look < LOOKS_MAX && versions.length < 2; look++) {
      const { configs } = await client.listResourceGroups({});
      versions = configs.map(({ nodeId: id, status }) => `${id} ${status?.version}`);
    }
    expect(versions).toEqual(['r1 0a1b2c3d4e5f', 'r2 built-in']);
  } finally {
    stop.abort();
    transport.close();
    await Promise.all([...ends, server.drain()]);
  }
});

it('a resource manager that starts anew goes on with the CPU that another one has counted', async () => {
  const limits = { softCpuLimitMs: 60_000, hardCpuLimitMs: 60_000, cpuQuotaMsPerSecond: 1 };
  const global = groupSpec({ name: 'global', hardConcurrencyLimit: 1, maxQueued: 1, ...limits });
  const config = { rootGroups: [global], selectors: [] };
  const stop = new AbortController();
  const ends: Promise<unknown>[] = [];
  const server = await createTestServer({
    routes: resourceManager({ id: 'r2', incarnation: 2, config }).clusterRoutes,
  });
  const transport = createClusterTransport({ address: server.clusterAddress });
  try {
    const r1 = resourceManager({ id: 'r1', incarnation: 1, config, addresses: [server.clusterAddress] });
    const toR1 = createClient(HeartbeatService, memoryTransport(r1.clusterRoutes));
    for (const [sequence, usedMs] of [
      [1n, 0],
      [2n, 50_000],
    ] as const) {
      const groups = [{ group: 'global', cpuTime: durationFromMs(usedMs), cpuQuotaCores: 0.001 }];
      const status = { case: 'coordinator' as const, value: { groups } };
      await toR1.reportNode({ report: { nodeId: 'c1', incarnation: 1n, sequence, status } });
    }
    ends.push(r1.run({ clusterAddress: 'r1:9090', edgeAddress: 'r1:8080' }, () => undefined, stop.signal));
    const client = createClient(ResourceGroupService, transport);
    let usedMs = 0;
    for (let look = 0; look < LOOKS_MAX && usedMs === 0; look++) {
      const { groups } = await client.listResourceGroups({});
      usedMs = groups[0]?.cpuUsed === undefined ? -1 : durationMs(groups[0].cpuUsed);
    }
    // The test takes far less than the minute in which a thousandth of it comes back.
    expect(usedMs).toBeGreaterThan(49_940);
    expect(usedMs).toBeLessThanOrEqual(50_001);
  } finally {
    stop.abort();
    transport.close();
    await Promise.all([...ends, server.drain()]);
  }
});

it('two seats find each other by their node ids, elect an owner, and deal', async () => {
  const stop = new AbortController();
  const seats = ['r1', 'r2'];
  const r2 = resourceManager({ id: 'r2', seats });
  const server2 = await createTestServer({ routes: r2.clusterRoutes });
  const address2 = server2.clusterAddress;
  const r1 = resourceManager({ id: 'r1', seats, addresses: [address2] });
  const server1 = await createTestServer({ routes: r1.clusterRoutes });
  const address1 = server1.clusterAddress;
  const life = { coordinatorId: 'c1', incarnation: 1 };
  const c1 = new LeasePlayer(life, clock, (address) => createClusterTransport({ address }));
  const transport = createClusterTransport({ address: address1 });
  const ends = [
    r1.run({ clusterAddress: address1, edgeAddress: 'r1:8080' }, () => undefined, stop.signal),
    r2.run({ clusterAddress: address2, edgeAddress: 'r2:8080' }, () => undefined, stop.signal),
  ];
  try {
    const announcement = {
      nodeId: 'c1',
      role: NodeRole.COORDINATOR,
      incarnation: 1n,
      version: 1n,
      state: NodeState.ACTIVE,
    };
    const announce = async function* () {
      yield { announcement };
    };
    const discovery = createClient(DiscoveryService, transport);
    for await (const _ of discovery.announce(announce()));
    c1.talkTo('r1', address1);
    c1.talkTo('r2', address2);
    c1.submit(5);
    await c1.untilRunning(5);
    expect(seats).toContain(c1.ownerId);
  } finally {
    c1.leave();
    stop.abort();
    transport.close();
    await Promise.all([...ends, server1.drain(), server2.drain()]);
  }
});
