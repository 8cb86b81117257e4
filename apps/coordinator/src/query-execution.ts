// Runs one admitted query: on several workers in stages, or whole on one. Here is the second; distributed-run.ts is the first.
//   E1. A task that was lost runs again elsewhere only while no row has left it, and three times at most.
//   E2. What the tasks of a query used counts together, those that were lost and those that were canceled too, also while
//       nobody reads their rows; past its CPU limit the query ends. CPU that was counted is never taken back.
//   E3. When `run` resolves, all rows are in the query's buffer or the query has ended, or its slot was taken back; and each
//       task of it is known to have ended (task-ends.ts).
import { randomBytes } from 'node:crypto';
import { encodeSession, withResultFormat } from '@tutti/engine';
import { type WorkerChoice, workerKey } from './core/placement.js';
import { failure, type QueryFailure, type QueryUse } from './core/query.js';
import { memoryLimitOrigin, timeExceeded } from './core/query-limits.js';
import type { QueryWork } from './core/query-work.js';
import { DistributedRun } from './distributed-run.js';
import { type AnalyzedRun, analysisLines } from './explain-analyze.js';
import { keptWhole, tableSizes } from './explain.js';
import type { ExecutionParts } from './execution-parts.js';
import type { LiveQuery } from './live-query.js';
import { chargeCpu } from './query-use.js';
import { linesOfRows } from './row-codec.js';
import type { Slot } from './slots.js';
import { StageWork } from './stage-work.js';
import type { TaskOutcome, TaskUse } from './task-client.js';
import type { Placed } from './task-placement.js';
import { whileWorker } from './workers.js';

/** How often a task is started in all (E1). */
const RUNS_MAX = 3;
const ANALYSIS_PIECE_BYTES = 64 << 10;

export class QueryExecution {
  constructor(private readonly options: ExecutionParts) {}

  /** Whether an admitted query would find any worker now. */
  get hasWorkers(): boolean {
    return this.options.workers.active().length > 0;
  }

  /** Workers that take work now. */
  get workerCount(): number {
    return this.options.workers.active().length;
  }

  /** Whether a task that a query has given up may still be on a worker. */
  mayHaveTasks(queryId: string): boolean {
    return this.options.placement.hasTasks(queryId) || this.options.taskEnds.isOpen(queryId);
  }

  /** Runs an admitted query. Whatever a worker does becomes an end of the query, never a rejection. */
  async run(query: LiveQuery, work: QueryWork, slot: Slot): Promise<void> {
    const { execution } = query.limits;
    const cancelTimer = this.options.clock.schedule(execution.most, () => {
      query.apply({ kind: 'failed', failure: failure('EXCEEDED_TIME_LIMIT', timeExceeded(execution)) });
    });
    try {
      await this.runWork(query, work, slot);
    } finally {
      cancelTimer();
      await this.options.taskEnds.settled(query.queryId); // E3
    }
  }

  private async runWork(query: LiveQuery, work: QueryWork, slot: Slot): Promise<void> {
    if (work.isAnalyze) query.rows.discard(true);
    const stages = this.stagesOf(query, work);
    if (stages instanceof StageWork) {
      const { exchangeKey, plan } = stages.options;
      const fragment = encodeSession({ tables: plan.tables });
      const run = new DistributedRun(this.options, { query, fragment, slot, exchangeKey }, stages);
      const tables = tableSizes(plan.tables);
      const { stats } = run;
      return run.run(() => {
        const progress = run.progress();
        return this.deliver(query, work, { kind: 'stages', stages: run.stages, progress, stats, tables });
      });
    }
    query.runsWhole(stages.reason);
    const { resultFormat } = query;
    const fragment = resultFormat === 'rows' ? work.fragment : withResultFormat(work.fragment, resultFormat);
    const { reason } = stages;
    if (await this.runTask(query, fragment, slot)) await this.deliver(query, work, { kind: 'whole', reason });
  }

  /** The stages of a query that runs on several workers, or why it runs whole on one. */
  private stagesOf(query: LiveQuery, { plan }: QueryWork): StageWork | { readonly reason: string } {
    if (plan.kind === 'whole') return plan;
    const { distribution: settings, resultFormat: format } = query;
    const workers = this.workerCount;
    const reason = keptWhole(settings, workers);
    if (reason !== undefined) return { reason };
    const exchangeKey = randomBytes(16).toString('hex');
    const stages = new StageWork({ plan, settings, workers: Math.max(1, workers), format, exchangeKey });
    const first = stages.cut(new Map());
    return first.kind === 'whole' ? first : stages;
  }

