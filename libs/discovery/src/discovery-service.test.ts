import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import { nodeId } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import {
  AnnouncementSchema,
  DiscoveryService,
  NodeRole,
  NodeState,
} from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { News, readRpcError, readStream, rpcError } from '@tutti/service';
import { memoryTransport, TestLog } from '@tutti/service/testing';
import { NodeTable } from './core/node-table.js';
import { discoveryService } from './discovery-service.js';
import { LiveNodeTable } from './live-node-table.js';

const worker = (overrides: MessageInitShape<typeof AnnouncementSchema> = {}) =>
  create(AnnouncementSchema, {
    nodeId: 'w1',
    role: NodeRole.WORKER,
    incarnation: 1n,
    version: 1n,
    state: NodeState.ACTIVE,
    clusterAddress: 'w1:9090',
    ...overrides,
  });

function setUp() {
  const clock = new FakeClock();
  const nodes = new LiveNodeTable(
    new NodeTable({ suspectAfterMs: 2_500, leaseMs: 10_000 }, clock.now()),
    new News(clock, 20),
  );
  const load = { runningTasks: 1, tasksMax: 4, memoryReservedBytes: 5, memoryLimitBytes: 9, sequence: 7 };
  const draining = new AbortController();
  const log = new TestLog();
  const options = { nodes, resourceManagerId: nodeId('r1'), leaseMs: 10_000, loadOf: () => load, clock, log };
  const client = createClient(
    DiscoveryService,
    memoryTransport(
      (router, drainSignal) => router.service(DiscoveryService, discoveryService(options, drainSignal)),
      draining.signal,
    ),
  );
  return { clock, nodes, client, draining, log };
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}

describe('DiscoveryService', () => {
  it('lists who announced itself, with its load, and not who said good-bye', async () => {
    const { client } = setUp();
    const answers = [];
    for await (const answer of client.announce(one({ announcement: worker() }))) answers.push(answer);
    expect(answers).toMatchObject([{ resourceManagerId: 'r1', lease: { seconds: 10n } }]);
    const { nodes } = await client.listNodes({});
    expect(nodes).toMatchObject([
      { announcement: { nodeId: 'w1' }, state: NodeState.ACTIVE, load: { runningTasks: 1, sequence: 7n } },
    ]);
    expect((await client.listNodes({ role: NodeRole.COORDINATOR })).nodes).toEqual([]);
    await client.depart({ announcement: worker() });
    expect((await client.listNodes({})).nodes).toEqual([]);
  });

  it('watchers get all nodes at once, changes within 20 ms, and a sign of life every second', async () => {
    const { client, clock } = setUp();
    const stop = new AbortController();
    const lists = readStream((signal) => client.watchNodes({}, { signal }), stop.signal);
    const next = async () =>
      (await lists.next()).value.nodes.map((node: { state: NodeState }) => NodeState[node.state]);
    expect(await next()).toEqual([]);

    await client.depart({ announcement: worker({ nodeId: 'w0' }) });
    for await (const _ of client.announce(one({ announcement: worker() })));
    const afterChange = next();
    await clock.advance(20);
    expect(await afterChange).toEqual(['GONE', 'ACTIVE']);

    const quiet = next();
    await clock.advance(1_000);
    expect(await quiet).toEqual(['GONE', 'ACTIVE']);
    stop.abort();
    await expect(lists.next()).rejects.toMatchObject({ code: Code.Canceled });
  });

  it('merges what another resource manager witnessed, and answers with what it witnessed itself', async () => {
    const { client } = setUp();
    for await (const _ of client.announce(one({ announcement: worker() })));
    const told = {
      resourceManagerId: 'r2',
      announcements: [{ announcement: worker({ nodeId: 'w2' }), age: { seconds: 1n } }],
    };
    const answers = [];
    for await (const answer of client.replicate(one(told))) answers.push(answer);
    expect(answers).toMatchObject([{ resourceManagerId: 'r1', announcements: [{ announcement: { nodeId: 'w1' } }] }]);
    const { nodes } = await client.listNodes({});
    expect(nodes.map(({ announcement, age }) => [announcement?.nodeId, age?.seconds])).toEqual([
      ['w1', 0n],
      ['w2', 1n],
    ]);
  });

  it('says what an announcement lacks', async () => {
    const { client } = setUp();
    const faults = [
      undefined,
      worker({ nodeId: '' }),
      worker({ role: 0 }),
      worker({ incarnation: 0n }),
      worker({ state: 3 }),
    ];
    for (const announcement of faults) {
      const request = announcement === undefined ? {} : { announcement };
      const error: unknown = await client.depart(request).catch((thrown: unknown) => thrown);
      expect(readRpcError(error)).toMatchObject({ code: Code.InvalidArgument, reason: 'INVALID_ARGUMENT' });
    }
  });

  it('ends its streams when the resource manager drains', async () => {
    const { client, draining } = setUp();
    const lists = client.watchNodes({})[Symbol.asyncIterator]();
    await lists.next();
    draining.abort(rpcError(Code.Unavailable, 'draining', { reason: 'SERVER_DRAINING' }));
    await expect(lists.next()).rejects.toMatchObject({ code: Code.Unavailable });
  });
});
