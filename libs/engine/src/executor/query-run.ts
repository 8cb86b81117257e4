// One task inside its executor.
//   Q1. Rows are sent only while there is credit, so that a slow reader stops the engine.
//   Q2. `ended` means that the engine has produced every row: a stream that dies in the middle looks like its end, so the
//       transaction is asked afterwards whether it is still alive.
//   Q3. After run() nothing of the task is left: no statement, no timer, no file.
import type { DuckDBPreparedStatement, DuckDBResult } from '@duckdb/node-api';
import { typeName } from '../duckdb/column-type-name.js';
import { type DuckdbError, readDuckdbError } from '../duckdb/duckdb-error.js';
import { JsonLines, type LineBatch } from '../duckdb/json-lines.js';
import { toTaskError } from '../duckdb/task-failure.js';
import { type Column, TaskError } from '../engine.js';
import { decodeFragment, type Fragment } from '../fragment.js';
import type { ExecutorDatabase } from './executor-database.js';
import { MemorySampler } from './memory-sampler.js';
import { CREDIT_WINDOW, type FromExecutor, type ToExecutor } from './protocol.js';

/** Rows do not wait longer than this for a full batch. */
const FLUSH_MS = 50;
/** Finding out what a dead stream died of may take this long. */
const DIAGNOSIS_MS = 10_000;

const EXPLAIN_ANALYZE = 'EXPLAIN ANALYZE ';

type RunMessage = Extract<ToExecutor, { kind: 'run' }>;

/** Runs one task on a database that is closed afterwards. */
export class QueryRun {
  private credit = CREDIT_WINDOW;
  private canceled = false;
  private wake: () => void = () => {};
  private lastFlushMs = performance.now();

  constructor(
    private readonly database: ExecutorDatabase,
    private readonly task: RunMessage,
    private readonly send: (message: FromExecutor) => void,
  ) {}

  addCredit(): void {
    this.credit++;
    this.wake();
  }

  cancel(): void {
    this.canceled = true;
    this.database.connection.interrupt();
    this.wake();
  }

  /** Runs the task to its end. Never rejects: the last message says how it went. Resolves to whether the engine is sound. */
  async run(): Promise<boolean> {
    const cpuBefore = process.cpuUsage();
    const sampler = new MemorySampler(this.database.sampling, this.task.memoryLimitBytes, (sample) =>
      this.send({ kind: 'memory', ...sample }),
    );
    let failure: TaskError | undefined;
    try {
      sampler.start();
      await this.execute();
    } catch (error) {
      failure = this.canceled ? canceled() : error instanceof TaskError ? error : this.explain(readDuckdbError(error));
    }
    await sampler.stop();
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpuMs = (user + system) / 1000;
    const broken = failure?.reason === 'INTERNAL_ERROR';
    if (failure === undefined) this.send({ kind: 'ended', cpuMs });
    else {
      const { reason, message, retriable, position } = failure;
      this.send({ kind: 'failed', cpuMs, reason, message, retriable, broken, ...(position && { position }) });
    }
    return !broken;
  }

  private async execute(): Promise<void> {
    const fragment = decodeFragment(this.task.fragment);
    await this.database.admit(fragment, this.task);
    this.throwIfCanceled();
    const prepared = await this.database.prepare(fragment);
    try {
      const columns = columnsOf(prepared);
      checkColumns(fragment, columns);
      this.send({ kind: 'started', columns });
      await this.sendRows(await prepared.stream());
      this.throwIfCanceled();
      await this.confirm(fragment.sql);
    } finally {
      prepared.destroySync();
    }
  }

  private async sendRows(result: DuckDBResult): Promise<void> {
    const lines = new JsonLines(result.columnTypes());
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      for (const batch of lines.add(chunk)) await this.sendBatch(batch);
      if (performance.now() - this.lastFlushMs < FLUSH_MS) continue;
      const batch = lines.end();
      if (batch !== undefined) await this.sendBatch(batch);
    }
    const last = lines.end();
    if (last !== undefined) await this.sendBatch(last);
  }

  private async sendBatch(batch: LineBatch): Promise<void> {
    while (this.credit === 0 && !this.canceled) await new Promise<void>((resolve) => (this.wake = resolve));
    this.throwIfCanceled();
    this.credit--;
    this.send({ kind: 'batch', ...batch });
    this.lastFlushMs = performance.now();
  }

  /** Q2: a transaction whose stream died is aborted, and says so to the next statement. */
  private async confirm(sql: string): Promise<void> {
    const { connection } = this.database;
    try {
      await connection.run('SELECT 1');
      return;
    } catch (error) {
      if (!/transaction is aborted/i.test(readDuckdbError(error).message)) throw error;
    }
    // The stream does not say what it died of. Running the query again, its rows thrown away, does.
    await connection.run('ROLLBACK');
    const timer = setTimeout(() => connection.interrupt(), DIAGNOSIS_MS);
    try {
      await connection.run(`${EXPLAIN_ANALYZE}${sql}`);
    } catch (error) {
      const cause = readDuckdbError(error);
      const position = cause.position === undefined ? undefined : cause.position - EXPLAIN_ANALYZE.length;
      if (cause.type !== 'INTERRUPT') throw this.explain({ ...cause, position });
    } finally {
      clearTimeout(timer);
    }
    this.throwIfCanceled();
    throw new TaskError(
      'QUERY_FAILED',
      'The query failed while its rows were being sent; the engine did not say why.',
      true,
    );
  }

  private throwIfCanceled(): void {
    if (this.canceled) throw canceled();
  }

  private explain(error: DuckdbError): TaskError {
    const { sql: statement, tables } = this.fragment();
    return toTaskError(error, { statement, tables, ...this.task });
  }

  private fragment(): Pick<Fragment, 'sql' | 'tables'> {
    try {
      return decodeFragment(this.task.fragment);
    } catch {
      return { sql: '', tables: [] };
    }
  }
}

const canceled = (): TaskError => new TaskError('CANCELED', 'The task was canceled.', false);

function columnsOf(prepared: DuckDBPreparedStatement): Column[] {
  return Array.from({ length: prepared.columnCount }, (_, index) => ({
    name: prepared.columnName(index),
    type: typeName(prepared.columnType(index)),
  }));
}

/** Files may have changed since the coordinator looked at them; rows of other types must not pass as the promised ones. */
function checkColumns(fragment: Fragment, columns: readonly Column[]): void {
  const differs = columns.findIndex(
    (column, i) => column.name !== fragment.columns[i]?.name || column.type !== fragment.columns[i]?.type,
  );
  if (differs === -1 && columns.length === fragment.columns.length) return;
  const now = columns[differs];
  throw new TaskError(
    'TABLE_UNREADABLE',
    `The files of a table have changed: column "${now?.name}" is ${now?.type} now and was planned as ${fragment.columns[differs]?.type}. Ask again; if that does not help, correct the catalog and restart the coordinators.`,
    false,
  );
}
