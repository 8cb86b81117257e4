// Where executors spill: one directory per worker process, named after it, and below it one per task.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const PREFIX = 'tutti-spill-';

/** The spill directories of one process. */
export class SpillDirectories {
  readonly path: string;
  private count = 0;

  constructor(
    private readonly parent: string,
    private readonly pid: number,
  ) {
    this.path = join(parent, `${PREFIX}${pid}`);
  }

  /** Makes the directory of this process, and removes those of processes that did not get to do it themselves. */
  open(): void {
    mkdirSync(this.parent, { recursive: true });
    for (const name of readdirSync(this.parent)) {
      if (!name.startsWith(PREFIX)) continue;
      const pid = Number(name.slice(PREFIX.length));
      // Our own number belonged to someone else before, as in a container that was restarted.
      if (pid === this.pid || !isAlive(pid)) rmSync(join(this.parent, name), { recursive: true, force: true });
    }
    mkdirSync(this.path, { mode: 0o700 });
  }

  /** A directory for one task. The engine makes it when it spills. */
  next(): string {
    return join(this.path, `task-${++this.count}`);
  }

  /** Removes what a task left behind. */
  remove(directory: string): void {
    rmSync(directory, { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
