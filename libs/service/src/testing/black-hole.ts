import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../listen.js';

/** A way to a server that can swallow everything, in both directions, while all connections stand: as a network that is cut. */
export async function blackHoleBefore(port: number) {
  const sockets = new Set<Socket>();
  let isOpen = true;
  let messages = 0;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        messages++;
        if (isOpen) to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => isOpen && to.destroy());
    }
  });
  const address = `127.0.0.1:${await listen(server, 0, '127.0.0.1', 'test')}`;
  return {
    address,
    /** How often something was sent, by either side. */
    messages: () => messages,
    /** From now on nobody hears anything. Read, and thrown away. */
    swallow: () => void (isOpen = false),
    /** From now on nobody reads anything: what is sent fills the buffers. */
    block: () => {
      isOpen = false;
      for (const socket of sockets) socket.pause();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
