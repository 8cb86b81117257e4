// Finds the splits of tables.
//   S1. A planning waits for footers for a bounded time; a file that is not read by then is one split, and the reading goes on.
//   S2. Footers are read by one statement after another, however many plannings ask.
//   S3. Reading ahead never has more than one statement among these, and reads a bounded number of files.
import { stat } from 'node:fs/promises';
import { type Clock, systemClock } from '@tutti/base';
import type { Split } from '@tutti/sql';
import { unreadableFile } from '../duckdb/unreadable-table.js';
import type { TableReader } from '../fragment.js';
import type { CheckedTable } from './catalog-check.js';
import { FooterCache } from './footer-cache.js';
import { ParquetFooters } from './parquet-footers.js';
import { type FileState, joinRuns, splitOfFile, splitsOfRuns } from './row-runs.js';

export interface TableSplitsOptions {
  readonly clock?: Clock;
  readonly cache?: FooterCache;
  /** S1. */
  readonly waitMs?: number;
}

const WAIT_MS = 1_000;
/** Plannings that wait for footers at once; more of them do without. */
const WAITING_MAX = 16;
const FILES_PER_STATEMENT = 32;
const STATS_AT_ONCE = 64;
/** S3: files that are read ahead, in all and of one table. */
const AHEAD_FILES_MAX = 1_000;
const AHEAD_TABLE_FILES_MAX = 100;
/** More splits of one table are joined: no cluster has that many threads. */
const SPLITS_MAX = 10_000;

/** The splits of a table, and how many rows they have. */
export interface FoundSplits {
  readonly rows: number;
  readonly splits: readonly Split[];
  /** S1: some files are one split only because they have not been read yet. */
  readonly isProvisional: boolean;
}

export class TableSplits {
  private readonly cache: FooterCache;
  private readonly clock: Clock;
  private readonly waitMs: number;
  private footers: Promise<ParquetFooters> | undefined;
  /** S2: the last reading. */
  private reading: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private closed = false;

  constructor(options: TableSplitsOptions = {}) {
    this.cache = options.cache ?? new FooterCache();
    this.clock = options.clock ?? systemClock;
    this.waitMs = options.waitMs ?? WAIT_MS;
  }

  /** Rejects with TaskError when a file is gone or cannot be read. `columns` are those of which statistics are wanted. */
  async find({ reader, rows }: CheckedTable, columns: ReadonlySet<string>): Promise<FoundSplits> {
    const files = await statesOf(reader);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const guess = (file: FileState) => Math.ceil(rows * (bytes === 0 ? 1 : file.bytes / bytes));
    if (reader.format !== 'parquet')
      return { rows, splits: files.map((file) => splitOfFile(file, guess(file))), isProvisional: false };
    this.cache.nextPlanning();
    await this.ensureFooters(reader, files);
    const known = files.map((file) => ({ file, runs: this.cache.get(file) }));
    const exact = known.reduce((sum, { file, runs }) => sum + (runs ? rowsOf(runs) : guess(file)), 0);
    const isTooMany = known.reduce((sum, { runs }) => sum + (runs?.length ?? 1), 0) > SPLITS_MAX;
    const rowsMin = Math.ceil(exact / SPLITS_MAX);
    const splits = known.flatMap(({ file, runs }) => {
      if (runs === undefined || runs.length === 0) return [splitOfFile(file, runs === undefined ? guess(file) : 0)];
      return splitsOfRuns(file, isTooMany ? joinRuns(runs, rowsMin, reader.columns) : runs, columns);
    });
    return { rows: exact, splits, isProvisional: known.some(({ runs }) => runs === undefined) };
  }

  /** Reads footers before anybody asks, so that the first statements do not wait for them. Never rejects. */
  async readAhead(tables: readonly CheckedTable[]): Promise<void> {
    let left = AHEAD_FILES_MAX;
    for (const { reader } of tables) {
      const { length } = reader.files;
      if (this.closed) return;
      if (reader.format !== 'parquet' || length > Math.min(left, AHEAD_TABLE_FILES_MAX)) continue;
      left -= length;
      // Whoever plans with the table is told what is wrong with it.
      await statesOf(reader)
        .then((files) => this.ensureFooters(reader, files))
        .catch(() => undefined);
      await this.idle();
    }
  }

  /** Resolves when nothing is being read. */
  async idle(): Promise<void> {
    await this.reading.catch(() => undefined); // Whoever planned was told.
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.idle();
    (await this.footers)?.close();
  }

  /** S1. */
  private async ensureFooters(reader: TableReader, files: readonly FileState[]): Promise<void> {
    if (files.every((file) => this.cache.get(file) !== undefined) || this.waiting >= WAITING_MAX) return;
    this.waiting++;
    const read = this.reading.catch(() => undefined).then(() => this.readMissing(reader, files));
    this.reading = read;
    const done = read.finally(() => this.waiting--);
    done.catch(() => undefined); // After the wait nobody is left to be told; whoever plans next reads again.
    let cancel: () => void = () => undefined;
    const enough = new Promise<void>((resolve) => (cancel = this.clock.schedule(this.waitMs, resolve)));
    try {
      await Promise.race([done, enough]);
    } finally {
      cancel();
    }
  }

  private async readMissing(reader: TableReader, files: readonly FileState[]): Promise<void> {
    const missing = files.filter((file) => this.cache.get(file) === undefined);
    for (let i = 0; i < missing.length; i += FILES_PER_STATEMENT) {
      const some = missing.slice(i, i + FILES_PER_STATEMENT);
      this.footers ??= ParquetFooters.open();
      const paths = some.map(({ path }) => path);
      const found = await (await this.footers).read(reader, paths);
      for (const file of some) this.cache.set(file, found.get(file.path) ?? []);
    }
  }
}

const rowsOf = (runs: readonly { readonly rows: number }[]): number => runs.reduce((sum, { rows }) => sum + rows, 0);

async function statesOf(reader: TableReader): Promise<FileState[]> {
  const states: FileState[] = [];
  for (let i = 0; i < reader.files.length; i += STATS_AT_ONCE) {
    const some = reader.files.slice(i, i + STATS_AT_ONCE);
    states.push(...(await Promise.all(some.map((path) => stateOf(reader, path)))));
  }
  return states;
}

async function stateOf(reader: TableReader, path: string): Promise<FileState> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, bytes: size, mtimeMs };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem =
      code === 'ENOENT' ? 'it does not exist' : code === 'EACCES' ? 'the coordinator may not read it' : message;
    throw unreadableFile(reader, path, problem);
  }
}
