// Tasks of stages in this process, one after the other on one database: the SQL that executors run, without executors.
import { DuckDBInstance, type DuckDBConnection, type DuckDBPreparedStatement, type Json } from '@duckdb/node-api';
import { typeName } from '../duckdb/column-type-name.js';
import { copyToFiles, readCopied } from '../duckdb/copy-files.js';
import { fillIn } from '../duckdb/copy-inputs.js';
import type { FragmentIo, FragmentOutcome } from '../engine.js';
import { decodeStageTask } from '../stage-fragment.js';

/** What a task made: files, or rows as getRowsJson gives them. */
export type LocalTask =
  | ({ readonly kind: 'files' } & Pick<FragmentOutcome, 'rows' | 'bytes' | 'files' | 'ranges'>)
  | { readonly kind: 'rows'; readonly rows: readonly (readonly Json[])[]; readonly types: readonly string[] };

export class LocalTasks {
  /** Types of NULLs, by their SQL. */
  private readonly types = new Map<string, readonly string[]>();

  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
  ) {}

  static async open(): Promise<LocalTasks> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', autoload_known_extensions: 'false' });
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    return new LocalTasks(instance, connection);
  }

  /** Runs what encodeStageTask wrote. Rejects with the engine's own errors, and when columns have other types than planned. */
  async run(fragment: Uint8Array, { inputs, outputDirectory }: FragmentIo): Promise<LocalTask> {
    const task = decodeStageTask(fragment);
    const sql = fillIn(task, inputs);
    const prepared = await this.connection.prepare(sql);
    try {
      const types = typesOf(prepared);
      const planned = await this.typesOfNulls(task.columns.map(({ nullSql }) => nullSql));
      if (types.join() !== planned.join())
        throw new Error(`stage ${task.stageId} has ${types.join()}, and was planned as ${planned.join()}`);
      if (task.output.kind === 'result') {
        const reader = await prepared.runAndReadAll();
        return { kind: 'rows', rows: reader.getRowsJson(), types };
      }
      const copied = await this.connection.runAndReadAll(copyToFiles(sql, task.output, outputDirectory));
      return { kind: 'files', ...readCopied(copied, outputDirectory, types) };
    } finally {
      prepared.destroySync();
    }
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  private async typesOfNulls(nulls: readonly string[]): Promise<readonly string[]> {
    const sql = `SELECT ${nulls.join(', ')}`;
    let types = this.types.get(sql);
    if (types === undefined) {
      const prepared = await this.connection.prepare(sql);
      types = typesOf(prepared);
      prepared.destroySync();
      this.types.set(sql, types);
    }
    return types;
  }
}

const typesOf = (prepared: DuckDBPreparedStatement): string[] =>
  Array.from({ length: prepared.columnCount }, (_, index) => typeName(prepared.columnType(index)));
