// The exchange files of one session on this worker: those that its fragments wrote, and copies of those of other sessions.
//   E1. Only files that a fragment wrote to its end can be had by others. They are found by name in a table, never by path.
//   E2. What it holds stays within the limit of the store (ExchangeQuota); copies that nobody uses make room for what is needed.
//   E3. After close() nothing of it is on the disk.
//   E4. Short calls to the disk are made at once: handed to a thread each would cost more than itself, since the threads take the
//       cores from executors. Calls that take longer the more there is, are handed over.
import { createHash, timingSafeEqual } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSize, invariant } from '@tutti/base';
import { isFragmentId } from './core/exchange-names.js';
import { ExchangeQuota } from './core/exchange-quota.js';
import { ExchangeError } from './exchange-error.js';
import { FragmentFiles, type HeldFile } from './fragment-files.js';

/** A session that begins. */
export interface SessionStart {
  readonly taskId: string;
  readonly queryId: string;
  /** What others must bring to read its files. */
  readonly key: string;
}

/** What happened on the disk, for metrics. */
export interface ExchangeCounts {
  writtenBytes: number;
  fetchedBytes: number;
  servedBytes: number;
}

/** What is removed at once (E4). */
const AT_ONCE_BYTES = 1 << 20;
const AT_ONCE_FILES = 32;

export class ExchangeSession {
  readonly taskId: string;
  readonly queryId: string;
  private readonly inputs: string;
  private hasInputs = false;
  private readonly outputDirectory: string;
  private readonly keyDigest: Buffer;
  private readonly files = new Map<string, HeldFile>();
  private readonly fragments = new Map<string, number>();
  private readonly quota: ExchangeQuota;
  private readonly closing = new AbortController();
  private fetched = 0;
  /** Removes a copy that nobody uses, the one that was used longest ago; false when there is none. Set by whoever fetches. */
  makeRoom: () => boolean = () => false;

  private constructor(
    start: SessionStart,
    /** All its files are below it. */
    readonly directory: string,
    limitBytes: number,
    private readonly counts: ExchangeCounts,
  ) {
    this.taskId = start.taskId;
    this.queryId = start.queryId;
    this.keyDigest = digestOf(start.key);
    // Every transfer listens; ten, after which Node suspects a leak, are few.
    setMaxListeners(0, this.closing.signal);
    this.inputs = join(directory, 'in');
    this.outputDirectory = join(directory, 'out');
    this.quota = new ExchangeQuota(limitBytes);
  }

  /** Made by ExchangeStore.open. `make` makes a directory. */
  static begin(
    start: SessionStart,
    at: { readonly directory: string; readonly limitBytes: number; readonly counts: ExchangeCounts },
    make: (path: string) => void,
  ): ExchangeSession {
    const session = new ExchangeSession(start, at.directory, at.limitBytes, at.counts);
    for (const path of [at.directory, session.outputDirectory]) make(path);
    return session;
  }

  /** Where copies are kept; made when it is first asked for. */
  get inputDirectory(): string {
    if (!this.hasInputs) mkdirSync(this.inputs, { recursive: true });
    this.hasInputs = true;
    return this.inputs;
  }

  /** Aborts when the session ends. */
  get closed(): AbortSignal {
    return this.closing.signal;
  }

  /** Bytes on the disk, written and fetched, those included that are on their way. */
  get heldBytes(): number {
    return this.quota.heldBytes;
  }

  /** Bytes fetched from other workers so far. */
  get fetchedBytes(): number {
    return this.fetched;
  }

  /** Files that others can have. */
  get fileCount(): number {
    return this.files.size;
  }

  /** Takes as long for a key that is nearly right as for any other. */
  isKey(key: string): boolean {
    return timingSafeEqual(this.keyDigest, digestOf(key));
  }

  /** A file that a fragment of this session wrote. */
  file(name: string): HeldFile | undefined {
    return this.files.get(name);
  }

  /** Whether a fragment with this id writes here, or wrote files that are kept. */
  hasFragment(id: string): boolean {
    return this.fragments.has(id);
  }

  /** Makes the output directory of a fragment. */
  beginFragment(id: string): FragmentFiles {
    invariant(isFragmentId(id), `a fragment's id is stage.share.attempt, and not ${id}`);
    const path = join(this.outputDirectory, id);
    mkdirSync(path); // E4
    this.fragments.set(id, 0);
    return new FragmentFiles(id, path, {
      grown: (fragmentId, bytes) => this.grown(fragmentId, bytes),
      keep: (file) => void this.files.set(file.name, file),
      discarded: (fragmentId) => this.discarded(fragmentId),
    });
  }

  /** Counts a copy before it comes. Throws ExchangeError EXCEEDED_EXCHANGE_LIMIT. */
  takeRoom(copy: string, bytes: number): void {
    while (!this.quota.take(`in/${copy}`, bytes)) if (!this.makeRoom()) throw this.exceeded();
  }

  /** A copy is gone. */
  freeRoom(copy: string): void {
    this.quota.free(`in/${copy}`);
  }

  /** Bytes came from another worker. */
  noteFetched(bytes: number): void {
    this.fetched += bytes;
    this.counts.fetchedBytes += bytes;
  }

  /** Ends transfers and removes everything. */
  async close(): Promise<void> {
    this.closing.abort(new Error(`task ${this.taskId} has ended`));
    const files = this.files.size;
    this.files.clear();
    if (this.heldBytes <= AT_ONCE_BYTES && files <= AT_ONCE_FILES && this.removeAtOnce()) return; // E4
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Whether it is gone: a transfer that just ends may come between. */
  private removeAtOnce(): boolean {
    try {
      rmSync(this.directory, { recursive: true, force: true });
      return true;
    } catch {
      return false; // Who tries again says why.
    }
  }

  private grown(fragmentId: string, bytes: number): void {
    const before = this.fragments.get(fragmentId) ?? 0;
    this.fragments.set(fragmentId, Math.max(before, bytes));
    this.counts.writtenBytes += Math.max(0, bytes - before);
    if (this.quota.set(`out/${fragmentId}`, bytes)) return;
    while (this.quota.heldBytes > this.quota.limitBytes) if (!this.makeRoom()) throw this.exceeded();
  }

  private discarded(fragmentId: string): void {
    for (const name of this.files.keys()) if (name.startsWith(`${fragmentId}/`)) this.files.delete(name);
    this.fragments.delete(fragmentId);
    this.quota.free(`out/${fragmentId}`);
  }

  private exceeded(): ExchangeError {
    const limit = formatSize(this.quota.limitBytes);
    return new ExchangeError(
      'EXCEEDED_EXCHANGE_LIMIT',
      `Query ${this.queryId} needs more than ${limit} for rows between its stages on one worker (exchange.limit). ` +
        'Narrow the query, raise exchange.limit, or add workers.',
    );
  }
}

/** Digests have one length, whatever came: what timingSafeEqual needs. */
const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest();
