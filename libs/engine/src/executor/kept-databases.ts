// The databases of an executor that tasks, or sessions, use one after the other: to open one takes as long as a short query.
//   K1. A database is kept only when its last use ended well: nothing failed or was canceled in it, and it holds little.
//   K2. It is given only to what it was locked for: sessions with equal limits whose files it may open; tasks with equal limits and
//       the same tables, since their SQL is the text of a user.
//   K3. At most KEPT_MAX are kept, none for more than KEEP_MS without use, and none after USES_MAX of them.
import type { Clock } from '@tutti/base';

/** What decides which database a task or session can have. */
export interface DatabaseNeeds {
  /** Equal for equal limits, and for a task for equal tables. */
  readonly equal: string;
  /** Of a session. */
  readonly files: readonly string[];
}

/** A database as far as it matters here. */
export interface KeptDatabase {
  /** What it is locked to (K2). */
  readonly lockedTo: DatabaseNeeds | undefined;
  close(): void;
}

export const KEPT_MAX = 4;
export const KEEP_MS = 60_000;
export const USES_MAX = 200;
/** A new database may open the files that the last sessions had, so that it suits the next ones, too: so many at most. */
export const FILES_MAX = 2_000;

interface Kept<D> {
  readonly database: D;
  readonly files: ReadonlySet<string>;
  readonly stopTimer: () => void;
}

export class KeptDatabases<D extends KeptDatabase> {
  /** The one that was used longest ago comes first. */
  private kept: Kept<D>[] = [];
  private readonly uses = new WeakMap<D, number>();
  /** Of the last sessions, the newest last. */
  private readonly knownFiles = new Set<string>();

  constructor(private readonly clock: Clock) {}

  get count(): number {
    return this.kept.length;
  }

  /** One that suits, or undefined (K2). It is not kept any more. */
  take(needs: DatabaseNeeds | undefined): D | undefined {
    if (needs === undefined) return undefined;
    this.learn(needs.files);
    const found = this.kept.findLast(
      ({ database, files }) => database.lockedTo?.equal === needs.equal && needs.files.every((file) => files.has(file)),
    );
    if (found === undefined) return undefined;
    this.forget(found);
    return found.database;
  }

  /** The files that a new database may open, which are those that the last sessions had: at least `files`. */
  filesFor(files: readonly string[]): string[] {
    return [...new Set([...files, ...[...this.knownFiles].reverse()])].slice(0, Math.max(files.length, FILES_MAX));
  }

  /** The task or session of a database has ended well (K1): it is kept, or closed (K3). */
  keep(database: D): void {
    const uses = (this.uses.get(database) ?? 0) + 1;
    this.uses.set(database, uses);
    if (uses >= USES_MAX) return database.close();
    const close = () => this.close(kept);
    const files = new Set(database.lockedTo?.files);
    const kept = { database, files, stopTimer: this.clock.schedule(KEEP_MS, close) };
    this.kept.push(kept);
    const [oldest] = this.kept;
    if (this.kept.length > KEPT_MAX && oldest !== undefined) this.close(oldest);
  }

  private close(kept: Kept<D>): void {
    this.forget(kept);
    kept.database.close();
  }

  private forget(kept: Kept<D>): void {
    kept.stopTimer();
    this.kept = this.kept.filter((other) => other !== kept);
  }

  private learn(files: readonly string[]): void {
    for (const file of files) {
      this.knownFiles.delete(file);
      this.knownFiles.add(file);
    }
    for (const oldest of this.knownFiles) {
      if (this.knownFiles.size <= FILES_MAX) return;
      this.knownFiles.delete(oldest);
    }
  }
}
