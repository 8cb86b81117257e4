import { performance } from 'node:perf_hooks';
import { systemClock } from '@tutti/base';
import type { QueryGate } from '../duckdb/query-gate.js';
import { ExecutorDatabase } from './executor-database.js';
import { ALIVE_MS, type FromExecutor, PARENT_SILENT_MS, type ToExecutor } from './protocol.js';
import { QueryRun } from './query-run.js';
import { SessionDatabases, type SessionNeeds } from './session-databases.js';
import { type OpenMessage, SessionRun, sessionNeeds } from './session-run.js';
import { SpareDatabases } from './spare-databases.js';
import { openStatementGate } from './statement-gate.js';

/**
 * The whole life of an executor: takes tasks and sessions from its parent, one at a time: each task on a database of its own, sessions
 * on those that others left. Ends with its parent. Call it from the entry file of the executor program.
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
  const sessions = new SessionDatabases<ExecutorDatabase>(systemClock);
  const filesFor = (files: readonly string[]) => sessions.filesFor(files);
  const databaseFor = (message: OpenMessage): ExecutorDatabase | undefined => {
    const kept = sessions.take(needsOf(message));
    if (kept === undefined) return spares.take();
    spares.begin();
    return kept;
  };
  const runTask = async (message: Extract<ToExecutor, { kind: 'run' | 'open' }>): Promise<void> => {
    const database = message.kind === 'run' ? spares.take() : databaseFor(message);
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
    if (message.kind === 'open' && (await database.isLikeNew())) {
      sessions.keep(database);
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

/** Of what is no session nothing is known: a new database does for it, and it is refused. */
function needsOf(message: OpenMessage): SessionNeeds | undefined {
  try {
    return sessionNeeds(message);
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
