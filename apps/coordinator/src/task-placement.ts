// Finds a worker that takes a task.
//   T1. A task that certainly did not start goes to the next worker at once; one that may have started is canceled first.
//   T2. While all workers refuse, admitted queries stand in one line and only the first of them goes on asking: a full
//       cluster hears one question per change, not one per query.
//   T3. Nobody waits longer than `maxWaitMs`.
//   T4. A task is placed only while the query's slot is certainly its own (see core/contact.ts).
import type { Clock, Random } from '@tutti/base';
import { formatDuration, jittered, taskId } from '@tutti/base';
import { Bell } from './bell.js';
import type { Placements, WorkerChoice } from './core/placement.js';
import { workerKey } from './core/placement.js';
import type { QueryFailure, QueryWait } from './core/query.js';
import { failure } from './core/query.js';
import type { LiveQuery } from './live-query.js';
import type { TaskClient } from './task-client.js';
import { whileWorker, type Workers } from './workers.js';

export interface TaskPlacementOptions {
  readonly tasks: TaskClient;
  readonly workers: Workers;
  readonly placements: Placements;
  readonly maxWaitMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** A query that its group has let start. */
export interface AdmittedQuery {
  readonly query: LiveQuery;
  readonly fragment: Uint8Array;
  /** Whether the slot that it was given is still its own. */
  readonly slotHolds: () => boolean;
}

export interface Placed {
  readonly worker: WorkerChoice;
  readonly taskId: string;
}

export type PlacementOutcome =
  | ({ readonly kind: 'placed' } & Placed)
  | { readonly kind: 'failed'; readonly failure: QueryFailure }
  /** The query ended meanwhile. */
  | { readonly kind: 'ended' };

/** Pauses between two rounds over workers that all refuse. */
const PAUSE_MS_MIN = 20;
const PAUSE_MS_MAX = 500;

type RoundOutcome = PlacementOutcome | { readonly kind: 'refused'; readonly lastRefusal: string };

export class TaskPlacement {
  private readonly line: LiveQuery[] = [];
  private readonly lineMoved = new Bell();
  private readonly roomMade = new Bell();

  constructor(private readonly options: TaskPlacementOptions) {}

  /** `excluded` holds the `workerKey`s that shall not be asked first; when nobody else is left they are asked too. */
  async place(admitted: AdmittedQuery, excluded: ReadonlySet<string>): Promise<PlacementOutcome> {
    const { query } = admitted;
    if (this.line.length === 0) {
      const outcome = await this.round(admitted, excluded);
      if (outcome.kind !== 'refused') return outcome;
    }
    this.line.push(query);
    try {
      return await this.waitInLine(admitted);
    } finally {
      query.waitsFor(undefined);
      this.line.splice(this.line.indexOf(query), 1);
      this.lineMoved.ring();
    }
  }

  /** The task is over, or never began: its worker may have room. */
  release(placed: Placed): void {
    this.options.placements.ended(placed.worker.nodeId, placed.taskId);
    this.roomMade.ring();
  }

  private async waitInLine(admitted: AdmittedQuery): Promise<PlacementOutcome> {
    const { query } = admitted;
    const { clock, random, workers, maxWaitMs } = this.options;
    const since = clock.now();
    let lastRefusal = '';
    query.waitsFor(() => workerWait(workers.active().length, lastRefusal));
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)) {
      const leftMs = since + maxWaitMs - clock.now();
      if (query.ended) return { kind: 'ended' };
      if (leftMs <= 0) return { kind: 'failed', failure: noWorkers(workers.active().length, maxWaitMs, lastRefusal) };
      if (this.line[0] !== query) {
        await this.lineMoved.wait(query.signal, { clock, ms: leftMs });
        continue;
      }
      const outcome = await this.round(admitted, new Set());
      if (outcome.kind !== 'refused') return outcome;
      lastRefusal = outcome.lastRefusal;
      const removeListener = workers.onChange(() => this.roomMade.ring());
      await this.roomMade.wait(query.signal, { clock, ms: Math.min(leftMs, jittered(random, pauseMs, 0.5)) });
      removeListener();
    }
  }

  /** Asks each active worker once, the least loaded first. */
  private async round(admitted: AdmittedQuery, excluded: ReadonlySet<string>): Promise<RoundOutcome> {
    const { query, fragment, slotHolds } = admitted;
    const { tasks, workers, placements } = this.options;
    const asked = new Set(excluded);
    let lastRefusal = '';
    for (;;) {
      if (query.ended) return { kind: 'ended' };
      const worker = placements.choose(workers.active(), asked);
      if (worker === undefined) return { kind: 'refused', lastRefusal };
      if (!slotHolds()) return { kind: 'failed', failure: slotLost(query.group) }; // T4
      if (query.state === 'waitingForResources') query.apply({ kind: 'workersFound' });
      if (query.state === 'planning') query.apply({ kind: 'placing' });
      const placed = { worker, taskId: taskId(query.queryId, 0, query.nextAttempt()) };
      placements.placed(worker, placed.taskId);
      const memoryLimitBytes = query.limits.memory?.most ?? 0;
      const task = { taskId: placed.taskId, queryId: query.queryId, group: query.group, fragment, memoryLimitBytes };
      const active = whileWorker(workers, () =>
        workers.active().some((other) => workerKey(other) === workerKey(worker)),
      );
      const signal = AbortSignal.any([query.signal, active.signal]);
      const outcome = await tasks.create(worker.address, task, signal);
      active.stop();
      if (outcome.kind === 'accepted' && !query.ended) return { kind: 'placed', ...placed };
      if (outcome.kind !== 'refused') await tasks.cancel(worker.address, placed.taskId, 'the task is not needed'); // T1
      this.release(placed);
      if (outcome.kind === 'failed') return outcome;
      if (outcome.kind !== 'accepted') lastRefusal = `${worker.nodeId}: ${outcome.message}`;
      asked.add(workerKey(worker));
    }
  }
}

function noWorkers(activeCount: number, waitedMs: number, lastRefusal: string): QueryFailure {
  const seen = activeCount === 0 ? 'none is active' : `none of the ${activeCount} active ones took the query`;
  const last = lastRefusal === '' ? '' : ` (the last answer was from ${lastRefusal})`;
  return failure('NO_WORKERS', `Waited ${formatDuration(waitedMs)} for a worker, but ${seen}${last}.`, true);
}

const slotLost = (group: string): QueryFailure =>
  failure(
    'RESOURCE_MANAGERS_UNREACHABLE',
    `No resource manager heard this coordinator for a while before a task of the query was placed, so its slot in "${group}" may be taken. Send the statement again.`,
    true,
  );

const workerWait = (activeCount: number, lastRefusal: string): QueryWait => ({
  kind: 'noWorkers',
  blockingGroup: '',
  hardConcurrencyLimit: 0,
  runningHere: 0,
  runningElsewhere: 0,
  queuedAhead: 0,
  dataAgeMs: undefined,
  limit: 0,
  used: 0,
  claimsHere: 0,
  position: 1,
  unblockedBy: activeCount === 0 ? 'a worker starts' : 'a worker has room for a task',
  estimatedWaitMs: undefined,
  message:
    activeCount === 0
      ? 'Waits for a worker: none is active.'
      : `Waits for a worker: none of the ${activeCount} active ones takes the query${lastRefusal === '' ? '' : ` (${lastRefusal})`}.`,
});
