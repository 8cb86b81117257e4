import { createServer, type Server } from 'node:net';

/**
 * Ports on loopback that nobody listens on now: the preferred ones where they are free, others elsewhere. All are held
 * until all are known, so that no port is given twice. Somebody else may take one before it is used; then the process
 * that gets it says so and stops.
 */
export async function freePorts(preferred: readonly (number | undefined)[]): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (const port of preferred) servers.push(await listen(port ?? 0).catch(() => listen(0)));
    return servers.map((server) => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('the machine gave no TCP port');
      return address.port;
    });
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
