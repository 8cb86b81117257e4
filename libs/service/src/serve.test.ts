import { connect, createServer } from 'node:net';
import { Code, createClient } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '@tutti/contracts/grpc/health/v1/health_pb';
import { createClusterTransport } from './cluster-transport.js';
import { createEdgeTransport } from './edge/edge-transport.js';
import { readRpcError } from './errors.js';
import { aborted } from './lifecycle.js';
import { listen, PortTakenError } from './listen.js';
import { createMetrics } from './metrics.js';
import { readStream } from './read-stream.js';
import { requestId } from './request-id.js';
import { EchoService } from './testing/echo.js';
import { until } from './testing/gate.js';
import { createTestServer, memoryTransport } from './testing/test-server.js';

describe('serve', () => {
  test('a taken port is named with its setting, and no other port stays open', async () => {
    const squatter = createServer();
    const taken = await listen(squatter, 0, '127.0.0.1', 'test');
    const free = createServer();
    const cluster = await listen(free, 0, '127.0.0.1', 'test');
    await new Promise((resolve) => free.close(resolve));
    const attempt = createTestServer({ ports: { cluster, edge: taken, metrics: 0, health: 0 } });
    await expect(attempt).rejects.toThrow(PortTakenError);
    await expect(attempt).rejects.toThrow(`port ${taken} (edge.port) is in use: listen EADDRINUSE`);
    const again = createServer();
    expect(await listen(again, cluster, '127.0.0.1', 'test')).toBe(cluster);
    await Promise.all([again, squatter].map((server) => new Promise((resolve) => server.close(resolve))));
  });

  test('a host that is not ours is no port that is in use', async () => {
    await expect(createTestServer({ bindHost: '192.0.2.1' })).rejects.toThrow(/\(cluster.port\) cannot be bound/);
  });

  test('readiness starts as "starting" and shows why it changed', async () => {
    const server = await createTestServer();
    const ready = async () => {
      const response = await fetch(`http://127.0.0.1:${server.ports.health}/readyz`);
      return [response.status, await response.text()];
    };
    expect(await ready()).toEqual([503, 'not ready: starting\n']);
    server.setReady(true);
    expect(await ready()).toEqual([200, 'ready\n']);
    server.setReady(false, 'no resource manager is synced');
    expect(await ready()).toEqual([503, 'not ready: no resource manager is synced\n']);
    const other = await fetch(`http://127.0.0.1:${server.ports.health}/nothing`);
    expect(other.status).toBe(404);
    await server.drain();
  });

  test('health watches hear each change once; unknown names are told so and kept', async () => {
    const server = await createTestServer({ routes: (router) => router.service(EchoService, {}) });
    const transport = createClusterTransport({ address: server.clusterAddress });
    const health = createClient(Health, transport);
    const seen: ServingStatus[] = [];
    const watching = (async () => {
      for await (const { status } of readStream((signal) =>
        health.watch({ service: EchoService.typeName }, { signal }),
      )) {
        seen.push(status);
        if (seen.length === 1) server.setReady(true);
        if (seen.length === 2) {
          server.setReady(true, 'still'); // No change, no message.
          server.setReady(false);
        }
        if (seen.length === 3) break;
      }
    })();
    await watching;
    expect(seen).toEqual([ServingStatus.NOT_SERVING, ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
    for await (const { status } of readStream((signal) => health.watch({ service: 'nobody' }, { signal }))) {
      expect(status).toBe(ServingStatus.SERVICE_UNKNOWN);
      break;
    }
    expect((await health.check({ service: 'liveness' })).status).toBe(ServingStatus.SERVING);
    expect(Object.keys((await health.list({})).statuses).sort()).toEqual(
      ['', 'liveness', 'readiness', EchoService.typeName].sort(),
    );
    transport.close();
    await server.drain();
  });

  test('calls are counted and timed by service, method and code, on both ports', async () => {
    const server = await createTestServer({
      routes: (router) =>
        router.service(EchoService, {
          unary: ({ text }) => {
            if (text === 'bug') throw new Error('bug');
            return {};
          },
          async *serverStream() {
            yield {};
          },
        }),
    });
    const cluster = createClusterTransport({ address: server.clusterAddress });
    const edge = createEdgeTransport({ url: server.edgeUrl });
    for (const client of [createClient(EchoService, cluster), createClient(EchoService, edge)]) {
      await client.unary({});
      await expect(client.unary({ text: 'bug' })).rejects.toMatchObject({ code: Code.Internal });
      for await (const _ of client.serverStream({})) void _;
      await expect(client.clientStream((async function* () {})())).rejects.toMatchObject({ code: Code.Unimplemented });
    }
    const response = await fetch(`http://127.0.0.1:${server.ports.metrics}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1.0.0/);
    const text = await response.text();
    const line = (method: string, code: string) =>
      `rpc_server_handled_total{service="tutti.testing.v1.EchoService",method="${method}",code="${code}"} 2`;
    expect(text).toContain(line('Unary', 'OK'));
    expect(text).toContain(line('Unary', 'INTERNAL'));
    expect(text).toContain(line('ServerStream', 'OK'));
    expect(text).toContain('rpc_server_duration_seconds_bucket{');
    expect(text.trimEnd().endsWith('# EOF')).toBe(true);
    expect((await fetch(`http://127.0.0.1:${server.ports.metrics}/other`)).status).toBe(404);
    cluster.close();
    edge.close();
    await server.drain();
  });

  test('a stream whose client left is counted as CANCELED', async () => {
    const server = await createTestServer({
      routes: (router) =>
        router.service(EchoService, {
          async *serverStream() {
            for (;;) yield { data: new Uint8Array(100_000) };
          },
        }),
    });
    const edge = createEdgeTransport({ url: server.edgeUrl });
    const client = createClient(EchoService, edge);
    for await (const _ of readStream((signal) => client.serverStream({}, { signal }))) break;
    await until(() => server.log.lines.some(({ event }) => event === 'call-ended'));
    expect(server.log.lines.at(-1)?.fields).toMatchObject({ method: 'ServerStream', code: 'CANCELED' });
    edge.close();
    await server.drain();
  });

  test('a call made while serving a call carries its request id', async () => {
    const inner = await createTestServer({
      routes: (router) => router.service(EchoService, { unary: () => ({ text: requestId() ?? 'none' }) }),
    });
    const toInner = createClusterTransport({ address: inner.clusterAddress });
    const outer = await createTestServer({
      routes: (router) =>
        router.service(EchoService, {
          unary: () => createClient(EchoService, toInner).unary({}),
          async *serverStream() {
            yield await createClient(EchoService, toInner).unary({});
          },
        }),
    });
    const toOuter = createClusterTransport({ address: outer.clusterAddress });
    const client = createClient(EchoService, toOuter);
    const headers = { 'x-request-id': 'from-far' };
    expect(await client.unary({}, { headers })).toMatchObject({ text: 'from-far' });
    for await (const { text } of client.serverStream({}, { headers })) expect(text).toBe('from-far');
    toOuter.close();
    toInner.close();
    await Promise.all([outer.drain(), inner.drain()]);
  });

  test('nonsense on the cluster port ends its own connection and no other', async () => {
    const server = await createTestServer({ routes: (router) => router.service(EchoService, { unary: () => ({}) }) });
    for (const bytes of [
      'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
      '\x16\x03\x01',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense!!!!',
    ]) {
      const socket = connect(server.ports.cluster, '127.0.0.1');
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.write(bytes, resolve));
      socket.end();
    }
    const transport = createClusterTransport({ address: server.clusterAddress });
    await createClient(EchoService, transport).unary({});
    transport.close();
    await server.drain();
  });

  test('an endless stream that ends with the reason of drainSignal tells its client why', async () => {
    const server = await createTestServer({
      drainReason: 'COORDINATOR_DRAINING',
      drainGraceMs: 60_000,
      routes: (router, drainSignal) =>
        router.service(EchoService, {
          async *serverStream() {
            yield {};
            await aborted(drainSignal);
            throw drainSignal.reason;
          },
        }),
    });
    const transport = createClusterTransport({ address: server.clusterAddress });
    const stream = createClient(EchoService, transport).serverStream({})[Symbol.asyncIterator]();
    await stream.next();
    const end = stream.next().then(() => undefined, readRpcError);
    await server.drain();
    expect(await end).toMatchObject({ code: Code.Unavailable, reason: 'COORDINATOR_DRAINING' });
    transport.close();
  });

  test('the memory transport serves the same routes without a network', async () => {
    const transport = memoryTransport((router) => router.service(EchoService, { unary: ({ text }) => ({ text }) }));
    expect(await createClient(EchoService, transport).unary({ text: 'hi' })).toMatchObject({ text: 'hi' });
  });
});

describe('createMetrics', () => {
  test('gives the same metric for the same name, and labels all with the defaults', async () => {
    const metrics = createMetrics({ node: 'n1' }, { processMetrics: false });
    metrics.counter('queries_total', 'Queries', ['state']).inc({ state: 'done' });
    metrics.counter('queries_total', 'Queries', ['state']).inc({ state: 'done' });
    metrics.gauge('running', 'Running', [], (gauge) => gauge.set(3));
    metrics.histogram('wait_seconds', 'Waiting', [1, 2]).observe(1.5);
    const { text } = await metrics.expose();
    expect(text).toContain('queries_total{state="done",node="n1"} 2');
    expect(text).toContain('running{node="n1"} 3');
    expect(text).toContain('wait_seconds_bucket{le="2",node="n1"} 1');
  });

  test('shows the process, with the lag of its event loop', async () => {
    const { text } = await createMetrics({}).expose();
    expect(text).toContain('process_resident_memory_bytes');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });
});