  /** All rows have come: who asked for an analysis gets that. */
  private async deliver(query: LiveQuery, { isAnalyze }: QueryWork, run: AnalyzedRun): Promise<void> {
    if (isAnalyze) {
      query.rows.discard(false);
      const { use, elapsedMs, queuedMs } = query.snapshot();
      const lines = analysisLines({ use, elapsedMs: elapsedMs - queuedMs, queuedMs, run });
      const rows = lines.map((line) => [line]);
      for (const piece of linesOfRows(rows, ANALYSIS_PIECE_BYTES)) await query.rows.push(piece, query.signal);
      if (query.ended) return;
      query.using({ rows: lines.length });
    }
    query.rows.end();
    query.apply({ kind: 'tasksEnded' });
  }

  /** Whether all rows are in the query's buffer. */
  private async runTask(query: LiveQuery, fragment: Uint8Array, slot: Slot): Promise<boolean> {
    const { placement, log } = this.options;
    const lost = new Set<string>();
    for (let run = 1; ; run++) {
      const outcome = await placement.place({ query, fragment, slot }, lost);
      if (outcome.kind === 'ended') return false;
      if (outcome.kind === 'failed') return this.fail(query, outcome.failure);
      const { nodeId } = outcome.worker;
      query.using({ workerIds: [nodeId] });
      if (query.state === 'starting') query.apply({ kind: 'running' });

      const end = await this.read(query, outcome);
      if (query.ended) return false;
      if (end.kind === 'finished') return true;
      if (end.kind === 'failed') return this.fail(query, withOrigin(end.failure, query, outcome.worker));
      const again = query.use.resultBytes === 0 && run < RUNS_MAX; // E1
      log.warn('task-lost', { queryId: query.queryId, workerId: nodeId, message: end.message, again });
      if (!again) return this.fail(query, workerLost(nodeId, end.message));
      query.using({ memoryBytes: 0 });
      lost.add(workerKey(outcome.worker));
    }
  }

  private fail(query: LiveQuery, why: QueryFailure): false {
    query.apply({ kind: 'failed', failure: why });
    return false;
  }

  /** Moves the rows of a task to the query until either ends, or the worker is known to be gone. */
  private async read(query: LiveQuery, placed: Placed): Promise<TaskOutcome> {
    const { tasks, taskEnds, taskWatch, workers, placement } = this.options;
    const { worker } = placed;
    const alive = whileWorker(workers, () => !workers.isGone(worker));
    const parts = tasks.fetch(worker.address, placed.taskId, AbortSignal.any([query.signal, alive.signal]));
    const usedBefore = query.use;
    const watched = taskWatch.watch(placed.taskId, worker.address, (use) => used(query, usedBefore, use));
    let finished = false;
    try {
      for (;;) {
        const next = await parts.next();
        if (next.done) {
          finished = next.value.kind === 'finished';
          return !finished && alive.signal.aborted ? { kind: 'lost', message: 'the node is gone' } : next.value;
        }
        if (query.ended) return { kind: 'lost', message: 'the query has ended' };
        if (next.value.kind === 'use') watched.heard(next.value.use);
        else {
          query.using({ resultBytes: query.use.resultBytes + next.value.lines.length });
          await query.rows.push(next.value.lines, query.signal);
        }
      }
    } finally {
      alive.stop();
      // E3. A finished task needs no word; a node that is gone would not hear it.
      if (!finished && !alive.signal.aborted) {
        const reason = query.failure?.reason ?? 'the task was lost';
        const last = await taskEnds.stop(placed, reason);
        if (last) watched.heard(last); // E2
      }
      watched.stop();
      placement.release(placed);
    }
  }
}

/** E2. */
function used(query: LiveQuery, before: QueryUse, task: TaskUse): void {
  chargeCpu(query, {
    rows: task.rows,
    cpuMs: before.cpuMs + task.cpuMs,
    memoryBytes: task.memoryBytes,
    peakMemoryBytes: Math.max(before.peakMemoryBytes, task.peakMemoryBytes),
    spilledBytes: before.spilledBytes + task.spilledBytes,
  });
}

/** A task that ran out of memory does not know who limited it. */
function withOrigin(why: QueryFailure, { limits }: LiveQuery, { nodeId, ...worker }: WorkerChoice): QueryFailure {
  if (why.reason !== 'EXCEEDED_LOCAL_MEMORY_LIMIT') return why;
  const taskBytes = Math.floor(worker.memoryLimitBytes / worker.tasksMax);
  return { ...why, message: `${why.message} ${memoryLimitOrigin(limits.memory, { nodeId, taskBytes })}` };
}

const workerLost = (nodeId: string, message: string) =>
  failure(
    'WORKER_LOST',
    `The worker ${nodeId} was lost while it ran the query: ${message}. Send the statement again.`,
    true,
  );
