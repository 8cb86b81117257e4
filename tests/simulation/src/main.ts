import { availableParallelism } from 'node:os';
import { inlinePool, threadPool } from './command/seed-pool.js';
import { sim } from './command/sim.js';

process.exitCode = await sim(process.argv.slice(2), {
  cores: availableParallelism(),
  pool: (jobs) => (jobs > 1 ? threadPool(new URL('./seed-thread.mjs', import.meta.url), jobs) : inlinePool),
  print: (text) => void process.stdout.write(`${text}\n`),
  say: (text) => void process.stderr.write(`${text}\n`),
  nowMs: () => performance.now(),
});
