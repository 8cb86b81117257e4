// Draining, with each trap that it has: see the invariants in drain.ts.
import { connect as connectHttp2 } from 'node:http2';
import { Code, type ServiceImpl, type Transport, createClient } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '@tutti/contracts/grpc/health/v1/health_pb';
import { FakeClock } from '@tutti/base/testing';
import { createClusterTransport } from './cluster-transport.js';
import { createEdgeTransport } from './edge/edge-transport.js';
import { readRpcError } from './errors.js';
import { readStream } from './read-stream.js';
import { EchoService } from './testing/echo.js';
import { Gate, until } from './testing/gate.js';
import { type TestServer, createTestServer } from './testing/test-server.js';

const LONG_MS = 60_000;

describe.each(['cluster', 'edge'] as const)('draining the %s port', (portName) => {
  describe.each(['grpc-js', 'connect-node'] as const)('under a %s client', (clientKind) => {
    const closers: (() => void)[] = [];
    let server: TestServer;

    async function start(echo: Partial<ServiceImpl<typeof EchoService>>, graceMs: number, clock?: FakeClock) {
      const options = { drainGraceMs: graceMs, drainReason: 'WORKER_DRAINING', ...(clock ? { clock } : {}) };
      server = await createTestServer({ ...options, routes: (router) => router.service(EchoService, echo) });
      return createClient(EchoService, transport());
    }

    function transport(): Transport {
      const port = server.ports[portName];
      const made =
        clientKind === 'grpc-js'
          ? createClusterTransport({ address: `127.0.0.1:${port}` })
          : createEdgeTransport({ url: `http://127.0.0.1:${port}` });
      closers.push(() => made.close());
      return made;
    }

    afterEach(async () => {
      for (const close of closers.splice(0)) close();
      await server.drain();
    });

    test('calls in flight end well within the grace, and nothing is left open', async () => {
      const entered = new Gate();
      const release = new Gate();
      const client = await start(
        {
          async unary() {
            entered.open();
            await release.opened;
            return { text: 'done' };
          },
        },
        LONG_MS,
      );
      const call = client.unary({});
      await entered.opened;
      const drained = server.drain();
      release.open();
      expect(await call).toMatchObject({ text: 'done' });
      await drained;
      expect(server.log.lines.at(-1)).toMatchObject({ event: 'drained', fields: { outcome: 'finished' } });
    });

    test('idle connections do not hold it', async () => {
      const client = await start({ unary: () => ({}) }, LONG_MS);
      await client.unary({});
      await server.drain();
    });

    test('what outlives the grace ends with UNAVAILABLE and the reason, whatever its handler waits for (D1)', async () => {
      const clock = new FakeClock();
      const entered = new Gate();
      const client = await start(
        {
          async *serverStream() {
            yield { text: 'first' };
            entered.open();
            await new Promise(() => undefined); // Something that never comes; and it looks at no signal.
          },
          async unary(_request, context) {
            await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
            return {};
          },
          async *bidi(requests) {
            for await (const { text } of requests) yield { text };
          },
        },
        LONG_MS,
        clock,
      );
      const seen: string[] = [];
      async function* silent() {
        yield { text: 'hello' };
        await new Promise(() => undefined);
      }
      const bidiOpen = new Gate();
      const calls = [
        (async () => {
          for await (const { text } of client.serverStream({})) seen.push(text);
        })(),
        client.unary({}),
        (async () => {
          for await (const _ of client.bidi(silent())) bidiOpen.open();
        })(),
      ].map((call) => call.then(() => undefined, readRpcError));
      await Promise.all([entered.opened, bidiOpen.opened]);
      const drained = server.drain();
      await clock.advance(LONG_MS);
      const errors = await Promise.all(calls);
      for (const error of errors) {
        expect(error).toMatchObject({ code: Code.Unavailable, reason: 'WORKER_DRAINING', neverProcessed: false });
      }
      expect(seen).toEqual(['first']);
      await until(() => server.shutdownSignal.aborted);
      await clock.advance(1_000);
      await drained;
    });

    test('calls that race it are answered, or end with UNAVAILABLE', async () => {
      const client = await start({ unary: ({ count }) => ({ count }) }, LONG_MS);
      await client.unary({});
      const calls = Array.from({ length: 300 }, async (_, count) => {
        // Spread over many turns of the event loop, so that they meet the drain in all its phases.
        for (let turn = 0; turn < count / 10; turn++) await new Promise((resolve) => setImmediate(resolve));
        return client.unary({ count }).then(
          () => 'answered',
          (error) => readRpcError(error),
        );
      });
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      await server.drain();
      const outcomes = await Promise.all(calls);
      const failures = outcomes.filter((outcome) => typeof outcome !== 'string');
      for (const failure of failures) {
        expect(failure).toMatchObject({ code: Code.Unavailable, neverProcessed: true });
      }
      expect(outcomes.length - failures.length).toBeGreaterThan(0);
    });

    test('a client that does not read its stream cannot hold it (D2)', async () => {
      const clock = new FakeClock();
      let produced = 0;
      const client = await start(
        {
          async *serverStream() {
            for (;;) {
              produced++;
              yield { data: new Uint8Array(256 * 1024) };
            }
          },
        },
        LONG_MS,
        clock,
      );
      const controller = new AbortController();
      const stream = client.serverStream({}, { signal: controller.signal })[Symbol.asyncIterator]();
      await stream.next();
      for (let last = -1; last !== produced;) {
        last = produced;
        for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      const drained = server.drain();
      await clock.advance(LONG_MS);
      await clock.advance(1_000);
      await drained;
      controller.abort();
    });

    test('health says NOT_SERVING first, and the watch ends so that it does not hold the drain', async () => {
      await start({}, LONG_MS);
      const health = createClient(Health, transport());
      server.setReady(true);
      const statuses: ServingStatus[] = [];
      let drained: Promise<void> | undefined;
      const watch = (async () => {
        for await (const { status } of readStream((signal) => health.watch({ service: '' }, { signal }))) {
          statuses.push(status);
          drained ??= server.drain();
        }
      })();
      await expect(watch).rejects.toMatchObject({ code: Code.Unavailable });
      expect(statuses).toEqual([ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
      await drained;
    });
  });
});

describe('draining', () => {
  test('a silent connection, HTTP/1.1 or HTTP/2, does not hold it', async () => {
    const server = await createTestServer({ drainGraceMs: LONG_MS });
    const session = connectHttp2(server.edgeUrl);
    session.on('error', () => undefined);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const response = await fetch(server.edgeUrl); // Leaves a kept-alive connection behind.
    await response.text();
    await server.drain();
    session.destroy();
  });

  test('probes answer until the end: alive, but not ready (D3)', async () => {
    const entered = new Gate();
    const release = new Gate();
    const server = await createTestServer({
      drainGraceMs: LONG_MS,
      routes: (router) =>
        router.service(EchoService, {
          async unary() {
            entered.open();
            await release.opened;
            return {};
          },
        }),
    });
    server.setReady(true);
    const transport = createClusterTransport({ address: server.clusterAddress });
    const call = createClient(EchoService, transport).unary({});
    await entered.opened;
    const drained = server.drain();
    server.setReady(true); // Comes too late.
    const probe = (path: string) => fetch(`http://127.0.0.1:${server.ports.health}${path}`);
    expect((await probe('/livez')).status).toBe(200);
    const ready = await probe('/readyz');
    expect([ready.status, await ready.text()]).toEqual([503, 'not ready: draining\n']);
    release.open();
    await call;
    await drained;
    await expect(probe('/livez')).rejects.toThrow();
    transport.close();
  });

  test('a second call of drain() waits for the first', async () => {
    const server = await createTestServer();
    expect(server.drain()).toBe(server.drain());
    await server.drain();
  });

  test('drainSignal reaches the services, so that endless streams can end', async () => {
    const signals: AbortSignal[] = [];
    const server = await createTestServer({ routes: (_router, drainSignal) => void signals.push(drainSignal) });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    await server.drain();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});
