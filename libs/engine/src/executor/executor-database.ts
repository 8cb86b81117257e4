// A database of an executor, and what makes it ready for tasks, or for sessions, one after the other.
import { existsSync, rmSync } from 'node:fs';
import {
  type DuckDBConnection,
  type DuckDBInstance,
  type DuckDBPreparedStatement,
  StatementType,
} from '@duckdb/node-api';
import { classifyStatement, refuseTable, type StatementError } from '@tutti/sql';
import { typeName } from '../duckdb/column-type-name.js';
import { headerProblem } from '../duckdb/csv-header.js';
import { readDuckdbError } from '../duckdb/duckdb-error.js';
import { CONNECTION_SETTINGS, openInstance } from '../duckdb/open-instance.js';
import type { QueryGate } from '../duckdb/query-gate.js';
import { createSchemas, readerCall, tableName, tableSelect } from '../duckdb/reader-sql.js';
import { identifier, literal, literals } from '../duckdb/sql-text.js';
import { unreadable, unreadableFile } from '../duckdb/unreadable-table.js';
import { TaskError } from '../engine.js';
import type { Fragment, TableReader } from '../fragment.js';
import { type MemorySample, takeSample } from './memory-sampler.js';
import type { DatabaseNeeds } from './kept-databases.js';

/** What one task may use. */
export interface TaskLimits {
  readonly memoryLimitBytes: number;
  readonly threads: number;
  readonly spillDirectory: string;
  readonly spillLimitBytes: number;
  /** A named pipe, the only path that results may be written to. */
  readonly resultPipe: string;
}

/** Headers of CSV files that are compared again for each query; the planner has compared those of all files once. */
const HEADERS_MAX = 32;

/** A database that has never held more than this need not be closed at once. */
const LITTLE_BYTES = 32 * 2 ** 20;

/** One database for tasks, or for sessions, one after the other (kept-databases.ts). */
export class ExecutorDatabase {
  private spillDirectory: string | undefined;
  private needs: DatabaseNeeds | undefined;
  /** Something failed or was canceled in it, or has left a trace. */
  isSpoiled = false;
  /** Once it is over it must be closed at once: it may hold much memory, or something may still run in it. */
  holdsMuch = false;

  private constructor(
    private readonly instance: DuckDBInstance,
    readonly connection: DuckDBConnection,
    private readonly gate: QueryGate,
    /** Runs beside the query, for its memory. */
    readonly sampling: DuckDBConnection,
  ) {}

  /** Opens a database ahead of time, so that no query waits for it. Whoever opened the gate closes it. */
  static async open(gate: QueryGate): Promise<ExecutorDatabase> {
    const instance = await openInstance({ threads: '1' });
    const connection = await instance.connect();
    await connection.run(CONNECTION_SETTINGS);
    return new ExecutorDatabase(instance, connection, gate, await instance.connect());
  }

  /**
   * Checks the statement, locks the database and makes the tables. From here on it can open the
   * files of these tables and its own spill directory, and nothing else. Throws TaskError.
   */
  async admit(
    fragment: Fragment,
    needs: DatabaseNeeds,
    limits: TaskLimits,
  ): Promise<{ readonly isLikelyFew: boolean }> {
    // Nothing of the statement is run meanwhile; it only is parsed, and elsewhere.
    const [checked, locked] = await Promise.allSettled([
      this.check(fragment),
      this.lock(needs, limits, () => {
        const isPiped = isPipedResult(fragment);
        const files = fragment.tables.flatMap((table) => table.files);
        return [
          ...(isPiped ? [ANY_ORDER] : []),
          ...createSchemas([...fragment.tables, fragment.session]),
          `USE ${identifier(fragment.session.catalog)}.${identifier(fragment.session.schema)}`,
          ...lockSettings(isPiped ? [...files, limits.resultPipe] : files),
        ];
      }),
    ]);
    if (checked.status === 'rejected') throw checked.reason;
    if (locked.status === 'rejected') throw locked.reason;
    // The random numbers of the next query would be those of this one.
    this.isSpoiled ||= /setseed/i.test(fragment.sql);
    await this.makeTables(fragment);
    return checked.value;
  }

  /** What it is locked to. */
  get lockedTo(): DatabaseNeeds | undefined {
    return this.needs;
  }

  /**
   * Locks the database for sessions. From here on it can open these files, everything below the directory of exchange files, and
   * its own spill directory. Done once.
   */
  async admitSession(needs: DatabaseNeeds, limits: TaskLimits & { readonly exchangeRoot: string }): Promise<void> {
    await this.lock(needs, limits, () => [
      ANY_ORDER,
      `SET allowed_directories = ${literals([limits.exchangeRoot])}`,
      ...lockSettings([...needs.files, limits.resultPipe]),
    ]);
  }

  /** Parses a text that must be one statement, so that it can stand in parentheses. Throws TaskError, and the engine's own errors. */
  async checkStatement(sql: string): Promise<void> {
    const { count } = await this.connection.extractStatements(sql);
    if (count !== 1) throw refused('An executor runs one query at a time.');
  }

  /** Binds one statement that must be a SELECT. Throws TaskError, and the engine's own errors. */
  async prepareSelect(sql: string): Promise<DuckDBPreparedStatement> {
    const prepared = await this.connection.prepare(sql);
    if (prepared.statementType === StatementType.SELECT) return prepared;
    prepared.destroySync();
    throw refused('An executor runs queries only.');
  }

  /** Types of expressions without columns, as the engine spells them. */
  async typesOf(expressions: readonly string[]): Promise<string[]> {
    const prepared = await this.connection.prepare(`SELECT ${expressions.join(', ')}`);
    const types = expressions.map((_, index) => typeName(prepared.columnType(index)));
    prepared.destroySync();
    return types;
  }

