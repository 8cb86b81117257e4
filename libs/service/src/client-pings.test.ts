import { createClient } from '@connectrpc/connect';
import { createClusterTransport } from './cluster-transport.js';
import { aborted } from './lifecycle.js';
import { blackHoleBefore } from './testing/black-hole.js';
import { EchoService } from './testing/echo.js';
import { Gate, until } from './testing/gate.js';
import { createTestServer } from './testing/test-server.js';

const PINGS = { intervalMs: 60, timeoutMs: 120 };

describe('a client of a cluster port whose connection stands, and who answers nothing', () => {
  test.each(['swallow', 'block'] as const)('is given up: its calls are canceled (%s)', async (how) => {
    const left = new Gate();
    const server = await createTestServer({
      clientPings: PINGS,
      routes: (router) =>
        router.service(EchoService, {
          async *serverStream(_, { signal }) {
            signal.addEventListener('abort', () => left.open(), { once: true });
            yield { text: 'begun' };
            await aborted(signal);
          },
        }),
    });
    const hole = await blackHoleBefore(server.ports.cluster);
    const transport = createClusterTransport({ address: hole.address });
    const stream = createClient(EchoService, transport).serverStream({})[Symbol.asyncIterator]();
    await stream.next();
    const end = stream.next().catch(() => undefined);
    hole[how]();
    await left.opened;
    transport.close();
    await Promise.all([end, hole.close(), server.drain()]);
  });

  test('is given up too when nothing more can be sent to it', async () => {
    const left = new Gate();
    const server = await createTestServer({
      clientPings: PINGS,
      routes: (router) =>
        router.service(EchoService, {
          async *serverStream(_, { signal }) {
            signal.addEventListener('abort', () => left.open(), { once: true });
            while (!signal.aborted) yield { data: new Uint8Array(100_000) };
          },
        }),
    });
    const hole = await blackHoleBefore(server.ports.cluster);
    const transport = createClusterTransport({ address: hole.address });
    const stream = createClient(EchoService, transport).serverStream({})[Symbol.asyncIterator]();
    await stream.next();
    hole.block();
    await left.opened;
    transport.close();
    await Promise.all([hole.close(), server.drain()]);
  });

  test('and one that is only idle stays', async () => {
    const server = await createTestServer({
      clientPings: { intervalMs: 10, timeoutMs: 5_000 },
      routes: (router) =>
        router.service(EchoService, {
          async *bidi(requests) {
            yield {};
            for await (const { count } of requests) yield { count };
          },
        }),
    });
    const hole = await blackHoleBefore(server.ports.cluster);
    const transport = createClusterTransport({ address: hole.address });
    const go = new Gate();
    const later = async function* () {
      await go.opened;
      yield { count: 7 };
    };
    const stream = createClient(EchoService, transport).bidi(later())[Symbol.asyncIterator]();
    await stream.next();
    const before = hole.messages();
    await until(() => hole.messages() > before + 20); // Ten pings, and their answers.
    go.open();
    expect((await stream.next()).value).toMatchObject({ count: 7 });
    transport.close();
    await Promise.all([hole.close(), server.drain()]);
  });
});
