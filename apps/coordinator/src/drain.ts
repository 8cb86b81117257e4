import { type Clock, formatDuration, sleep } from '@tutti/base';
import type { NodePresence } from '@tutti/discovery';
import type { Log, Server } from '@tutti/service';
import { failure, type QueryFailure } from './core/query.js';
import type { Dispatcher } from './dispatcher.js';
import type { SubmittedQueries } from './submitted-queries.js';

export interface CoordinatorDrainOptions {
  readonly server: Pick<Server, 'setReady' | 'drain'>;
  readonly presence: Pick<NodePresence, 'setState' | 'depart'>;
  readonly dispatcher: Dispatcher;
  readonly submitted: SubmittedQueries;
  readonly sendReport: () => void;
  readonly announceDelayMs: number;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reports and demands are sent within milliseconds; this is time enough for the last ones to leave. */
const LAST_REPORT_MS = 100;
/** Clients that fetch results ask again at once; one that has not asked for this long has left. */
const CLIENT_TIMEOUT_MS = 5_000;

/**
 * Goes away so that nobody loses anything: says so, then takes no new queries, lets those that it holds end, ends the
 * rest when the grace is over, reports the ends, gives back the slots that it holds, says good-bye, and closes.
 */
export async function drainCoordinator(options: CoordinatorDrainOptions): Promise<void> {
  const { server, presence, dispatcher, submitted, sendReport, clock, log } = options;
  server.setReady(false, 'draining');
  presence.setState('DRAINING');
  log.info('draining', { queries: dispatcher.queries().size, graceMs: options.graceMs });
  await sleep(clock, options.announceDelayMs);
  dispatcher.refuseNew(draining);
  submitted.hurry(CLIENT_TIMEOUT_MS);
  await dispatcher.untilIdle(options.graceMs);
  dispatcher.endAll(graceOver(options.graceMs));
  sendReport();
  dispatcher.admission.giveUpLeases();
  await sleep(clock, LAST_REPORT_MS);
  await presence.depart();
  await server.drain();
}

/** What a query is refused with while its coordinator drains. */
const draining = failure(
  'COORDINATOR_DRAINING',
  'The coordinator is going away and takes no new queries. Send the statement again: another one will take it.',
  true,
);

/** What ends a query that outlives the grace of its draining coordinator. */
const graceOver = (graceMs: number): QueryFailure =>
  failure(
    'COORDINATOR_DRAINING',
    `The coordinator went away before the query ended, after a grace of ${formatDuration(graceMs)}.`,
    true,
  );
