import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type DecodedPlan, decodePlan } from '../index.js';

/** As the planner has it: what these optimisers make of a plan cannot be written as SQL. */
const DISABLED =
  'column_lifetime,compressed_materialization,join_filter_pushdown,late_materialization,row_group_pruner,in_clause,sampling_pushdown,top_n_window_elimination,window_self_join';

/** Types that a file keeps: columns of others are cast back. */
const KEPT =
  /^(BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|VARCHAR|BLOB|DATE|TIME|TIMESTAMP|TIMESTAMP WITH TIME ZONE|UUID)$/;

/** An engine with tables, and one that plans over stubs of them. */
export class TestEngine {
  private readonly stubs = new Map<
    string,
    { table: string; columns: { name: string; type: string }[]; rows: number }
  >();

  private constructor(
    private readonly data: DuckDBConnection,
    private readonly planner: DuckDBConnection,
    private readonly directory: string,
  ) {}

  static async create(): Promise<TestEngine> {
    const [data, planner] = await Promise.all(
      [1, 2].map(async () => (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()),
    );
    if (data === undefined || planner === undefined) throw new Error('no engine');
    await planner.run(`SET disabled_optimizers='${DISABLED}'`);
    await planner.run(`SET explain_output='optimized_only'`);
    return new TestEngine(data, planner, await mkdtemp(join(tmpdir(), 'tutti-plan-')));
  }

  /** Makes a table; to the planner it has `rows` rows. */
  async table(name: string, sql: string, rows = 100_000): Promise<void> {
    await this.run(`CREATE TABLE ${name} AS ${sql}`);
    const described = await this.rows(`SELECT column_name, column_type FROM (DESCRIBE ${name})`);
    const columns = described.map((row) => ({ name: String(row[0]), type: String(row[1]) }));
    const path = join(this.directory, `${name}.parquet`);
    const nulls = columns.map((column) => `NULL::${column.type} AS "${column.name}"`);
    await this.planner.run(`COPY (SELECT ${nulls.join(', ')} LIMIT 0) TO '${path}' (FORMAT parquet)`);
    const casts = columns.map(({ name: column, type }) =>
      KEPT.test(type) ? `"${column}"` : `"${column}"::${type} AS "${column}"`,
    );
    await this.planner.run(
      `CREATE VIEW ${name} AS SELECT ${casts.join(', ')} FROM read_parquet('${path}', explicit_cardinality = ${rows})`,
    );
    this.stubs.set(path, { table: name, columns, rows });
  }

  /** The plan of a statement, decoded. */
  async plan(sql: string): Promise<DecodedPlan> {
    const planned = await this.planner.runAndReadAll(
      'SELECT json_serialize_plan($1::varchar, skip_null := true, optimize := true)',
      [sql],
    );
    const explained = await this.planner.runAndReadAll(`EXPLAIN (FORMAT json) ${sql}`);
    const planJson = String(planned.getRowsJson()[0]?.[0]);
    return decodePlan(planJson, String(explained.getRowsJson()[0]?.[1]), (path) => this.stubs.get(path));
  }

  async run(sql: string): Promise<void> {
    await this.data.run(sql);
  }

  /** All rows, without any loss. */
  async rows(sql: string): Promise<unknown[][]> {
    return (await this.data.runAndReadAll(sql)).getRowsJson() as unknown[][];
  }

  /** Types of the columns that a SELECT gives. */
  async types(sql: string): Promise<string[]> {
    return (await this.rows(`SELECT column_type FROM (DESCRIBE ${sql})`)).map(([type]) => String(type));
  }

  /** A name for files of the test. */
  file(name: string): string {
    return join(this.directory, name);
  }

  async close(): Promise<void> {
    this.data.closeSync();
    this.planner.closeSync();
    await rm(this.directory, { recursive: true, force: true });
  }
}
