import type { NodeDirectory } from '@tutti/discovery';
import type { Log, Server } from '@tutti/service';

/** How a worker stops being ready while it goes on. */
export interface Readiness {
  /** Another process has its node id, so that no coordinator finds it. It does not become ready again in this life. */
  nameTaken(message: string): void;
}

/** Makes the worker ready once a resource manager knows it; before that no coordinator can send it a task. */
export function becomeReady(options: {
  readonly server: Pick<Server, 'setReady'>;
  readonly directory: Pick<NodeDirectory, 'connectedResourceManagers' | 'onChange'>;
  readonly log: Log;
}): Readiness {
  const { server, directory, log } = options;
  server.setReady(false, 'waits for a resource manager');
  const leave = directory.onChange(() => {
    if (directory.connectedResourceManagers().length === 0) return;
    leave();
    server.setReady(true);
    log.info('ready');
  });
  return {
    nameTaken(message) {
      leave();
      server.setReady(false, message);
    },
  };
}
