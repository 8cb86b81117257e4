import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** `npm run sim`: the simulated world is a program of its own, and tells its options itself. */
export function sim(argv: readonly string[], root: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const program = join(root, 'tests/simulation/bundle/main.mjs');
    const child = spawn(process.execPath, ['--enable-source-maps', program, ...argv], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 130));
  });
}
