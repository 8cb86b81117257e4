import { type Clock, sleep } from '@tutti/base';
import type { NodePresence } from '@tutti/discovery';
import type { Log, Server } from '@tutti/service';
import type { TaskRunner } from './task-runner.js';

export interface WorkerDrainOptions {
  readonly server: Pick<Server, 'setReady' | 'drain'>;
  readonly presence: Pick<NodePresence, 'setState' | 'depart'>;
  readonly tasks: TaskRunner;
  /** How long a draining worker goes on taking tasks, so that others learn of it first. */
  readonly announceDelayMs: number;
  /** How long running tasks may take to end. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

const POLL_MS = 20;

/**
 * Goes away so that no query is lost: says so, then takes no new tasks, lets those that it holds end, stops the rest
 * when the grace is over, says good-bye, and closes.
 */
export async function drainWorker(options: WorkerDrainOptions): Promise<void> {
  const { server, presence, tasks, graceMs, clock, log } = options;
  server.setReady(false, 'draining');
  presence.setState('DRAINING');
  log.info('draining', { tasks: tasks.unfinished().length, graceMs });
  await sleep(clock, options.announceDelayMs);
  tasks.apply({ kind: 'drainBegan' });
  const deadline = clock.now() + graceMs;
  while (tasks.unfinished().length > 0 && clock.now() < deadline) await sleep(clock, POLL_MS);
  tasks.apply({ kind: 'drainGraceEnded' });
  await presence.depart();
  await server.drain();
}
