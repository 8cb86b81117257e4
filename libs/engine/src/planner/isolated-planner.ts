// Plans in a child process. Binding evaluates constant expressions, so any statement can take all the time and memory
// there is while it is merely planned; here it costs a process that is replaced, and nobody else's query.
//   P1. A statement is answered once, by the process or by what happened to it.
//   P2. A statement that takes longer than planTimeoutMs is given up; with it goes the process, if it does not stop.
//   P3. Statements that were under way in a process that ended are tried once more; their fault cannot be known.
import type { ChildProcess } from 'node:child_process';
import type { Clock, Instant } from '@tutti/base';
import type { Log } from '@tutti/service';
import { type Catalog, type Session, type StatementError, statementError, type StatementErrorReason } from '@tutti/sql';
import type { Planner, PlanOutcome } from '../engine.js';
import { forkIsolated } from '../executor/executor-child.js';
import { offerToOutOfMemoryKiller, readPeakRssBytes, readProcessUsage } from '../executor/process-usage.js';
import type { CheckedTable } from './catalog-check.js';
import type { FromPlanner, ToPlanner } from './protocol.js';

export interface IsolatedPlannerOptions {
  readonly catalogs: readonly Catalog[];
  readonly scratchDirectory: string;
  readonly log: Log;
  readonly clock: Clock;
  /** The planner program: a file that calls runPlannerProcess(). */
  readonly plannerPath: string;
  readonly planTimeoutMs: number;
  /** A planner process that holds more is replaced. */
  readonly rssLimitBytes: number;
}

const INTERRUPT_GRACE_MS = 1_000;
const WATCH_INTERVAL_MS = 200;
/** What has been planned for less time than this did not fill the memory. */
const BLAMED_AFTER_MS = 50;
const RESTART_DELAY_MS = 500;
const ATTEMPTS_MAX = 2;
/** After this many processes that did not open, statements fail instead of waiting for the next one. */
const FAILED_STARTS_MAX = 3;

interface Pending {
  readonly statement: string;
  readonly session: Session;
  readonly answer: (outcome: PlanOutcome) => void;
  /** When the process got it; undefined while it waits for a process. */
  submittedAt: Instant | undefined;
  attempts: number;
  cancelTimer: () => void;
}

/** A planner in a process of its own. */
export class IsolatedPlanner implements Planner {
  private readonly pending = new Map<number, Pending>();
  private child: ChildProcess | undefined;
  private open = false;
  private tables: readonly CheckedTable[] | undefined;
  private lastId = 0;
  /** What opening took: looking at large files may need more than planning ever should. */
  private peakAtOpenBytes = 0;
  private watching = false;
  private failedStarts = 0;
  private closing = false;
  private opened: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(private readonly options: IsolatedPlannerOptions) {}

  /** Resolves when statements can be planned; tables that cannot be read are logged. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.opened = { resolve, reject };
      this.fork();
    });
  }

  plan(statement: string, session: Session, signal: AbortSignal): Promise<PlanOutcome> {
    return new Promise((resolve, reject) => {
      if (signal.aborted || this.closing) return reject(canceled(signal));
      const id = ++this.lastId;
      const leave = () => {
        pending.cancelTimer();
        signal.removeEventListener('abort', abort);
        this.pending.delete(id);
      };
      const abort = () => {
        leave();
        this.giveUp(id);
        reject(canceled(signal));
      };
      const answer = (outcome: PlanOutcome) => {
        leave();
        resolve(outcome);
      };
      const pending: Pending = {
        statement,
        session,
        answer,
        submittedAt: undefined,
        attempts: 0,
        cancelTimer: () => {},
      };
      signal.addEventListener('abort', abort, { once: true });
      this.pending.set(id, pending);
      this.submit(id, pending);
      this.watch();
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    const { child } = this;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  private fork(): void {
    const { plannerPath, scratchDirectory, catalogs, log } = this.options;
    const child = forkIsolated(plannerPath, scratchDirectory);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4_000)));
    child.on('message', (message: FromPlanner) => this.receive(message));
    child.on('error', (error) => log.warn('planner-error', { error }));
    child.once('close', (code, signal) => this.childGone(`${signal ?? `exit code ${code}`}`, stderr));
    if (child.pid !== undefined) offerToOutOfMemoryKiller(child.pid);
    this.child = child;
    this.send({ kind: 'open', catalogs, tables: this.tables, scratchDirectory });
  }

  private send(message: ToPlanner): void {
    if (this.child?.connected) this.child.send(message);
  }

  private submit(id: number, pending: Pending): void {
    // What comes before the process is open is sent when it is; the wait counts as nobody's planning time.
    if (!this.open) return;
    const { clock, planTimeoutMs } = this.options;
    pending.attempts++;
    pending.submittedAt = clock.now();
    pending.cancelTimer = clock.schedule(planTimeoutMs, () => {
      this.giveUp(id);
      pending.answer(tooLong(planTimeoutMs));
    });
    this.send({ kind: 'plan', id, statement: pending.statement, session: pending.session });
  }

  private receive(message: FromPlanner): void {
    switch (message.kind) {
      case 'opened':
        if (this.tables === undefined) this.logDefects(message.tables);
        this.tables = message.tables;
        this.open = true;
        this.peakAtOpenBytes = readPeakRssBytes(this.child?.pid ?? 0);
        this.opened?.resolve();
        for (const [id, pending] of this.pending) this.submit(id, pending);
        return;
      case 'mended':
        this.mended(message.table);
        return;
      case 'planned':
        this.running.delete(message.id);
        // Between two looks a statement may take too much and give it back; it fails all the same, each time.
        if (readPeakRssBytes(this.child?.pid ?? 0) > Math.max(this.options.rssLimitBytes, this.peakAtOpenBytes))
          this.endTooLarge();
        this.pending.get(message.id)?.answer(message.outcome);
        return;
    }
  }

  /** Statements that nobody waits for any more, and that the process still works on. */
  private readonly running = new Set<number>();

