import { setTimeout as delay } from 'node:timers/promises';
import { PROBE_SOURCE } from './admission-groups.js';
import type { QueryOutcome, QuerySender } from './query-sender.js';

/** How long a query of a steady load takes, and of a burst that only has to keep queries waiting. */
export const SHORT_SLEEP_MS = 500;
/** After a failure the next query of a loop waits, or a coordinator that is away costs a core. */
const AFTER_FAILURE_MS = 100;
const PROBE_SLEEP_MS = 1;
/** While nothing is dealt they all wait. More of them would tell no more, and would all start at once then. */
const PROBES_WAITING_MAX = 8;

/** Sends `count` queries to every coordinator at once. */
export const burst = async (
  senders: readonly QuerySender[],
  { count, sleepMs }: { readonly count: number; readonly sleepMs: number },
): Promise<readonly QueryOutcome[]> =>
  Promise.all(senders.flatMap((sender) => Array.from({ length: count }, () => sender.send({ sleepMs }))));

/** One query after another on a coordinator, each some time after the one before, until `untilMs` (performance.now()). */
export async function paced(
  sender: QuerySender,
  options: { readonly sleepMs: number; readonly pauseMs: number; readonly untilMs: number },
): Promise<readonly QueryOutcome[]> {
  const outcomes: QueryOutcome[] = [];
  while (performance.now() < options.untilMs) {
    outcomes.push(await sender.send(options));
    await delay(options.pauseMs * (0.75 + Math.random() / 2));
  }
  return outcomes;
}

/** Something that goes on in the background. */
export interface Load {
  /** Lets what runs come to its end. */
  stop(): Promise<readonly QueryOutcome[]>;
}

/** So many queries on each coordinator at any time. */
export function steadyLoad(senders: readonly QuerySender[], each: number): Load {
  const outcomes: QueryOutcome[] = [];
  let stopped = false;
  const loop = async (sender: QuerySender) => {
    while (!stopped) {
      const outcome = await sender.send({ sleepMs: SHORT_SLEEP_MS });
      outcomes.push(outcome);
      if (outcome.failure !== undefined) await delay(AFTER_FAILURE_MS);
    }
  };
  const done = Promise.all(senders.flatMap((sender) => Array.from({ length: each }, () => loop(sender))));
  return {
    stop: async () => {
      stopped = true;
      await done;
      return outcomes;
    },
  };
}

/** A probe each `intervalMs`, as long as not too many wait, to the coordinators in turn, each of a user that was not there before. */
export function probes(senders: readonly QuerySender[], intervalMs: number): Load {
  const outcomes: Promise<QueryOutcome>[] = [];
  let waiting = 0;
  const timer = setInterval(() => {
    if (waiting >= PROBES_WAITING_MAX) return;
    const sender = senders[outcomes.length % senders.length];
    const user = `${process.pid}-${performance.now().toFixed(3)}`;
    if (sender === undefined) return;
    waiting++;
    const sent = sender.send({ sleepMs: PROBE_SLEEP_MS, user, source: PROBE_SOURCE });
    outcomes.push(sent.finally(() => waiting--));
  }, intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      return Promise.all(outcomes);
    },
  };
}
