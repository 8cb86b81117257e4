// Nodes and resource managers as they meet over real sockets.
import { nodeId, seededRandom, systemClock } from '@tutti/base';
import { DiscoveryService } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { AddressWatcher, News, type Routes } from '@tutti/service';
import { createTestServer, TestLog, type TestServer } from '@tutti/service/testing';
import type { NodeRole } from './core/node-record.js';
import { NodeTable } from './core/node-table.js';
import { discoveryService } from './discovery-service.js';
import { LiveNodeTable } from './live-node-table.js';
import { createNodePresence, type NodePresence } from './node-presence.js';
import { replicate } from './replicator.js';

const clock = systemClock;
const SUSPECT_AFTER_MS = 2_500;

interface Manager {
  readonly server: TestServer;
  readonly nodes: LiveNodeTable;
  readonly address: string;
}

describe('nodes and resource managers over real sockets', () => {
  const stop = new AbortController();
  const servers: TestServer[] = [];
  const running: Promise<unknown>[] = [];
  afterAll(async () => {
    stop.abort();
    await Promise.all([...running, ...servers.map((server) => server.drain())]);
  });

  async function startManager(id: string, port = 0): Promise<Manager> {
    const table = new NodeTable({ suspectAfterMs: SUSPECT_AFTER_MS, leaseMs: 10_000, settleMs: 0 }, clock.now());
    const nodes = new LiveNodeTable(table, new News(clock, 20));
    const options = { nodes, resourceManagerId: nodeId(id), leaseMs: 10_000, loadOf: () => undefined, clock };
    const routes: Routes = (router, drainSignal) =>
      router.service(DiscoveryService, discoveryService({ ...options, log: new TestLog() }, drainSignal));
    const server = await createTestServer({ routes, ports: { cluster: port, edge: 0, metrics: 0, health: 0 } });
    servers.push(server);
    return { server, nodes, address: server.clusterAddress };
  }

  const watcher = (specs: readonly string[]) =>
    new AddressWatcher({
      specs,
      resolveIntervalMs: 1_000,
      resolve: () => Promise.resolve([]),
      clock,
      log: new TestLog(),
    });

  function startNode(role: NodeRole, id: string, specs: readonly string[]): NodePresence {
    const presence = createNodePresence({
      role,
      nodeId: nodeId(id),
      incarnation: clock.wallMs(),
      querySuffix: role === 'coordinator' ? 'k3x9q' : '',
      addresses: watcher(specs),
      clock,
      random: seededRandom(1),
      log: new TestLog(),
    });
    running.push(presence.run({ clusterAddress: `${id}:9090`, edgeAddress: `${id}:8080` }, stop.signal));
    return presence;
  }

  /** Resolves when the directory shows what is wanted. */
  function until(presence: NodePresence, wanted: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!wanted()) return;
        forget();
        resolve();
      };
      const forget = presence.directory.onChange(look);
      look();
    });
  }

  const ids = (presence: NodePresence) => presence.directory.nodes().map((node) => node.nodeId);

  it('a new worker reaches a coordinator in a moment, its drain and its good-bye too', async () => {
    const managers = await Promise.all([startManager('r1'), startManager('r2')]);
    const addresses = managers.map(({ address }) => address);
    const coordinator = startNode('coordinator', 'c1', addresses);
    await until(coordinator, () => coordinator.directory.connectedResourceManagers().length === 2);

    const startedAt = clock.now();
    const worker = startNode('worker', 'w1', addresses);
    await until(coordinator, () => coordinator.directory.activeWorkers().length === 1);
    expect(clock.now() - startedAt).toBeLessThan(SUSPECT_AFTER_MS);
    expect(coordinator.directory.get(nodeId('w1'))).toMatchObject({
      clusterAddress: 'w1:9090',
      edgeAddress: 'w1:8080',
    });
    expect(worker.directory.byQuerySuffix('k3x9q')?.nodeId).toBe('c1');

    worker.setState('DRAINING');
    await until(coordinator, () => coordinator.directory.get(nodeId('w1'))?.state === 'DRAINING');
    expect(coordinator.directory.activeWorkers()).toEqual([]);
    await worker.depart();
    await until(coordinator, () => coordinator.directory.get(nodeId('w1')) === undefined);
  });

  it('a resource manager that restarts takes no node out of the directory, and waits for those that it is told of', async () => {
    const manager = await startManager('r3');
    const coordinator = startNode('coordinator', 'c2', [manager.address]);
    startNode('worker', 'w2', [manager.address]);
    await until(coordinator, () => ids(coordinator).length === 2);
    for (const node of manager.nodes.nodes.nodes(clock.now())) {
      manager.nodes.update((table) => table.reported(node.nodeId, node.incarnation, node.role, clock.now()));
    }
    await until(coordinator, () => coordinator.directory.resourceManagers().length === 1);

    const shrunk: unknown[] = [];
    coordinator.directory.onChange(() => ids(coordinator).length < 2 && shrunk.push(ids(coordinator)));
    await manager.server.drain();
    await until(coordinator, () => coordinator.directory.connectedResourceManagers().length === 0);
    const again = await startManager('r3', manager.server.ports.cluster);
    await until(coordinator, () => coordinator.directory.connectedResourceManagers().length === 1);
    const missing = () => again.nodes.nodes.missing();
    await until(coordinator, () => missing().includes(nodeId('w2')) && missing().includes(nodeId('c2')));
    expect(coordinator.directory.resourceManagers()).toEqual([]);
    expect(shrunk).toEqual([]);
  });

  it('two resource managers share what they hear; one that finds itself among the addresses stays away', async () => {
    const [first, second] = await Promise.all([startManager('r4'), startManager('r5')]);
    for (const [id, { nodes }] of [['r4', first] as const, ['r5', second] as const]) {
      const options = { nodes, resourceManagerId: nodeId(id), clock, random: seededRandom(2), log: new TestLog() };
      running.push(replicate({ ...options, addresses: watcher([first.address, second.address]) }, stop.signal));
    }
    startNode('worker', 'w3', [first.address]);
    const elsewhere = startNode('coordinator', 'c3', [second.address]);
    await until(elsewhere, () => elsewhere.directory.activeWorkers().length === 1);
    expect(second.nodes.nodes.witnessed(clock.now()).map(({ record }) => record.nodeId)).toEqual(['c3']);
  });
});