  private giveUp(id: number): void {
    if (!this.open) return;
    const { child } = this;
    this.running.add(id);
    this.send({ kind: 'cancel', id });
    this.options.clock.schedule(INTERRUPT_GRACE_MS, () => {
      if (this.running.has(id) && child === this.child) child?.kill('SIGKILL');
    });
  }

  private logDefects(tables: readonly CheckedTable[]): void {
    for (const { reader, defect } of tables)
      if (defect !== undefined)
        this.options.log.error('table-unreadable', { table: nameOf(reader), problems: defect.problems });
  }

  /** The next process need not look at it again. */
  private mended(table: CheckedTable): void {
    const name = nameOf(table.reader);
    this.tables = this.tables?.map((known) => (nameOf(known.reader) === name ? table : known));
    this.options.log.info('table-readable', { table: name });
  }

  private childGone(how: string, stderr: string): void {
    // A process that never opened would not open the next moment either.
    const delayMs = this.open ? 0 : RESTART_DELAY_MS;
    this.open = false;
    this.child = undefined;
    this.running.clear();
    if (this.closing) return;
    this.options.log.warn('planner-ended', { how, stderr });
    if (this.tables === undefined) {
      this.opened?.reject(new Error(`the planner process ended before it was ready (${how}): ${stderr}`));
      return;
    }
    this.failedStarts = delayMs === 0 ? 0 : this.failedStarts + 1;
    const hopeless = this.failedStarts >= FAILED_STARTS_MAX;
    for (const pending of [...this.pending.values()]) {
      pending.cancelTimer();
      pending.submittedAt = undefined;
      if (hopeless || pending.attempts >= ATTEMPTS_MAX) pending.answer(failed('INTERNAL_ERROR', CRASHED));
    }
    this.options.clock.schedule(delayMs, () => {
      if (!this.closing) this.fork();
    });
  }

  /** Looks after the process's memory while it plans. */
  private watch(): void {
    if (this.watching) return;
    this.watching = true;
    const { clock, rssLimitBytes } = this.options;
    clock.schedule(WATCH_INTERVAL_MS, () => {
      this.watching = false;
      const rssBytes = readProcessUsage(this.child?.pid ?? 0)?.rssBytes ?? 0;
      if (rssBytes > rssLimitBytes) this.endTooLarge();
      if (this.pending.size > 0 || this.running.size > 0) this.watch();
    });
  }

  /** The process holds too much, or did: what it has planned for a while fails, and another process takes its place. */
  private endTooLarge(): void {
    for (const { submittedAt, answer } of [...this.pending.values()])
      if (submittedAt !== undefined && this.options.clock.now() - submittedAt >= BLAMED_AFTER_MS)
        answer(failed('EXCEEDED_LOCAL_MEMORY_LIMIT', TOO_LARGE));
    this.child?.kill('SIGKILL');
  }
}

const nameOf = ({ catalog, schema, name }: CheckedTable['reader']): string => `${catalog}.${schema}.${name}`;

const CRASHED =
  'The engine ended unexpectedly while it planned this statement. Write it in another way, and report it.';
const TOO_LARGE =
  'Planning this statement needs too much memory: the engine computes constant expressions while it plans. Make its constants smaller.';

const failed = (reason: StatementErrorReason, message: string): PlanOutcome => {
  const error: StatementError = statementError(reason, message);
  return { kind: 'error', error };
};

const tooLong = (planTimeoutMs: number): PlanOutcome =>
  failed(
    'EXCEEDED_TIME_LIMIT',
    `Planning this statement took longer than ${planTimeoutMs / 1000} s: the engine computes constant expressions while it plans. Make its constants smaller.`,
  );

const canceled = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('planning was canceled');
