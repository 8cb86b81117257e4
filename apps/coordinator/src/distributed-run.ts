// Runs one admitted query on several workers: carries out what the schedule of its stages decides.
//   R1. Stages are cut as facts become known (cut() of @tutti/sql); the schedule decides which task runs where, and again.
//   R2. Rows of the final stage go to the query's buffer; from the first one on nothing runs again.
//   R3. When `run` resolves no fragment runs and every session was told to stop (query-sessions.ts).
import { setImmediate } from 'node:timers/promises';
import { Bell } from './bell.js';
import { failure } from './core/query.js';
import { SmallFiles } from './core/small-files.js';
import { type StageProgress, StageStats } from './core/stage-stats.js';
import type { KnownStage } from './core/stage-task.js';
import { type ScheduleEffect, type ScheduleEvent, StageSchedule } from './core/stage-schedule.js';
import type { ExecutionParts } from './execution-parts.js';
import type { FragmentEnd } from './fragment-client.js';
import { QuerySessions } from './query-sessions.js';
import { failedIn, type StageWork } from './stage-work.js';
import type { AdmittedQuery } from './task-placement.js';

type RunEffect = Extract<ScheduleEffect, { kind: 'run' }>;

/** A session runs one fragment while the input of another is fetched. */
const SESSION_TASKS_MAX = 2;
const ATTEMPTS_MAX = 3;

export class DistributedRun {
  private readonly schedule = new StageSchedule({ sessionTasksMax: SESSION_TASKS_MAX, attemptsMax: ATTEMPTS_MAX });
  private readonly sessions: QuerySessions;
  readonly stats = new StageStats();
  private readonly small = new SmallFiles();
  private readonly running = new Set<Promise<void>>();
  private readonly changed = new Bell();
  private readonly over = new AbortController();
  private isDone = false;
  private rows = 0;
  private sessionsOpening = false;

  constructor(
    private readonly parts: ExecutionParts,
    private readonly admitted: AdmittedQuery,
    private readonly work: StageWork,
  ) {
    this.sessions = new QuerySessions(parts, admitted, {
      opened: (sessionId) => this.apply({ kind: 'sessionOpened', sessionId }),
      lost: (sessionId, message) => {
        parts.log.warn('session-lost', { queryId: admitted.query.queryId, sessionId, message });
        this.apply({ kind: 'sessionLost', sessionId, message });
      },
      refused: (sessionId) => this.apply({ kind: 'sessionRefused', sessionId }),
      failed: (why) => this.end({ kind: 'failed', failure: why }),
    });
  }

  /** The stages that were cut so far. */
  get stages(): readonly KnownStage[] {
    return this.schedule.known();
  }

  /**
   * Calls `deliver` when all rows are in the query's buffer, unless the query has ended otherwise or its slot was taken back.
   * The client has not to wait for the sessions to end; the slot has.
   */
  async run(deliver: () => Promise<void>): Promise<void> {
    const { query, slot } = this.admitted;
    const over = AbortSignal.any([query.signal, this.over.signal, slot.takenBack]);
    const opening = this.openSessions();
    try {
      this.cut();
      while (!this.isDone && !over.aborted) await this.changed.wait(over);
      if (query.ended || slot.takenBack.aborted) return;
      if (query.state === 'starting') query.apply({ kind: 'running' });
      query.using({ rows: this.rows });
      await deliver();
      await setImmediate(); // The client hears of the end before calls and sessions are taken down.
    } finally {
      this.over.abort();
      await Promise.all([opening, ...this.running]);
      await this.sessions.close(); // R3
    }
  }

  private apply(event: ScheduleEvent): void {
    for (const effect of this.schedule.apply(event)) this.perform(effect);
    this.admitted.query.progressed(this.progress());
  }

  /** How far it is. */
  progress(): StageProgress {
    return this.stats.progress(this.schedule.known(), (known) => this.work.splitCounts(known));
  }

