// The edge port as browsers, curl and odd clients meet it.
import { execFile } from 'node:child_process';
import { connect as connectHttp2 } from 'node:http2';
import { type Socket, connect } from 'node:net';
import { promisify } from 'node:util';
import { Code, createClient } from '@connectrpc/connect';
import { createEdgeTransport } from './edge/edge-transport.js';
import { EchoService } from './testing/echo.js';
import { type TestServer, createTestServer } from './testing/test-server.js';

const run = promisify(execFile);

describe('the edge port', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await createTestServer({
      name: 'tutti coordinator c-1',
      routes: (router) =>
        router.service(EchoService, {
          unary: ({ text }) => ({ text: `hello ${text}`, data: new Uint8Array(2_000) }),
          async *serverStream({ count }) {
            for (let i = 0; i < count; i++) yield { text: String(i) };
          },
        }),
    });
  });
  afterAll(() => server.drain());

  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${server.edgeUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip, br' },
      body: JSON.stringify(body),
    });

  test.each(['grpc', 'connect', 'grpc-web'] as const)('serves %s over HTTP/2', async (protocol) => {
    const transport = createEdgeTransport({ url: server.edgeUrl, protocol });
    const client = createClient(EchoService, transport);
    expect(await client.unary({ text: 'you' })).toMatchObject({ text: 'hello you' });
    const found: string[] = [];
    for await (const { text } of client.serverStream({ count: 3 })) found.push(text);
    expect(found).toEqual(['0', '1', '2']);
    transport.close();
  });

  test('answers JSON over HTTP/1.1, on one kept-alive connection, and does not compress it unasked', async () => {
    for (const text of ['a', 'b', 'c']) {
      const response = await post('/tutti.testing.v1.EchoService/Unary', { text });
      expect(response.headers.get('content-encoding')).toBeNull();
      expect(await response.json()).toMatchObject({ text: `hello ${text}` });
    }
  });

  test('a misspelt JSON field or value is refused by name, and not dropped in silence', async () => {
    const response = await post('/tutti.testing.v1.EchoService/Unary', { txet: 'you' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('txet') });
  });

  test.each([
    ['POST', '/tutti.testing.v1.EchoService/ServerStream', 'application/json', 415, 'it streams'],
    ['POST', '/tutti.testing.v1.EchoService/Unary', 'text/xml', 415, 'content-type: application/json'],
    ['GET', '/tutti.testing.v1.EchoService/Unary', 'application/json', 405, 'POST JSON'],
  ])('%s %s with %s is told what would work', async (method, path, contentType, status, hint) => {
    const body = method === 'POST' ? '{}' : undefined;
    const response = await fetch(`${server.edgeUrl}${path}`, {
      method,
      headers: { 'content-type': contentType },
      ...(body === undefined ? {} : { body }),
    });
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(hint);
  });

  test.each([['--http1.1'], ['--http2-prior-knowledge'], ['--http2']])(
    'plain curl %s needs nothing more',
    async (flag) => {
      const url = `${server.edgeUrl}/tutti.testing.v1.EchoService/Unary`;
      const args = ['-s', flag, '-H', 'content-type: application/json', '-d', '{"text":"curl"}', url];
      const { stdout } = await run('curl', args);
      expect(JSON.parse(stdout)).toMatchObject({ text: 'hello curl' });
    },
  );

  test('a request id is kept, or made, and comes back', async () => {
    const url = `${server.edgeUrl}/tutti.testing.v1.EchoService/Unary`;
    const headers = { 'content-type': 'application/json', 'x-request-id': 'req-1' };
    const given = await fetch(url, { method: 'POST', headers, body: '{}' });
    expect(given.headers.get('x-request-id')).toBe('req-1');
    const made = await post('/tutti.testing.v1.EchoService/Unary', {});
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('people who come by with a browser are told where they are', async () => {
    const home = await fetch(server.edgeUrl);
    expect(home.status).toBe(200);
    const text = await home.text();
    expect(text).toContain('tutti coordinator c-1');
    expect(text).toContain('tutti.testing.v1.EchoService');
    const json = await fetch(server.edgeUrl, { headers: { accept: 'application/json' } });
    expect(await json.json()).toMatchObject({ name: 'tutti coordinator c-1' });
    const nowhere = await fetch(`${server.edgeUrl}/nowhere`);
    expect([nowhere.status, (await nowhere.text()).split('\n')[0]]).toEqual([
      404,
      'tutti coordinator c-1: there is nothing at /nowhere',
    ]);
  });

  test('calls of services that are not here answer UNIMPLEMENTED in every protocol', async () => {
    const json = await post('/tutti.none.v1.NoService/Call', {});
    expect([json.status, await json.json()]).toEqual([
      404,
      { code: 'unimplemented', message: 'this port serves no method /tutti.none.v1.NoService/Call' },
    ]);
    for (const protocol of ['grpc', 'connect', 'grpc-web'] as const) {
      const transport = createEdgeTransport({ url: `${server.edgeUrl}`, protocol });
      const elsewhere = { ...EchoService, typeName: 'tutti.none.v1.NoService' } as typeof EchoService;
      const method = { ...EchoService.method.unary, parent: elsewhere };
      const call = transport.unary(method, undefined, undefined, undefined, {});
      await expect(call).rejects.toMatchObject({ code: Code.Unimplemented });
      transport.close();
    }
  });

  test('tells the protocols apart also when the first bytes come one by one', async () => {
    const socket = await connected(server.ports.edge);
    for (const byte of 'POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n') {
      await new Promise((resolve) => socket.write(byte, resolve));
    }
    expect(await textOf(socket)).toMatch(/^HTTP\/1.1 404/);

    const slow = await connected(server.ports.edge);
    // The preface of HTTP/2 and an empty SETTINGS frame; the server answers with its own settings.
    const preface = Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
    ]);
    for (const byte of preface) await new Promise((resolve) => slow.write(Buffer.from([byte]), resolve));
    const answer = await new Promise<Buffer>((resolve) => slow.once('data', resolve));
    const SETTINGS_FRAME = 4;
    expect(answer[3]).toBe(SETTINGS_FRAME);
    slow.destroy();
  });

  test('nonsense ends its own connection and no other', async () => {
    const socket = await connected(server.ports.edge);
    socket.write('\x16\x03\x01 nonsense\r\n\r\n');
    await textOf(socket);
    const aborted = await connected(server.ports.edge);
    aborted.resetAndDestroy();
    expect((await fetch(server.edgeUrl)).status).toBe(200);
  });

  test('a client that resets its connection in the middle of a call harms nobody', async () => {
    const session = connectHttp2(server.edgeUrl);
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/tutti.testing.v1.EchoService/Unary',
      'content-type': 'application/json',
    });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.write('{"text":', resolve));
    session.destroy();
    expect((await fetch(server.edgeUrl)).status).toBe(200);
  });
});

const connected = (port: number): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => undefined);
  });

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
