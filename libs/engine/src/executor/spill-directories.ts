// Where executors spill: one directory per worker process, named after it, and below it one per executor for what it runs, one task
// or session after the other.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@tutti/service';
import { inUse, removeLeftovers } from '../leftovers.js';
import { makeDirectory } from '../make-directory.js';

const PREFIX = 'tutti-spill-';

/** The spill directories of one pool. */
export class SpillDirectories {
  private executors = 0;

  private constructor(
    readonly path: string,
    private readonly release: () => void,
  ) {}

  /** Makes the directory of a pool below `parent`, and removes those of processes that did not get to do it themselves. */
  static open(parent: string): SpillDirectories {
    try {
      makeDirectory(parent);
      removeLeftovers(parent, PREFIX);
      // Only this user may look into it.
      const path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
      return new SpillDirectories(path, inUse(path));
    } catch (error) {
      throw new ConfigError([`task.spillDirectory: ${parent} cannot be used: ${(error as Error).message}`]);
    }
  }

  /** What an executor has for as long as it lives: the place of its named pipe, and the directory that the engine makes when it spills. */
  nextExecutor(): { readonly resultPipe: string; readonly spillDirectory: string } {
    const number = ++this.executors;
    return {
      resultPipe: join(this.path, `result-${number}`),
      spillDirectory: join(this.path, `spill-${number}`),
    };
  }

  /** Removes what a task or session left behind. */
  remove(directory: string): void {
    rmSync(directory, { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
    this.release();
  }
}