  /** Takes note of what the query holds. */
  sampled({ memoryBytes, spilledBytes }: MemorySample): void {
    this.holdsMuch ||= memoryBytes > LITTLE_BYTES || spilledBytes > 0;
  }

  /**
   * Takes note that its task or session is over, before the directories are removed. One that has spilled is not used again: the
   * engine makes its directory once.
   */
  over(): void {
    if (this.spillDirectory === undefined || !existsSync(this.spillDirectory)) return;
    this.isSpoiled = true;
    this.holdsMuch = true;
  }

  /** Whether the next one with the same needs may have it. */
  async isLikeNew(): Promise<boolean> {
    if (this.isSpoiled || this.needs === undefined) return false;
    if (!this.holdsMuch) return true;
    const { memoryBytes } = await takeSample(this.sampling);
    this.holdsMuch = memoryBytes > LITTLE_BYTES;
    return !this.holdsMuch;
  }

  /** Closes the database and removes what it spilled. */
  close(): void {
    this.sampling.closeSync();
    this.connection.closeSync();
    this.instance.closeSync();
    // The directory may be that of the next one by now, unless it is closed at once.
    if (this.holdsMuch && this.spillDirectory !== undefined)
      rmSync(this.spillDirectory, { recursive: true, force: true });
  }

  /** The planner has done this already; an executor that believed it would do whatever a forged fragment says. */
  private async check(fragment: Fragment): Promise<{ readonly isLikelyFew: boolean }> {
    const statement = classifyStatement(fragment.sql);
    if (statement.kind !== 'other') throw refused('An executor runs queries only.');
    const gate = await this.gate.inspect(statement.sql, statement.words);
    if ('error' in gate) throw refused(gate.error);
    const known = new Set(fragment.tables.map((table) => table.name.toLowerCase()));
    for (const table of gate.ok.tables) {
      const name = (table.parts.at(-1) ?? '').toLowerCase();
      if (known.has(name) || (table.parts.length === 1 && gate.ok.cteNames.has(name))) continue;
      const refusal = refuseTable(table);
      const why =
        refusal !== undefined && 'reason' in refusal ? refusal.message : `Table "${name}" is not part of the task.`;
      throw refused(why);
    }
    return gate.ok;
  }

  private async makeTables(fragment: Fragment): Promise<void> {
    for (const table of fragment.tables) {
      try {
        await this.checkHeaders(table);
        await this.connection.run(
          `CREATE OR REPLACE VIEW ${tableName(table)} AS ${tableSelect(table, readerCall(table))}`,
        );
      } catch (error) {
        throw error instanceof TaskError ? error : unreadable(readDuckdbError(error), [table]);
      }
    }
  }

  private async checkHeaders(table: TableReader): Promise<void> {
    for (const file of table.files.slice(0, HEADERS_MAX)) {
      const problem = await headerProblem(this.connection, table, file);
      if (problem !== undefined) throw unreadableFile(table, file, problem);
    }
  }

  /** Sets what cannot be changed afterwards, once. */
  private async lock(needs: DatabaseNeeds, limits: TaskLimits, settings: () => readonly string[]): Promise<void> {
    if (this.needs !== undefined) return;
    this.needs = needs;
    this.spillDirectory = limits.spillDirectory;
    await this.connection.run([...limitSettings(limits), ...CACHE_SETTINGS, ...settings()].join('; '));
  }

  /** Binds the statement. Throws TaskError, and the engine's own errors. */
  async prepare(fragment: Fragment) {
    const prepared = await this.connection.prepare(fragment.sql).catch((error: unknown) => {
      const { type, message } = readDuckdbError(error);
      if (type !== 'Binder') throw error;
      // The planner has bound the same text to the declared columns.
      const tables = fragment.tables.map(({ catalog, schema, name }) => `${catalog}.${schema}.${name}`).join(' or ');
      const why = `The files of ${tables} have other columns than the catalog declares: ${message}`;
      throw new TaskError('TABLE_UNREADABLE', why, false);
    });
    if (prepared.statementType !== StatementType.SELECT) throw refused('An executor runs queries only.');
    return prepared;
  }
}

/**
 * Rows that no ORDER BY puts into an order are written as they come: to write them in the order of the tables, the engine would
 * hold all that one row group of the first table becomes, which has no bound.
 */
const ANY_ORDER = 'SET preserve_insertion_order = false';

const CACHE_SETTINGS = [
  // What is read would be kept until the limit of the memory: for the next task, too.
  'SET enable_external_file_cache = false',
  // Footers are read twice: to bind a statement and to run it. The engine looks whether a file has changed.
  'SET parquet_metadata_cache = true',
];

const limitSettings = (limits: TaskLimits): string[] => [
  `SET memory_limit = '${Math.floor(limits.memoryLimitBytes)}B'`,
  `SET threads = ${Math.max(1, Math.floor(limits.threads))}`,
  `SET temp_directory = ${literal(limits.spillDirectory)}`,
  // Only now, as a statement: as an option of opening it is ignored.
  `SET max_temp_directory_size = '${Math.floor(limits.spillLimitBytes)}B'`,
];

/** From here on these files can be opened, and nothing else; and nobody can change that. */
const lockSettings = (files: readonly string[]): string[] => [
  `SET allowed_paths = ${literals(files)}`,
  'SET enable_external_access = false',
  'SET lock_configuration = true',
];

/** Whether the engine writes the result itself, into the pipe. */
export const isPipedResult = ({ format = 'rows' }: Fragment): boolean => format !== 'rows';

function refused(why: string | StatementError): TaskError {
  if (typeof why === 'string') return new TaskError('PERMISSION_DENIED', why, false);
  return new TaskError('PERMISSION_DENIED', why.message, false, why);
}
