import { types } from 'node:util';
import type { AddressInfo, Server as NetServer } from 'node:net';

/** A port of the configuration is in use, or may not be bound. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

/** The error for a port that could not be bound. `setting` is its path in the configuration, such as `cluster.port`. */
export const portTaken = (port: number, setting: string, cause: unknown): PortTakenError => {
  const why = types.isNativeError(cause) ? cause.message : String(cause);
  const kind = /EADDRINUSE/.test(why) ? 'is in use' : 'cannot be bound';
  return new PortTakenError(`port ${port} (${setting}) ${kind}: ${why}`, { cause });
};

/** Makes `server` listen and answers with its port. Throws PortTakenError. */
export function listen(server: NetServer, port: number, host: string, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(portTaken(port, setting, error));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
