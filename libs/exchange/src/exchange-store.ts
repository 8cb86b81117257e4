// Where a worker keeps exchange files: one directory per process, named after it, and below it one per session. Its names are
// ours: what comes over the wire names entries of tables, never paths.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '@tutti/base';
import { ConfigError, inUse, type Log, makeDirectory, removeLeftovers } from '@tutti/service';
import { type ExchangeCounts, ExchangeSession, type SessionStart } from './exchange-session.js';

const PREFIX = 'tutti-exchange-';

/** What the store holds and moved since it was opened. */
export interface ExchangeStats extends Readonly<ExchangeCounts> {
  /** Files that can be fetched. */
  readonly files: number;
  /** Bytes on the disk, written and fetched. */
  readonly heldBytes: number;
}

export interface ExchangeStoreOptions {
  /** Where the directory of this process is made. */
  readonly directory: string;
  /** What one session may hold. */
  readonly limitBytes: number;
  readonly log: Log;
}

export class ExchangeStore {
  private readonly sessions = new Map<string, ExchangeSession>();
  private readonly removing = new Set<Promise<void>>();
  private begun = 0;
  readonly counts: ExchangeCounts = { writtenBytes: 0, fetchedBytes: 0, servedBytes: 0 };

  private constructor(
    /** All sessions are below it. */
    readonly path: string,
    private readonly limitBytes: number,
    private readonly log: Log,
    private readonly release: () => void,
  ) {}

  /**
   * Makes the directory of this process, and removes those of processes that did not get to do it themselves. Throws ConfigError.
   */
  static open(options: ExchangeStoreOptions): ExchangeStore {
    const { directory, limitBytes, log } = options;
    try {
      makeDirectory(directory);
      removeLeftovers(directory, PREFIX);
      // Only this user may look into it.
      const path = mkdtempSync(join(directory, `${PREFIX}${process.pid}-`));
      return new ExchangeStore(path, limitBytes, log, inUse(path));
    } catch (error) {
      throw new ConfigError([`exchange.directory: ${directory} cannot be used: ${(error as Error).message}`]);
    }
  }

  /** Begins a session. Throws when the disk does not take its directory. */
  begin(start: SessionStart): ExchangeSession {
    invariant(!this.sessions.has(start.taskId), 'a task is created once');
    const directory = join(this.path, `session-${++this.begun}`);
    const session = ExchangeSession.begin(
      start,
      { directory, limitBytes: this.limitBytes, counts: this.counts },
      mkdirSync,
    );
    this.sessions.set(start.taskId, session);
    return session;
  }

  session(taskId: string): ExchangeSession | undefined {
    return this.sessions.get(taskId);
  }

  /** Ends a session; its files are removed meanwhile. */
  end(session: ExchangeSession): void {
    this.sessions.delete(session.taskId);
    const { taskId, directory } = session;
    const removed = session
      .close()
      // What cannot be removed now is tried again when the store closes, and by the next process.
      .catch((error: unknown) => this.log.warn('exchange-not-removed', { taskId, directory, error }))
      .finally(() => this.removing.delete(removed));
    this.removing.add(removed);
  }

  stats(): ExchangeStats {
    const sessions = [...this.sessions.values()];
    return {
      ...this.counts,
      files: sessions.reduce((sum, { fileCount }) => sum + fileCount, 0),
      heldBytes: sessions.reduce((sum, { heldBytes }) => sum + heldBytes, 0),
    };
  }

  /** Resolves when the files of all sessions that ended so far are removed. */
  async removed(): Promise<void> {
    await Promise.all(this.removing);
  }

  /** Ends all sessions and removes everything. */
  async close(): Promise<void> {
    for (const session of this.sessions.values()) this.end(session);
    await this.removed();
    rmSync(this.path, { recursive: true, force: true });
    this.release();
  }
}