  private perform(effect: ScheduleEffect): void {
    const { query } = this.admitted;
    switch (effect.kind) {
      case 'run': {
        const run = this.runTask(effect).finally(() => this.running.delete(run));
        this.running.add(run);
        return;
      }
      case 'cut':
        return this.cut();
      case 'again': {
        const { stageId, index, attempt, message } = effect;
        this.parts.log.warn('stage-task-lost', { queryId: query.queryId, stageId, index, attempt, message });
        return this.stats.taskRetried();
      }
      case 'sessionWanted':
        void this.replaceSessions();
        return;
      case 'failed':
        return this.end(effect);
      case 'done':
        this.isDone = true;
        return this.changed.ring();
    }
  }

  /** R1. */
  private cut(): void {
    const outcome = this.work.cut(this.schedule.facts());
    if (outcome.kind === 'whole') {
      const message = `The query could not be cut into further stages: ${outcome.reason}.`;
      return this.end({ kind: 'failed', failure: failure('INTERNAL_ERROR', message) });
    }
    const stages = outcome.kind === 'final' ? [outcome.stage] : outcome.stages;
    this.apply({ kind: 'stagesCut', stages: stages.map((stage) => ({ stage, tasks: this.work.taskCount(stage) })) });
  }

  private async runTask(effect: RunEffect): Promise<void> {
    const { query } = this.admitted;
    const { stageId, index, attempt, sessionId, stage } = effect;
    const name = { stageId, index, attempt };
    const worker = this.sessions.workerOf(sessionId);
    if (worker === undefined) return; // It was lost in this turn, and the schedule hears of it.
    const fragment = this.work.fragment(effect, (id) => this.sessions.workerOf(id)?.edgeAddress ?? '', this.small);
    const signal = AbortSignal.any([query.signal, this.over.signal, this.sessions.signalOf(sessionId)]);
    const awaitsSession = this.sessions.isAwaited(sessionId);
    const parts = this.parts.fragments.run(worker.address, { ...fragment, awaitsSession }, signal);
    const isResult = stage.output.kind === 'result';
    let next = await parts.next();
    for (; !next.done; next = await parts.next()) {
      if (!isResult || query.ended) continue;
      this.apply({ kind: 'rowsSent' }); // R2
      query.using({ resultBytes: query.use.resultBytes + next.value.length });
      await query.rows.push(next.value, query.signal);
    }
    if (query.ended || this.over.signal.aborted) return;
    if (next.value.kind === 'lost' && next.value.sessionIsGone)
      return this.sessions.giveUp(sessionId, next.value.message);
    this.apply({ ...this.eventOf(next.value, effect, worker.nodeId), ...name });
  }

  private eventOf(end: FragmentEnd, effect: RunEffect, workerId: string) {
    switch (end.kind) {
      case 'finished': {
        const { stage, stageId, index, attempt, sessionId } = effect;
        if (stage.output.kind === 'result') this.rows += end.result.rows;
        this.stats.taskFinished({ ...end.result, stageId, index, attempt, workerId });
        const files = end.result.files.map(({ content, ...rest }) => {
          const file = { ...rest, sessionId };
          this.small.keep(file, content);
          return file;
        });
        return { kind: 'finished', output: { ...end.result, files } } as const;
      }
      case 'lost':
        return {
          kind: 'taskLost',
          message: end.message,
          missing: this.work.missingFiles(end.missing, effect),
        } as const;
      case 'failed':
        return { kind: 'taskFailed', failure: failedIn(end.failure, effect, workerId) } as const;
    }
  }

  /** Asks all workers; who answers late takes part from then on. */
  private async openSessions(): Promise<void> {
    this.sessionsOpening = true;
    const outcome = await this.sessions.open(this.parts.workers.active());
    this.sessionsOpening = false;
    if (outcome?.kind === 'failed') this.end(outcome);
    if (outcome?.kind === 'ended') this.over.abort();
  }

  /** All sessions are lost: others are opened, if there are workers. */
  private async replaceSessions(): Promise<void> {
    if (this.sessionsOpening) return;
    this.sessionsOpening = true;
    const outcome = await this.sessions.openOne();
    this.sessionsOpening = false;
    if (outcome?.kind === 'failed') this.end(outcome);
  }

  private end({ failure: why }: Extract<ScheduleEffect, { kind: 'failed' }>): void {
    this.admitted.query.apply({ kind: 'failed', failure: why });
    this.over.abort();
  }
}
