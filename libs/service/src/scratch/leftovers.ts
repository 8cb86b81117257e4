import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Directories that this process has made and still uses. */
const own = new Set<string>();

/** Marks a directory as in use, so that removeLeftovers spares it; the returned function ends that. */
export function inUse(path: string): () => void {
  own.add(path);
  return () => own.delete(path);
}

/**
 * Removes directories below `parent` that processes left behind that were killed. Their names are `prefix`, the number of
 * the process, a dash, and anything.
 */
export function removeLeftovers(parent: string, prefix: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(/^(\d+)-/.exec(name.slice(prefix.length))?.[1]);
    const path = join(parent, name);
    if (Number.isNaN(pid)) continue;
    // Our own number may have belonged to someone else before, as in a container that was restarted.
    const leftBehind = pid === process.pid ? !own.has(path) : !isAlive(pid);
    if (leftBehind) rmSync(path, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
