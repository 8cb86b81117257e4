// Plans statements over tables of which only columns and sizes are known, as the coordinators do: over stub files.
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type DecodedPlan, decodePlan } from '@tutti/sql';
import { openInstance } from '../duckdb/open-instance.js';
import { identifier, literal } from '../duckdb/sql-text.js';

export interface PlannedStageTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: number;
}

/** The serialisation of plans fails with the first, and plans are of other shapes with the others. */
const DISABLED_OPTIMIZERS =
  'column_lifetime,compressed_materialization,join_filter_pushdown,late_materialization,row_group_pruner,in_clause,' +
  'sampling_pushdown,top_n_window_elimination,window_self_join';

export class StagePlanner {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly tables: ReadonlyMap<string, PlannedStageTable>,
  ) {}

  /** Writes a stub for each table into a directory that exists. */
  static async create(tables: readonly PlannedStageTable[], directory: string): Promise<StagePlanner> {
    const instance = await openInstance();
    const connection = await instance.connect();
    const byStub = new Map<string, PlannedStageTable>();
    for (const table of tables) {
      const stub = join(directory, `${table.name}.parquet`);
      const columns = table.columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${identifier(name)}`).join(', ');
      await connection.run(`COPY (SELECT ${columns} WHERE false) TO ${literal(stub)} (FORMAT parquet)`);
      const reader = `read_parquet(${literal(stub)}, explicit_cardinality = ${table.rows})`;
      await connection.run(`CREATE VIEW ${identifier(table.name)} AS SELECT * FROM ${reader}`);
      byStub.set(stub, table);
    }
    await connection.run(`SET disabled_optimizers = ${literal(DISABLED_OPTIMIZERS)}`);
    await connection.run("SET explain_output = 'optimized_only'; SET TimeZone = 'UTC'");
    return new StagePlanner(instance, connection, byStub);
  }

  /** The plan of a SELECT, or why there is none. Rejects when the statement is wrong. */
  async plan(sql: string): Promise<DecodedPlan> {
    const explained = await this.connection.runAndReadAll(`EXPLAIN (FORMAT json) ${sql}`);
    const estimates = String(explained.getRows()[0]?.[1]);
    const statement = await this.connection.prepare(
      'SELECT json_serialize_plan($1::VARCHAR, skip_null := true, optimize := true)',
    );
    statement.bindVarchar(1, sql);
    const [row] = (await statement.runAndReadAll()).getRows();
    return decodePlan(String(row?.[0]), estimates, (stub) => {
      const table = this.tables.get(stub);
      return table && { table: table.name, columns: table.columns, rows: table.rows };
    });
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}
