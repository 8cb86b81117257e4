// Finds a worker that takes a task.
//   T1. A task that certainly did not start goes to the next worker at once; one that may have started is canceled first.
//   T2. While all workers refuse, admitted queries stand in one line and only the first of them goes on asking: a full
//       cluster hears one question per change, not one per query.
//   T3. Nobody waits longer than `maxWaitMs`.
//   T4. A task leaves only in the turn in which the slot of its query permits it (slots.ts).
//   T5. A query whose lease is over, or refused by a worker, waits for a newer one outside of the line: other groups have
//       other leases. Its time limit bounds that wait.
//   T6. A query whose slot is taken back has sent nothing, and asks nobody any more. Why it waits then says its group.
import type { Clock, Random } from '@tutti/base';
import { formatDuration, jittered, taskId } from '@tutti/base';
import { Bell } from './bell.js';
import type { ShardStamp } from '@tutti/lease-wire';
import type { Placements, WorkerChoice } from './core/placement.js';
import { workerKey } from './core/placement.js';
import { leaseWait, workerWait } from './core/placement-waits.js';
import type { QueryFailure } from './core/query.js';
import { failure } from './core/query.js';
import type { LiveQuery } from './live-query.js';
import type { Slot } from './slots.js';
import type { TaskClient } from './task-client.js';
import type { TaskEnds } from './task-ends.js';
import { whileWorker, type Workers } from './workers.js';

export interface TaskPlacementOptions {
  readonly tasks: Pick<TaskClient, 'create'>;
  readonly taskEnds: TaskEnds;
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
  readonly slot: Slot;
  /** Set when the fragment is a session (query-sessions.ts). */
  readonly exchangeKey?: string;
}

export interface Placed {
  readonly worker: WorkerChoice;
  readonly taskId: string;
  readonly queryId: string;
}

export type PlacementOutcome =
  | ({ readonly kind: 'placed' } & Placed)
  | { readonly kind: 'failed'; readonly failure: QueryFailure }
  /** The query ended meanwhile, or its slot was taken back. */
  | { readonly kind: 'ended' };

/** Pauses between two rounds over workers that all refuse. */
const PAUSE_MS_MIN = 20;
const PAUSE_MS_MAX = 500;

/** Whoever waits for a lease looks again this often, though the news of one wakes it. */
const LEASE_LOOK_MS = 1_000;

type RoundOutcome =
  | PlacementOutcome
  | { readonly kind: 'refused'; readonly lastRefusal: string }
  /** With `fenced`: a worker refused that lease. */
  | { readonly kind: 'noLease'; readonly fenced: ShardStamp | undefined };

export class TaskPlacement {
  private readonly line: LiveQuery[] = [];
  private readonly lineMoved = new Bell();
  private readonly roomMade = new Bell();
  /** Tasks of each query that were sent and not released. */
  private readonly sent = new Map<string, number>();

  constructor(private readonly options: TaskPlacementOptions) {}

  /** `excluded` holds the `workerKey`s that shall not be asked first; when nobody else is left they are asked too. */
  async place(admitted: AdmittedQuery, excluded: ReadonlySet<string>): Promise<PlacementOutcome> {
    let fenced: ShardStamp | undefined;
    for (;;) {
      let outcome: RoundOutcome = { kind: 'refused', lastRefusal: '' };
      if (this.line.length === 0) outcome = await this.round(admitted, excluded, fenced);
      if (outcome.kind === 'refused') outcome = await this.standInLine(admitted, fenced);
      if (outcome.kind !== 'noLease') return outcome;
      fenced = outcome.fenced;
      await this.waitForLease(admitted, fenced);
    }
  }

  /**
   * Asks one worker only, and does not wait: undefined when it takes no task now, or its lease has to be renewed first. `sent` is
   * called when the task leaves, in the same turn, if it does.
   */
  async placeOn(
    admitted: AdmittedQuery,
    worker: WorkerChoice,
    sent: (task: Placed) => void,
  ): Promise<PlacementOutcome | undefined> {
    if (this.line.length > 0) return undefined; // T2
    const outcome = await this.round(admitted, new Set(), undefined, () => [worker], sent);
    return outcome.kind === 'refused' || outcome.kind === 'noLease' ? undefined : outcome;
  }

  /** The task is over, or never began: its worker may have room. */
  release({ worker, taskId: id, queryId }: Placed): void {
    this.options.placements.ended(worker.nodeId, id);
    this.count(queryId, -1);
    this.roomMade.ring();
  }

  /** Whether tasks of the query were sent and not released. */
  hasTasks(queryId: string): boolean {
    return this.sent.has(queryId);
  }

  private count(queryId: string, more: 1 | -1): void {
    const left = (this.sent.get(queryId) ?? 0) + more;
    if (left > 0) this.sent.set(queryId, left);
    else this.sent.delete(queryId);
  }

