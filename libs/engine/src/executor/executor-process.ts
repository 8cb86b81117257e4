import { performance } from 'node:perf_hooks';
import { systemClock } from '@tutti/base';
import type { QueryGate } from '../duckdb/query-gate.js';
import { ExecutorDatabase } from './executor-database.js';
import { type DatabaseNeeds, KeptDatabases } from './kept-databases.js';
import { ALIVE_MS, type FromExecutor, PARENT_SILENT_MS, type ToExecutor } from './protocol.js';
import { QueryRun, queryNeeds, type RunMessage } from './query-run.js';
import { type OpenMessage, SessionRun, sessionNeeds } from './session-run.js';
import { SpareDatabases } from './spare-databases.js';
import { openStatementGate } from './statement-gate.js';

/**
 * The whole life of an executor: takes tasks and sessions from its parent, one at a time, on new databases and on those that others
 * with the same needs have left. Ends with its parent. Call it from the entry file of the executor program.
 */
export function runExecutorProcess(): void {
  const send = (message: FromExecutor): void => {
    process.send?.(message);
  };
  let run: QueryRun | SessionRun | undefined;
  let gate: Promise<QueryGate> | undefined;

  const spares = new SpareDatabases<ExecutorDatabase>({
    open: async () => ExecutorDatabase.open(await (gate ??= openStatementGate())),
    clock: systemClock,
    opened: (count) => send({ kind: 'ready', spares: count }),
    failed: endBroken,
  });
  const kept = new KeptDatabases<ExecutorDatabase>(systemClock);
  const filesFor = (files: readonly string[]) => kept.filesFor(files);
  const databaseFor = (message: RunMessage | OpenMessage): ExecutorDatabase | undefined => {
    const used = kept.take(needsOf(message));
    if (used === undefined) return spares.take();
    spares.begin();
    return used;
  };
  const runTask = async (message: RunMessage | OpenMessage): Promise<void> => {
    const database = databaseFor(message);
    if (database === undefined) throw new Error('a task came before the executor was ready');
    run =
      message.kind === 'run'
        ? new QueryRun(database, message, send)
        : new SessionRun(database, message, send, filesFor);
    const stopWatching = watchParent(() => heardAt);
    const sound = await run.run();
    stopWatching();
    run = undefined;
    // The parent has been told, and ends this process.
    if (!sound) return database.close();
    if (await database.isLikeNew()) {
      kept.keep(database);
      spares.end();
    } else spares.finish(database);
    if (spares.count > 0) send({ kind: 'ready', spares: spares.count });
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
  spares.fill();
}

/** Of what is no task or session nothing is known: a new database does for it, and it is refused. */
function needsOf(message: RunMessage | OpenMessage): DatabaseNeeds | undefined {
  try {
    return message.kind === 'run' ? queryNeeds(message) : sessionNeeds(message);
  } catch {
    return undefined;
  }
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
