// What Parquet files said of themselves when they were last read.
//   F1. An entry is of one size and time of its file; of another one it says nothing.
//   F2. It holds at most `statisticsMax` statistics. What no planning has asked for of late goes first; when there is nothing
//       of the kind, a file is kept as one run.
import { joinRuns, type FileState, type RowRun } from './row-runs.js';

interface Entry {
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly runs: readonly RowRun[];
  readonly size: number;
  usedBy: number;
}

const STATISTICS_MAX = 400_000;

export class FooterCache {
  private readonly entries = new Map<string, Entry>();
  private held = 0;
  private planning = 0;

  constructor(private readonly statisticsMax = STATISTICS_MAX) {}

  get size(): number {
    return this.held;
  }

  /** What is asked for from now on is of another planning. */
  nextPlanning(): void {
    this.planning++;
  }

  /** F1. */
  get({ path, bytes, mtimeMs }: FileState): readonly RowRun[] | undefined {
    const entry = this.entries.get(path);
    if (entry === undefined || entry.bytes !== bytes || entry.mtimeMs !== mtimeMs) return undefined;
    entry.usedBy = this.planning;
    this.entries.delete(path);
    this.entries.set(path, entry); // The last in the map is the last used.
    return entry.runs;
  }

  set(file: FileState, runs: readonly RowRun[]): void {
    this.delete(file.path);
    const size = sizeOf(runs);
    const fits = this.makeRoom(size);
    const kept = fits ? runs : joinRuns(runs, Infinity, []);
    if (!fits) this.makeRoom(kept.length);
    if (this.held + sizeOf(kept) > this.statisticsMax) return;
    const { bytes, mtimeMs } = file;
    this.entries.set(file.path, { bytes, mtimeMs, runs: kept, size: sizeOf(kept), usedBy: this.planning });
    this.held += sizeOf(kept);
  }

  /** F2. */
  private makeRoom(size: number): boolean {
    for (const [path, { usedBy }] of this.entries) {
      if (this.held + size <= this.statisticsMax) return true;
      if (usedBy === this.planning) return false;
      this.delete(path);
    }
    return this.held + size <= this.statisticsMax;
  }

  private delete(path: string): void {
    this.held -= this.entries.get(path)?.size ?? 0;
    this.entries.delete(path);
  }
}

const sizeOf = (runs: readonly RowRun[]): number =>
  runs.reduce((sum, { ranges }) => sum + 1 + Object.keys(ranges).length, 0);
