// Sends the rows of one SELECT to the parent, in the format that it asks for.
//   R1. It returns only when the engine has produced every row: a stream that dies in the middle looks like its end, so the
//       transaction is asked afterwards whether it is still alive.
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { copyLines, copyParquet, type ResultCopy } from '../duckdb/copy-result.js';
import { type DuckdbError, readDuckdbError } from '../duckdb/duckdb-error.js';
import { type Column, TaskError } from '../engine.js';
import type { ResultFormat } from '../stage-fragment.js';
import type { FromExecutor } from './protocol.js';
import type { RowSender } from './row-sender.js';

/** Finding out what a dead stream died of may take this long. */
const DIAGNOSIS_MS = 10_000;

const EXPLAIN_ANALYZE = 'EXPLAIN ANALYZE ';

/** A SELECT whose rows are wanted. */
export interface ResultQuery {
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly format: ResultFormat;
  readonly resultPipe: string;
}

/** An error of the engine, its position counted from the start of the SELECT. */
export class EngineError extends Error {
  constructor(readonly told: DuckdbError) {
    super(told.message);
  }
}

export class ResultRun {
  constructor(
    private readonly connection: DuckDBConnection,
    private readonly sender: RowSender,
    private readonly send: (message: FromExecutor) => void,
  ) {}

  /** Returns the number of rows. `prepared` is of the same SELECT. Throws TaskError, and the engine's own errors. */
  async run(query: ResultQuery, prepared: DuckDBPreparedStatement): Promise<number> {
    const copy = copyOf(query, prepared);
    if (copy !== undefined) return this.copy(query, copy);
    this.send({ kind: 'started', columns: query.columns });
    const { connection, sender } = this;
    await connection.run('BEGIN');
    try {
      sender.throwIfCanceled();
      await sender.sendAll(await prepared.stream());
      sender.throwIfCanceled();
      await this.confirm(query.sql);
    } finally {
      // Nothing was written: this only makes the connection fit for the next statement. R1 has been checked.
      await connection.run('ROLLBACK').catch(() => undefined);
    }
    return sender.rows;
  }

  private async copy({ columns }: ResultQuery, { statement, before, content }: ResultCopy): Promise<number> {
    const prepared = await this.connection.prepare(statement).catch((error: unknown) => throwMoved(error, before));
    try {
      this.sender.throwIfCanceled();
      this.send({ kind: 'started', columns, pipe: content });
      const [[rows]] = (await (await prepared.run()).getRows()) as [[bigint]];
      return Number(rows);
    } catch (error) {
      return throwMoved(error, before);
    } finally {
      prepared.destroySync();
    }
  }

  /** R1: a transaction whose stream died is aborted, and says so to the next statement. */
  private async confirm(sql: string): Promise<void> {
    const { connection } = this;
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
      if (readDuckdbError(error).type !== 'INTERRUPT') throwMoved(error, EXPLAIN_ANALYZE);
    } finally {
      clearTimeout(timer);
    }
    this.sender.throwIfCanceled();
    throw new TaskError(
      'QUERY_FAILED',
      'The query failed while its rows were being sent; the engine did not say why.',
      true,
    );
  }
}

/** The statement by which the engine writes the result itself; undefined when its rows are fetched. */
function copyOf({ sql, columns, format, resultPipe }: ResultQuery, prepared: DuckDBPreparedStatement) {
  if (format === 'rows') return undefined;
  if (format === 'parquet')
    return copyParquet(
      sql,
      columns.map(({ name }) => name),
      resultPipe,
    );
  const types = columns.map((_, index) => prepared.columnType(index));
  return copyLines(sql, types, resultPipe);
}

/** The SELECT was a part of a statement of ours, behind `before`. */
export function throwMoved(error: unknown, before: string): never {
  if (error instanceof TaskError) throw error;
  const told = readDuckdbError(error);
  const offset = Buffer.byteLength(before);
  const position = told.position === undefined || told.position < offset ? undefined : told.position - offset;
  throw new EngineError({ ...told, position });
}
