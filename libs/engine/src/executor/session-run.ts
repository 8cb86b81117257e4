// A session inside its executor: one database, on which fragments run one after the other. Other sessions may have had it before.
//   S1. One fragment at a time; a failed one leaves the database usable, unless the engine itself is broken.
//   S2. After run() nothing of the session is left: no statement, no timer.
//   S3. A fragment that comes before the database is ready runs when it is; when it never is, the session's end tells of both.
import { invariant } from '@tutti/base';
import { readDuckdbError } from '../duckdb/duckdb-error.js';
import { toTaskError } from '../duckdb/task-failure.js';
import { TaskError } from '../engine.js';
import { decodeSession } from '../stage-fragment.js';
import type { ExecutorDatabase } from './executor-database.js';
import { FragmentWork } from './fragment-work.js';
import type { FromExecutor, ToExecutor } from './protocol.js';
import type { DatabaseNeeds } from './kept-databases.js';

export type OpenMessage = Extract<ToExecutor, { kind: 'open' }>;
type FragmentMessage = Extract<ToExecutor, { kind: 'fragment' }>;

export class SessionRun {
  private work: FragmentWork | undefined;
  private running: Promise<void> = Promise.resolve();
  private readonly admitted: Promise<void>;
  private isClosed = false;
  private end: () => void = () => {};
  private isBroken = false;
  private readonly over: Promise<void>;

  constructor(
    private readonly database: ExecutorDatabase,
    private readonly message: OpenMessage,
    private readonly send: (message: FromExecutor) => void,
    /** The files that a new database may open, for those that its session needs. */
    private readonly filesFor: (files: readonly string[]) => readonly string[],
  ) {
    this.over = new Promise((resolve) => (this.end = resolve));
    this.admitted = this.admit();
    this.admitted.catch(() => undefined); // run() tells of it.
  }

  addCredit(): void {
    this.work?.addCredit();
  }

  /** Stops the fragment that runs, if one does. */
  cancel(): void {
    this.work?.cancel();
  }

  /** Runs a fragment; how it went is told by a message. */
  fragment(message: FragmentMessage): void {
    invariant(this.work === undefined, 'S1: one fragment at a time');
    this.work = new FragmentWork(this.database, this.message, message, this.send);
    this.running = this.runFragment(this.work);
    this.running.catch(() => undefined); // S3
  }

  close(): void {
    this.isClosed = true;
    this.work?.cancel();
    void Promise.allSettled([this.admitted, this.running]).then(() => this.end());
  }

  /** Holds the session to its end. Never rejects: the last message says how it went. Resolves to whether the engine is sound. */
  async run(): Promise<boolean> {
    const cpuBefore = process.cpuUsage();
    const cpuMs = (): number => {
      const { user, system } = process.cpuUsage(cpuBefore);
      return (user + system) / 1000;
    };
    try {
      await this.admitted;
    } catch (error) {
      const { reason, message, retriable } = this.explain(error);
      this.send({ kind: 'failed', cpuMs: cpuMs(), reason, message, retriable, broken: false });
      return true;
    }
    this.send({ kind: 'opened' });
    await this.over;
    this.database.over();
    if (this.isBroken) this.send({ kind: 'failed', cpuMs: cpuMs(), ...BROKEN, broken: true });
    else this.send({ kind: 'ended', cpuMs: cpuMs(), rows: 0 });
    return !this.isBroken;
  }

  private async admit(): Promise<void> {
    const { equal, files } = sessionNeeds(this.message);
    await this.database.admitSession({ equal, files: this.filesFor(files) }, this.message);
  }

  private async runFragment(work: FragmentWork): Promise<void> {
    await this.admitted; // S3
    const end = await work.run();
    this.work = undefined;
    if ('outcome' in end) return this.send({ kind: 'fragmentEnded', ...end });
    this.send({ kind: 'fragmentFailed', ...end.failure });
    this.isBroken ||= end.failure.broken;
    if (this.isBroken || this.isClosed) this.end();
  }

  private explain(error: unknown): TaskError {
    if (error instanceof TaskError) return error;
    return toTaskError(readDuckdbError(error), { ...this.message, statement: '', tables: [] });
  }
}

/** What a session asks of its database. Throws when its fragment is none. */
export function sessionNeeds(message: OpenMessage): DatabaseNeeds {
  const { fragment, memoryLimitBytes, threads, spillDirectory, spillLimitBytes, resultPipe, exchangeRoot } = message;
  return {
    equal: JSON.stringify([
      'session',
      memoryLimitBytes,
      threads,
      spillDirectory,
      spillLimitBytes,
      resultPipe,
      exchangeRoot,
    ]),
    files: decodeSession(fragment).tables.flatMap((table) => table.files),
  };
}

const BROKEN = {
  reason: 'INTERNAL_ERROR',
  message: 'The engine failed; the session ends with it.',
  retriable: true,
} as const;
