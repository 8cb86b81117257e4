// One task inside its executor.
//   Q1. Rows are sent only while there is credit, or while the parent reads the pipe, so that a slow reader stops the engine.
//   Q2. `ended` means that the engine has produced every row (R1).
//   Q3. After run() nothing of the task is left: no statement, no timer, no file.
import type { DuckDBPreparedStatement } from '@duckdb/node-api';
import { typeName } from '../duckdb/column-type-name.js';
import { type DuckdbError, readDuckdbError } from '../duckdb/duckdb-error.js';
import { toTaskError } from '../duckdb/task-failure.js';
import { type Column, TaskError } from '../engine.js';
import { decodeFragment, type Fragment } from '../fragment.js';
import { type ExecutorDatabase, isPipedResult } from './executor-database.js';
import { fetchFew } from './few-rows.js';
import { Interruption } from './interruption.js';
import type { DatabaseNeeds } from './kept-databases.js';
import { MemorySampler } from './memory-sampler.js';
import type { FromExecutor, ToExecutor } from './protocol.js';
import { EngineError, ResultRun } from './result-run.js';
import { canceled, RowSender } from './row-sender.js';

export type RunMessage = Extract<ToExecutor, { kind: 'run' }>;

/** Runs one task on a database that others close, or give to the next one. */
export class QueryRun {
  private canceled = false;
  private readonly sender: RowSender;
  private readonly interruption: Interruption;

  constructor(
    private readonly database: ExecutorDatabase,
    private readonly task: RunMessage,
    private readonly send: (message: FromExecutor) => void,
  ) {
    this.sender = new RowSender(send);
    this.interruption = new Interruption(database.connection);
  }

  addCredit(): void {
    this.sender.addCredit();
  }

  cancel(): void {
    this.canceled = true;
    this.database.isSpoiled = true;
    this.database.holdsMuch = true;
    this.interruption.start();
    this.sender.cancel();
  }

  /** Runs the task to its end. Never rejects: the last message says how it went. Resolves to whether the engine is sound. */
  async run(): Promise<boolean> {
    const cpuBefore = process.cpuUsage();
    const sampler = new MemorySampler(this.database.sampling, this.task.memoryLimitBytes, (sample) => {
      this.database.sampled(sample);
      this.send({ kind: 'memory', ...sample });
    });
    let failure: TaskError | undefined;
    let rows = 0;
    try {
      sampler.start();
      rows = await this.execute();
    } catch (error) {
      failure = this.canceled ? canceled() : error instanceof TaskError ? error : this.explain(error);
    }
    this.interruption.stop();
    await sampler.stop();
    this.database.isSpoiled ||= failure !== undefined;
    this.database.over();
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpuMs = (user + system) / 1000;
    const broken = failure?.reason === 'INTERNAL_ERROR';
    if (failure === undefined) this.send({ kind: 'ended', cpuMs, rows });
    else {
      const { reason, message, retriable, position } = failure;
      this.send({ kind: 'failed', cpuMs, reason, message, retriable, broken, ...(position && { position }) });
    }
    return !broken;
  }

  private async execute(): Promise<number> {
    const fragment = decodeFragment(this.task.fragment);
    const { isLikelyFew } = await this.database.admit(fragment, queryNeeds(this.task, fragment), this.task);
    this.sender.throwIfCanceled();
    const few = isSmall(fragment, isLikelyFew) ? await this.sendFew(fragment) : undefined;
    if (few !== undefined) return few;
    const prepared = await this.database.prepare(fragment);
    try {
      const columns = columnsOf(prepared);
      checkColumns(fragment, columns);
      const { sql, format = 'rows' } = fragment;
      const { resultPipe } = this.task;
      const result = new ResultRun(this.database.connection, this.sender, this.send);
      return await result.run({ sql, columns, format, resultPipe }, prepared);
    } finally {
      prepared.destroySync();
    }
  }

  /** Returns the number of rows; undefined when none was sent, and they are to be had in another way. */
  private async sendFew(fragment: Fragment): Promise<number | undefined> {
    const result = await fetchFew(this.database.connection, fragment.sql);
    this.sender.throwIfCanceled();
    if (result?.columnCount !== fragment.columns.length) return undefined;
    // Names come from the text; where two are the same the engine has changed one.
    const columns = fragment.columns.map(({ name }, index) => ({ name, type: typeName(result.columnType(index)) }));
    checkColumns(fragment, columns);
    this.send({ kind: 'started', columns });
    await this.sender.sendAll(result);
    return this.sender.rows;
  }

  private explain(error: unknown): TaskError {
    const told: DuckdbError = error instanceof EngineError ? error.told : readDuckdbError(error);
    const { sql: statement, tables } = this.fragment();
    return toTaskError(told, { statement, tables, ...this.task });
  }

  private fragment(): Pick<Fragment, 'sql' | 'tables'> {
    try {
      return decodeFragment(this.task.fragment);
    } catch {
      return { sql: '', tables: [] };
    }
  }
}

/** What a task asks of its database. */
export function queryNeeds(task: RunMessage, fragment = decodeFragment(task.fragment)): DatabaseNeeds {
  const { memoryLimitBytes, threads, spillDirectory, spillLimitBytes, resultPipe } = task;
  const limits = [memoryLimitBytes, threads, spillDirectory, spillLimitBytes, resultPipe];
  const { tables, session } = fragment;
  return { equal: JSON.stringify(['task', isPipedResult(fragment), limits, session, tables]), files: [] };
}

/** Queries that read this little are run again when they have more rows than few, as are those that look as if they had few. */
const SMALL_INPUT_ROWS = 20_000;

const isSmall = ({ format, inputRows = Infinity }: Fragment, isLikelyFew: boolean): boolean =>
  format !== 'parquet' && (isLikelyFew || inputRows <= SMALL_INPUT_ROWS);

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
