import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and those above it that are missing. Not by mkdirSync's own recursion: below a directory that takes
 * no entries, such as /proc, that one never ends.
 */
export function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const directory of missing) {
    try {
      mkdirSync(directory);
    } catch (error) {
      if (!existsSync(directory)) throw error; // Another process may have made it meanwhile.
    }
  }
}
