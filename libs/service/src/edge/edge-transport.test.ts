import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { WideSessionManager } from './edge-transport.js';

test('a connection that is closed while its server goes away ends without an error that nobody catches', async () => {
  const server = createServer((_, response) => response.end('done'));
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const manager = new WideSessionManager(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  const stream = await manager.request('GET', '/', {}, {});
  const { session } = stream;
  stream.end();
  await new Promise((ended) => stream.resume().once('close', ended));
  if (session === undefined) throw new Error('a stream belongs to a session');
  const closed = new Promise((resolve) => session.once('close', resolve));
  // The listener of the manager is there first: it destroys the session, and then the owner closes it.
  session.once('goaway', () => manager.abort());
  sessions[0]?.goaway();
  await closed;

  sessions[0]?.destroy();
  await new Promise((resolve) => server.close(resolve));
});
