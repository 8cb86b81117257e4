// The sessions of one distributed query: one task on each worker that takes part, which holds an executor and the query's
// exchange files there.
//   H1. A session is told of once: opened, and later lost, or refused by its worker. Nothing is told after `close`.
//   H2. What the sessions used counts together, and past its CPU limit the query ends (query-use.ts).
//   H3. When `close` resolves, each session has been told to stop: those that have not confirmed it are known to TaskEnds.
//   H4. Sessions count as opened when their workers are asked: their fragments need not wait for the answers. One that a worker
//       refuses, or that a fragment did not reach, has done nothing, and is taken back.
import type { WorkerChoice } from './core/placement.js';
import { workerKey } from './core/placement.js';
import type { QueryFailure } from './core/query.js';
import { QueryUsage } from './core/query-usage.js';
import type { ExecutionParts } from './execution-parts.js';
import { chargeCpu } from './query-use.js';
import type { AdmittedQuery, Placed, PlacementOutcome } from './task-placement.js';
import { whileWorker } from './workers.js';

export interface SessionEvents {
  opened(sessionId: string): void;
  lost(sessionId: string, message: string): void;
  /** It never was. */
  refused(sessionId: string): void;
  failed(why: QueryFailure): void;
}

type Session = Placed & {
  readonly stop: AbortController;
  /** Whether the worker has answered. */
  isTaken: boolean;
};

export class QuerySessions {
  private readonly sessions = new Map<string, Session>();
  private readonly holding = new Set<Promise<void>>();
  private readonly stop = new AbortController();
  private readonly usage = new QueryUsage();
  private readonly tried = new Set<string>();
  private closing = false;

  constructor(
    private readonly parts: ExecutionParts,
    private readonly admitted: AdmittedQuery,
    private readonly events: SessionEvents,
  ) {}

  /** The worker of a session that is open. */
  workerOf(sessionId: string): WorkerChoice | undefined {
    return this.sessions.get(sessionId)?.worker;
  }

  /** Whether the worker of a session has not answered yet. */
  isAwaited(sessionId: string): boolean {
    return this.sessions.get(sessionId)?.isTaken === false;
  }

  /** Aborts when a session is lost or was never there. */
  signalOf(sessionId: string): AbortSignal {
    return this.sessions.get(sessionId)?.stop.signal ?? AbortSignal.abort();
  }

  /**
   * Opens a session on each of `workers` that takes one at once; when none does, on the first that comes to have room. Resolves
   * when at least one is open or none can be had: then with why.
   */
  async open(workers: readonly WorkerChoice[]): Promise<Exclude<PlacementOutcome, { kind: 'placed' }> | undefined> {
    const { placement } = this.parts;
    const fresh = workers.filter((worker) => !this.tried.has(workerKey(worker)));
    const outcomes = fresh.map(async (worker) => {
      this.tried.add(workerKey(worker));
      let asked: Placed | undefined;
      const outcome = await placement.placeOn(this.admitted, worker, (placed) => this.expect((asked = placed)));
      if (outcome?.kind === 'placed') return this.hold(outcome);
      if (asked !== undefined) this.takeBack(asked.taskId);
      return outcome;
    });
    const told = await Promise.all(outcomes);
    const bad = told.find((outcome) => outcome?.kind === 'failed' || outcome?.kind === 'ended');
    if (bad !== undefined) return bad;
    return this.sessions.size > 0 ? undefined : this.openOne();
  }

  /** Waits for a worker that takes a session. */
  async openOne(): Promise<Exclude<PlacementOutcome, { kind: 'placed' }> | undefined> {
    const outcome = await this.parts.placement.place(this.admitted, this.tried);
    if (outcome.kind !== 'placed') return outcome;
    this.tried.add(workerKey(outcome.worker));
    this.expect(outcome);
    return this.hold(outcome);
  }

  /** A fragment has found out that nothing runs in a session any more, perhaps before its stream tells. */
  giveUp(sessionId: string, message: string): void {
    const session = this.sessions.get(sessionId);
    if (session === undefined) return;
    if (!session.isTaken) return this.takeBack(sessionId);
    this.sessions.delete(sessionId);
    session.stop.abort();
    this.events.lost(sessionId, `worker ${session.worker.nodeId}: ${message}`); // H1
  }

  /** Ends all sessions (H3). */
  async close(): Promise<void> {
    this.closing = true;
    this.stop.abort();
    await Promise.all(this.holding);
  }

  /** H4. */
  private expect(placed: Placed): void {
    this.sessions.set(placed.taskId, { ...placed, stop: new AbortController(), isTaken: false });
    this.events.opened(placed.taskId);
  }

  /** H4. */
  private takeBack(sessionId: string): void {
    const session = this.sessions.get(sessionId);
    if (session === undefined) return;
    this.sessions.delete(sessionId);
    session.stop.abort();
    if (!this.closing && !this.admitted.query.ended) this.events.refused(sessionId); // H1
  }

  /** The worker has taken the session. */
  private hold(placed: Placed): undefined {
    const stopped: Session = { ...placed, stop: new AbortController(), isTaken: true };
    const session = this.sessions.get(placed.taskId) ?? stopped;
    session.isTaken = true;
    const { query } = this.admitted;
    if (session === stopped) stopped.stop.abort();
    else {
      query.using({ workerIds: [...new Set([...query.use.workerIds, placed.worker.nodeId])] });
      if (query.state === 'starting') query.apply({ kind: 'running' });
    }
    const held = this.read(session).finally(() => this.holding.delete(held));
    this.holding.add(held);
  }

  /** Reads a session's stream, which keeps it alive, until it is lost or not needed any more. */
  private async read(placed: Session): Promise<void> {
    const { tasks, taskEnds, taskWatch, workers, placement } = this.parts;
    const { query } = this.admitted;
    const { worker, taskId } = placed;
    const alive = whileWorker(workers, () => !workers.isGone(worker));
    const signal = AbortSignal.any([this.stop.signal, placed.stop.signal, alive.signal]);
    const stream = tasks.fetch(worker.address, taskId, signal);
    const watched = taskWatch.watch(taskId, worker.address, (use) => {
      this.usage.heard(taskId, use);
      chargeCpu(query, this.usage.total()); // H2
    });
    let next = await stream.next();
    while (!next.done) {
      if (next.value.kind === 'use') watched.heard(next.value.use);
      next = await stream.next();
    }
    alive.stop();
    const isNews = this.sessions.delete(taskId);
    if (!alive.signal.aborted) {
      const reason = query.failure?.reason ?? 'the query needs the session no more';
      const last = await taskEnds.stop(placed, reason); // H3
      if (last) watched.heard(last);
    }
    watched.stop();
    this.usage.ended(taskId);
    chargeCpu(query, this.usage.total());
    placement.release(placed);
    if (this.closing || query.ended || !isNews) return; // H1
    const end = next.value;
    if (end.kind === 'failed' && !end.failure.retriable) return this.events.failed(end.failure);
    const message = alive.signal.aborted ? 'the node is gone' : end.kind === 'finished' ? 'it ended' : messageOf(end);
    this.events.lost(taskId, `worker ${worker.nodeId}: ${message}`);
  }
}

const messageOf = (end: { kind: 'lost'; message: string } | { kind: 'failed'; failure: QueryFailure }): string =>
  end.kind === 'lost' ? end.message : end.failure.message;
