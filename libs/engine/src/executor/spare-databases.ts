// The databases of an executor: those that wait for a task, and those whose task is over.
//   D1. A database is given out once.
//   D2. A database whose task is over is closed within CLOSE_AFTER_MS; at once when it may hold much.
//   D3. At most SPARES_MAX wait for a task, and at most FINISHED_MAX to be closed.
//   D4. While a task runs no database is opened, but one that was begun before it. Opening begins when nothing has run for
//       REFILL_AFTER_MS, or when none is left, and goes on until there are SPARES_MAX.
import type { Clock } from '@tutti/base';

/** A database as far as it matters here. */
export interface SpareDatabase {
  /** It must not wait to be closed: it may hold much memory, or files. */
  readonly holdsMuch: boolean;
  close(): void;
}

export interface SpareDatabasesOptions<D extends SpareDatabase> {
  readonly open: () => Promise<D>;
  readonly clock: Clock;
  /** Told how many wait for a task, each time that one more does. */
  readonly opened: (spares: number) => void;
  /** No database could be opened and none is left. */
  readonly failed: (error: unknown) => void;
}

/** Opening one takes as long as a short query, and so it is put off; several of these are begun without it. */
export const SPARES_MAX = 4;
export const FINISHED_MAX = 4;
export const CLOSE_AFTER_MS = 100;
export const REFILL_AFTER_MS = 100;

const nothing = (): void => {};

export class SpareDatabases<D extends SpareDatabase> {
  private readonly spares: D[] = [];
  /** Oldest first, each with what cancels its closing. */
  private readonly finished = new Map<D, () => void>();
  private isRunning = false;
  private isFilling = false;
  private cancelRefill = nothing;

  constructor(private readonly options: SpareDatabasesOptions<D>) {}

  get count(): number {
    return this.spares.length;
  }

  /** D4. Returns at once; `opened` tells of each. */
  fill(): void {
    this.cancelRefill();
    if (this.isFilling) return;
    void this.fillUp();
  }

  /** A task runs on a database that is none of these (D4). */
  begin(): void {
    this.cancelRefill();
    this.isRunning = true;
  }

  /** D1: one that no task has had; undefined when none is left. */
  take(): D | undefined {
    const database = this.spares.shift();
    if (database === undefined) return undefined;
    this.begin();
    return database;
  }

  /** The task of a database is over. */
  finish(database: D): void {
    this.closeLater(database);
    this.end();
  }

  /** The task is over; its database is none of these, or no longer. */
  end(): void {
    this.isRunning = false;
    if (this.spares.length === 0) return this.fill();
    this.cancelRefill = this.options.clock.schedule(REFILL_AFTER_MS, () => this.fill());
  }

  private async fillUp(): Promise<void> {
    this.isFilling = true;
    try {
      while (!this.isRunning && this.spares.length < SPARES_MAX) {
        this.spares.push(await this.options.open());
        this.options.opened(this.spares.length);
      }
    } catch (error) {
      // While one is left tasks can run; the next attempt may do better.
      if (this.spares.length === 0 && !this.isRunning) this.options.failed(error);
    } finally {
      this.isFilling = false;
    }
  }

  private closeLater(database: D): void {
    if (database.holdsMuch) return database.close();
    const cancel = this.options.clock.schedule(CLOSE_AFTER_MS, () => this.closeNow(database));
    this.finished.set(database, cancel);
    const [oldest] = this.finished.keys();
    if (this.finished.size > FINISHED_MAX && oldest !== undefined) this.closeNow(oldest);
  }

  private closeNow(database: D): void {
    this.finished.get(database)?.();
    this.finished.delete(database);
    database.close();
  }
}
