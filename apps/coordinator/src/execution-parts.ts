import type { Clock } from '@tutti/base';
import type { Log } from '@tutti/service';
import type { FragmentClient } from './fragment-client.js';
import type { TaskClient } from './task-client.js';
import type { TaskEnds } from './task-ends.js';
import type { TaskPlacement } from './task-placement.js';
import type { TaskWatch } from './task-watch.js';
import type { Workers } from './workers.js';

/** What running a query takes. */
export interface ExecutionParts {
  readonly placement: TaskPlacement;
  readonly tasks: Pick<TaskClient, 'fetch'>;
  readonly fragments: FragmentClient;
  readonly taskEnds: TaskEnds;
  readonly taskWatch: TaskWatch;
  readonly workers: Workers;
  readonly clock: Clock;
  readonly log: Log;
}