  private async standInLine(
    admitted: AdmittedQuery,
    fenced: ShardStamp | undefined,
  ): Promise<Exclude<RoundOutcome, { kind: 'refused' }>> {
    const { query, slot } = admitted;
    this.line.push(query);
    try {
      return await this.waitInLine(admitted, fenced);
    } finally {
      if (!slot.takenBack.aborted) query.waitsFor(undefined);
      this.line.splice(this.line.indexOf(query), 1);
      this.lineMoved.ring();
    }
  }

  private async waitInLine(
    admitted: AdmittedQuery,
    fenced: ShardStamp | undefined,
  ): Promise<Exclude<RoundOutcome, { kind: 'refused' }>> {
    const { query, slot } = admitted;
    const { clock, random, workers, maxWaitMs } = this.options;
    const over = AbortSignal.any([query.signal, slot.takenBack]);
    const since = clock.now();
    let lastRefusal = '';
    if (over.aborted) return { kind: 'ended' }; // T6
    query.waitsFor(() => workerWait(workers.active().length, lastRefusal));
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)) {
      const leftMs = since + maxWaitMs - clock.now();
      if (over.aborted) return { kind: 'ended' };
      if (leftMs <= 0) return { kind: 'failed', failure: noWorkers(workers.active().length, maxWaitMs, lastRefusal) };
      if (this.line[0] !== query) {
        await this.lineMoved.wait(over, { clock, ms: leftMs });
        continue;
      }
      const outcome = await this.round(admitted, new Set(), fenced);
      if (outcome.kind !== 'refused') return outcome;
      lastRefusal = outcome.lastRefusal;
      const removeListener = workers.onChange(() => this.roomMade.ring());
      await this.roomMade.wait(over, { clock, ms: Math.min(leftMs, jittered(random, pauseMs, 0.5)) });
      removeListener();
    }
  }

  /** T5. */
  private async waitForLease({ query, slot }: AdmittedQuery, fenced: ShardStamp | undefined): Promise<void> {
    const over = AbortSignal.any([query.signal, slot.takenBack]);
    query.waitsFor(() => leaseWait(query.group, { isFenced: fenced !== undefined, hasOwner: slot.hasOwner() }));
    await slot.leaseNews.wait(over, { clock: this.options.clock, ms: LEASE_LOOK_MS });
    if (!slot.takenBack.aborted) query.waitsFor(undefined);
  }

  /** Asks each active worker once, the least loaded first. */
  private async round(
    { query, fragment, slot, exchangeKey }: AdmittedQuery,
    excluded: ReadonlySet<string>,
    fenced: ShardStamp | undefined,
    candidates = () => this.options.workers.active(),
    sent: (task: Placed) => void = () => {},
  ): Promise<RoundOutcome> {
    const { tasks, taskEnds, workers, placements } = this.options;
    const asked = new Set(excluded);
    let lastRefusal = '';
    for (;;) {
      if (query.ended || slot.takenBack.aborted) return { kind: 'ended' }; // T6
      const worker = placements.choose(candidates(), asked);
      if (worker === undefined) return { kind: 'refused', lastRefusal };
      const permit = slot.permit(fenced); // T4
      if (permit.kind === 'lost') return { kind: 'failed', failure: slotLost(query.group) };
      if (slot.takenBack.aborted) return { kind: 'ended' }; // T6
      if (permit.kind === 'notNow') return { kind: 'noLease', fenced };
      if (query.state === 'waitingForResources') query.apply({ kind: 'workersFound' });
      if (query.state === 'planning') query.apply({ kind: 'placing' });
      const { queryId, group, limits } = query;
      const placed = { worker, queryId, taskId: taskId(queryId, 0, query.nextAttempt()) };
      placements.placed(worker, placed.taskId);
      this.count(queryId, 1);
      const memoryLimitBytes = limits.memory?.most ?? 0;
      const { lease } = permit;
      const task = { taskId: placed.taskId, queryId, group, fragment, memoryLimitBytes, lease, exchangeKey };
      const active = whileWorker(workers, () =>
        workers.active().some((other) => workerKey(other) === workerKey(worker)),
      );
      const signal = AbortSignal.any([query.signal, active.signal]);
      const creating = tasks.create(worker.address, task, signal);
      sent(placed);
      const outcome = await creating;
      active.stop();
      if (outcome.kind === 'accepted' && !query.ended) return { kind: 'placed', ...placed };
      const didNothing = outcome.kind === 'refused' || outcome.kind === 'fenced';
      if (!didNothing) await taskEnds.stop(placed, 'the task is not needed'); // T1
      this.release(placed);
      if (outcome.kind === 'failed') return outcome;
      if (outcome.kind === 'fenced') return { kind: 'noLease', fenced: lease };
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
