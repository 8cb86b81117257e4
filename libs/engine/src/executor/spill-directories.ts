// Where executors spill: one directory per worker process, named after it, and below it one per task.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@tutti/service';
import { inUse, removeLeftovers } from '../leftovers.js';
import { makeDirectory } from '../make-directory.js';

const PREFIX = 'tutti-spill-';

/** The spill directories of one pool. */
export class SpillDirectories {
  private count = 0;
  private pipes = 0;

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

  /** A directory for one task. The engine makes it when it spills. */
  next(): string {
    return join(this.path, `task-${++this.count}`);
  }

  /** Where a named pipe for an executor can be. */
  nextPipe(): string {
    return join(this.path, `result-${++this.pipes}`);
  }

  /** Removes what a task left behind. */
  remove(directory: string): void {
    rmSync(directory, { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
    this.release();
  }
}
