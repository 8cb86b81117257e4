// Over real sockets: what one resource manager says of itself to another.
import { createClient } from '@connectrpc/connect';
import { nodeId, seededRandom, systemClock } from '@tutti/base';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { defaultGroupConfig } from '@tutti/resource-groups';
import { aborted, AddressWatcher, createClusterTransport, createMetrics } from '@tutti/service';
import { createTestServer, TestLog } from '@tutti/service/testing';
import { createResourceManager } from './resource-manager.js';

const clock = systemClock;
/** Each is a call to the server: far more time than a report takes. */
const LOOKS_MAX = 5_000;
const CONFIG = {
  heartbeat: { interval: 20 },
  nodes: { suspectAfter: 2_500, lease: 10_000 },
  usage: { forgetAfter: 3_500 },
  queries: { expireAfter: 10_000, completedKept: 600_000, completedMax: 1_000 },
};

function resourceManager(id: string, version: string, addresses: string[]) {
  const log = new TestLog();
  return createResourceManager({
    nodeId: nodeId(id),
    incarnation: clock.wallMs(),
    config: CONFIG,
    addresses: new AddressWatcher({ specs: addresses, resolveIntervalMs: 1_000, resolve: async () => [], clock, log }),
    groups: { current: { config: defaultGroupConfig, version }, status: () => ({ version }), run: aborted },
    clock,
    random: seededRandom(1),
    metrics: createMetrics({}, { processMetrics: false }),
    log,
  });
}

it('a resource manager shows which resource groups another one keeps to', async () => {
  const stop = new AbortController();
  const ends: Promise<unknown>[] = [];
  const server = await createTestServer({ routes: resourceManager('r2', 'built-in', []).clusterRoutes });
  const transport = createClusterTransport({ address: server.clusterAddress });
  try {
    const r1 = resourceManager('r1', '0a1b2c3d4e5f', [server.clusterAddress]);
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
