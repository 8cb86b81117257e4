import type { NodeDirectory } from '@tutti/discovery';
import type { Log, Server } from '@tutti/service';

/** Makes the worker ready once a resource manager knows it; before that no coordinator can send it a task. */
export function becomeReady(options: {
  readonly server: Pick<Server, 'setReady'>;
  readonly directory: Pick<NodeDirectory, 'connectedResourceManagers' | 'onChange'>;
  readonly log: Log;
}): void {
  const { server, directory, log } = options;
  server.setReady(false, 'waits for a resource manager');
  const leave = directory.onChange(() => {
    if (directory.connectedResourceManagers().length === 0) return;
    leave();
    server.setReady(true);
    log.info('ready');
  });
}
