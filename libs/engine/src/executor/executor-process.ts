import { performance } from 'node:perf_hooks';
import { ExecutorDatabase } from './executor-database.js';
import { ALIVE_MS, type FromExecutor, PARENT_SILENT_MS, type ToExecutor } from './protocol.js';
import { QueryRun } from './query-run.js';
import { SessionRun } from './session-run.js';

/**
 * The whole life of an executor: takes tasks and sessions from its parent, one at a time, each on a database of its own. Ends with
 * its parent. Call it from the entry file of the executor program.
 */
export function runExecutorProcess(): void {
  const send = (message: FromExecutor): void => {
    process.send?.(message);
  };
  let run: QueryRun | SessionRun | undefined;
  let spare: ExecutorDatabase | undefined;

  const openSpare = async (): Promise<void> => {
    spare = await ExecutorDatabase.open();
    send({ kind: 'ready' });
  };
  const runTask = async (message: Extract<ToExecutor, { kind: 'run' | 'open' }>): Promise<void> => {
    const database = spare;
    if (database === undefined) throw new Error('a task came before the executor was ready');
    spare = undefined;
    run = message.kind === 'run' ? new QueryRun(database, message, send) : new SessionRun(database, message, send);
    const stopWatching = watchParent(() => heardAt);
    const sound = await run.run();
    stopWatching();
    run = undefined;
    database.close();
    if (sound) await openSpare();
  };

  let heardAt = performance.now();
  process.on('message', (message: ToExecutor) => {
    heardAt = performance.now();
    if (message.kind === 'run' || message.kind === 'open') runTask(message).catch(endBroken);
    else if (message.kind === 'credit') run?.addCredit();
    else if (message.kind === 'cancel') run?.cancel();
    else if (run instanceof SessionRun && message.kind === 'fragment') run.fragment(message);
    else if (run instanceof SessionRun && message.kind === 'close') run.close();
  });
  // Without its parent an executor serves nobody. The engine's threads may be busy: only the kernel ends them at once.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  openSpare().catch(endBroken);
}

/** Ends this process when its parent stands still. When this process stood still itself, the parent is given time anew. */
function watchParent(heardAt: () => number): () => void {
  let lookedAt = performance.now();
  let since = lookedAt;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - lookedAt > 3 * ALIVE_MS) since = now;
    lookedAt = now;
    if (now - Math.max(since, heardAt()) >= PARENT_SILENT_MS) process.kill(process.pid, 'SIGKILL');
  }, ALIVE_MS);
  return () => clearInterval(timer);
}

/** Nothing is known of the engine's state any more. The parent sees the exit and starts another executor. */
function endBroken(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`, () => process.exit(1));
}
