// Compares what a statement gives as it is with what its stages give.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, Json } from '@duckdb/node-api';
import type { ColumnRange, CutSettings, Split, Stage } from '@tutti/sql';
import { openInstance } from '../duckdb/open-instance.js';
import { identifier } from '../duckdb/sql-text.js';
import { runStages, type StageTable } from './run-stages.js';
import { StagePlanner } from './stage-planner.js';

export interface Comparison {
  /** Undefined when both give the same rows. */
  readonly difference: string | undefined;
  /** Why it did not run in stages. */
  readonly whole: string | undefined;
  readonly stages: readonly Stage[];
}

export interface StageTrialOptions {
  /** Statements that create the tables. */
  readonly setup: readonly string[];
  /** How many splits each table has. */
  readonly splits: number;
  /** Whether splits are rows that follow each other, of which statistics are known. By default they have rows from all over. */
  readonly isSorted?: boolean;
}

/** Tables of a database, and the same tables known to a planner. Only of types that Parquet keeps: the stubs have others. */
export class StageTrial {
  private runs = 0;

  private constructor(
    readonly connection: DuckDBConnection,
    private readonly instance: DuckDBInstance,
    private readonly directory: string,
    private readonly planner: StagePlanner,
    private readonly tables: ReadonlyMap<string, StageTable>,
  ) {}

  static async create({ setup, splits, isSorted = false }: StageTrialOptions): Promise<StageTrial> {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'tutti-stages-')));
    const instance = await openInstance({ threads: '2' });
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    for (const statement of setup) await connection.run(statement);
    const names = await textsOf(connection, 'SELECT table_name FROM duckdb_tables() ORDER BY ALL');
    const known = [];
    const tables = new Map<string, StageTable>();
    for (const [name = ''] of names) {
      const columns = await textsOf(connection, `SELECT column_name, column_type FROM (DESCRIBE ${identifier(name)})`);
      const [[count] = []] = await textsOf(connection, `SELECT count(*) FROM ${identifier(name)}`);
      const rows = Number(count);
      known.push({ name, columns: columns.map(([column = '', type = '']) => ({ name: column, type })), rows });
      const each = Math.max(1, Math.ceil(rows / splits));
      const numbers = isSorted ? `rowid // ${each}` : `rowid % ${splits}`;
      const parts = Array.from({ length: splits }, (_, split) => `${identifier(name)} WHERE ${numbers} = ${split}`);
      const names = columns.map(([column = '']) => column);
      tables.set(name, {
        rows,
        splits: parts.map((part) => `SELECT * FROM ${part}`),
        ...(isSorted && { parts: await Promise.all(parts.map((part) => statisticsOf(connection, part, names))) }),
      });
    }
    const planner = await StagePlanner.create(known, directory);
    return new StageTrial(connection, instance, directory, planner, tables);
  }

  /** Rejects when the planner refuses the statement. That both ways fail is no difference. */
  async compare(sql: string, settings: CutSettings): Promise<Comparison> {
    const plan = await this.planner.plan(sql);
    if ('unsupported' in plan) return { difference: undefined, whole: plan.unsupported, stages: [] };
    const directory = join(this.directory, `run${this.runs++}`);
    mkdirSync(directory);
    const inStages = await attempt(() =>
      runStages(this.connection, plan.ok, { settings, tables: this.tables, directory }),
    );
    rmSync(directory, { recursive: true });
    if (typeof inStages !== 'string' && inStages.kind === 'whole') {
      return { difference: undefined, whole: inStages.reason, stages: [] };
    }
    const asItIs = await attempt(() => this.connection.runAndReadAll(sql));
    const stages = typeof inStages === 'string' ? [] : inStages.stages;
    if (typeof inStages === 'string' || typeof asItIs === 'string') {
      const haveFailed = typeof inStages === 'string' && typeof asItIs === 'string';
      const failed = typeof inStages === 'string' ? `in stages: ${inStages}` : `as it is: ${String(asItIs)}`;
      return { difference: haveFailed ? undefined : `${sql}\nfails only ${failed}`, whole: undefined, stages };
    }
    const isOrdered = /\bORDER BY[^)]*$/i.test(sql);
    const types = asItIs.columnTypes().map(String);
    const expected = `${types.join()}\n${textOf(asItIs.getRowsJson(), !isOrdered)}`;
    const found = `${inStages.types.join()}\n${textOf(inStages.rows, !isOrdered)}`;
    const difference = expected === found ? undefined : `${sql}\nas it is: ${expected}\nin stages: ${found}`;
    return { difference, whole: undefined, stages };
  }

  close(): void {
    this.planner.close();
    this.connection.closeSync();
    this.instance.closeSync();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** What it gives, or the text of the failure. */
async function attempt<T>(run: () => Promise<T>): Promise<T | string> {
  try {
    return await run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What footers say of a file with these rows. */
async function statisticsOf(connection: DuckDBConnection, part: string, columns: readonly string[]): Promise<Split> {
  const figures = columns.map(identifier).map((name) => `min(${name})::VARCHAR, max(${name})::VARCHAR, count(${name})`);
  const reader = await connection.runAndReadAll(`SELECT count(*), ${figures.join(', ')} FROM ${part}`);
  const [count, ...values] = reader.getRows()[0] ?? [];
  const ranges = columns.map((name, index): [string, ColumnRange | undefined] => {
    const [min, max, full] = values.slice(index * 3, index * 3 + 3);
    return [name, min === null ? undefined : { min: String(min), max: String(max), isFull: full === count }];
  });
  const nowhere = { path: '', fileBytes: 0, fileMtimeMs: 0, firstRow: 0, endRow: undefined, bytes: 0 };
  return { ...nowhere, rows: Number(count), ranges: Object.fromEntries(ranges) };
}

async function textsOf(connection: DuckDBConnection, sql: string): Promise<string[][]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRows().map((row) => row.map(String));
}

/** Floating point numbers at 9 digits: sums depend on their order. */
function textOf(rows: readonly (readonly Json[])[], isSorted: boolean): string {
  const lines = rows.map((row) =>
    JSON.stringify(row, (_, value: unknown) => (isFraction(value) ? rounded(value) : value)),
  );
  return (isSorted ? lines.sort() : lines).join('\n');
}

const isFraction = (value: unknown): value is number => typeof value === 'number' && !Number.isInteger(value);
const rounded = (value: number): number => Number(value.toPrecision(9));
