import { readFileSync, rmdirSync, statSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invariant } from '@tutti/base';
import { isFileName } from './core/exchange-names.js';

/** A file that a fragment wrote. */
export interface WrittenFile {
  /** Relative to the fragment's directory. */
  readonly name: string;
  readonly rows: number;
  readonly partition: number;
}

/** A file that the session holds. */
export interface HeldFile {
  /** Relative to the session: the fragment's id, a slash, the name above. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly rows: number;
  readonly partition: number;
}

/** What a fragment's files are entered in. */
export interface FragmentBook {
  /** The fragment's files have `bytes` by now. Throws ExchangeError EXCEEDED_EXCHANGE_LIMIT. */
  grown(fragmentId: string, bytes: number): void;
  keep(file: HeldFile): void;
  discarded(fragmentId: string): void;
}

/** The output directory of one fragment. End it with keep() or discard(). */
export class FragmentFiles {
  constructor(
    private readonly id: string,
    /** Where the engine writes. */
    readonly path: string,
    private readonly book: FragmentBook,
  ) {}

  /** Counts what is there by now. Throws ExchangeError EXCEEDED_EXCHANGE_LIMIT when the session holds more than it may. */
  async measure(): Promise<void> {
    this.book.grown(this.id, await bytesBelow(this.path));
  }

  /** The fragment is done: its files can be fetched from now on. Throws as measure() does. */
  keep(files: readonly WrittenFile[]): HeldFile[] {
    const held = files.map((file) => this.held(file));
    this.book.grown(
      this.id,
      held.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    for (const file of held) this.book.keep(file);
    return held;
  }

  /** The content of files that are kept, and small: it is read at once (E4 of ExchangeSession). */
  contents(files: readonly HeldFile[]): Uint8Array[] {
    return files.map(({ path }) => readFileSync(path));
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    // Of most there is nothing but the directory: one call to the disk instead of five.
    if (!this.isRemovedAtOnce()) await rm(this.path, { recursive: true, force: true });
    this.book.discarded(this.id);
  }

  private isRemovedAtOnce(): boolean {
    try {
      rmdirSync(this.path);
      return true;
    } catch {
      return false; // There are files in it.
    }
  }

  private held({ name, rows, partition }: WrittenFile): HeldFile {
    invariant(isFileName(name), `the engine names its files plainly, and not ${name}`);
    const path = join(this.path, name);
    // The length decides whether a copy is whole, so it is asked of the disk.
    return { name: `${this.id}/${name}`, path, bytes: statSync(path).size, rows, partition };
  }
}

async function bytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = entries.map(async (entry) => (entry.isFile() ? sizeOf(join(entry.parentPath, entry.name)) : 0));
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
}

/** A file may go while we look: the engine renames what it writes. */
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
