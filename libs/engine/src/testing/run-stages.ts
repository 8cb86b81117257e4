// Runs a cut plan to its end in one database: its stages one after another and in an odd order, each with all of its tasks, through files in a
// directory. What the rows of a distributed query are, without a cluster.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection, Json } from '@duckdb/node-api';
import { cut, type CutSettings, type PlanNode, type Split, type Stage, type StageFacts, taskSql } from '@tutti/sql';
import { identifier, literal, literals } from '../duckdb/sql-text.js';

/** A table that stages scan. */
export interface StageTable {
  /** What is known of the values of the splits. */
  readonly parts?: readonly Split[];
  readonly rows: number;
  /** SELECTs that together give all rows of the table once, with its columns by their names. */
  readonly splits: readonly string[];
}

export interface RunStagesOptions {
  readonly settings: CutSettings;
  /** By full name. */
  readonly tables: ReadonlyMap<string, StageTable>;
  /** An empty directory for the files. */
  readonly directory: string;
}

export type StagesRun =
  | {
      readonly kind: 'rows';
      /** As getRowsJson gives them. Of a final stage with several tasks, task after task. */
      readonly rows: readonly (readonly Json[])[];
      /** Types of the columns, in SQL. */
      readonly types: readonly string[];
      /** All stages in the order in which they ran. */
      readonly stages: readonly Stage[];
      readonly facts: ReadonlyMap<string, StageFacts>;
    }
  | { readonly kind: 'whole'; readonly reason: string };

interface StageFile {
  readonly path: string;
  readonly partition: number;
}

/** Cuts far beyond this mean that the cut never comes to an end. */
const CUTS_MAX = 500;

/** Rejects with the error of the engine when the SQL of a stage fails. */
export async function runStages(
  connection: DuckDBConnection,
  plan: PlanNode,
  options: RunStagesOptions,
): Promise<StagesRun> {
  const { settings, tables } = options;
  const sizes = new Map(
    [...tables].map(([name, { rows, splits, parts }]) => {
      const size = { rows, splits: splits.length, bytes: 0 };
      return [name, parts === undefined ? size : { ...size, parts }];
    }),
  );
  const run = new Run(connection, options);
  for (let cuts = 0; cuts < CUTS_MAX; cuts++) {
    const outcome = cut(plan, run.facts, settings, sizes);
    if (outcome.kind === 'whole') return outcome;
    if (outcome.kind === 'final') return run.runFinal(outcome.stage);
    if (outcome.stages.length === 0) throw new Error('the cut asks for no stage and has no final one');
    for (const stage of outcome.stages) run.expectSame(stage);
    await run.runStage(outcome.stages[cuts % outcome.stages.length] as Stage);
  }
  throw new Error(`the plan is not finished after ${CUTS_MAX} cuts`);
}

class Run {
  readonly facts = new Map<string, StageFacts>();
  private readonly stages: Stage[] = [];
  private readonly files = new Map<string, readonly StageFile[]>();
  private readonly asked = new Map<string, string>();

  constructor(
    private readonly connection: DuckDBConnection,
    private readonly options: RunStagesOptions,
  ) {}

  /** Whatever has finished meanwhile, a stage that is asked for again is the same (G1). */
  expectSame(stage: Stage): void {
    const text = JSON.stringify(stage);
    if ((this.asked.get(stage.id) ?? text) !== text) throw new Error(`stage ${stage.id} is another one now`);
    this.asked.set(stage.id, text);
  }

  async runStage(stage: Stage): Promise<void> {
    if (this.facts.has(stage.id)) throw new Error(`stage ${stage.id} is asked for again`);
    const directory = join(this.options.directory, stage.id);
    mkdirSync(directory);
    const outputs: TaskOutput[] = [];
    for (let index = 0; index < stage.tasks; index++) {
      const sql = `SELECT * FROM (${this.taskSql(stage, index)}) AS t`;
      outputs.push(...(await this.write(stage, sql, join(directory, `${index}`))));
    }
    this.stages.push(stage);
    this.files.set(stage.id, outputs);
    this.facts.set(stage.id, factsOf(stage, outputs));
  }

  async runFinal(stage: Stage): Promise<StagesRun> {
    const rows: Json[][] = [];
    let types: string[] = [];
    for (let index = 0; index < stage.tasks; index++) {
      const reader = await this.connection.runAndReadAll(this.taskSql(stage, index));
      types = reader.columnTypes().map(String);
      rows.push(...reader.getRowsJson());
    }
    return { kind: 'rows', rows, types, stages: [...this.stages, stage], facts: this.facts };
  }

  /** The SQL of one task: its placeholders filled. */
  private taskSql(stage: Stage, index: number): string {
    return taskSql(stage, index, stage.tasks).replaceAll(
      /\{\{(scan|read|once)(?::(\d+))?\}\}/g,
      (_, kind: string, number: string) => {
        if (kind === 'once') return String(index === 0);
        return kind === 'scan'
          ? this.scanSql(stage, Number(number), index)
          : this.readSql(stage, Number(number), index);
      },
    );
  }

  private scanSql(stage: Stage, number: number, index: number): string {
    const scan = stage.scans.find((each) => each.number === number);
    const table = scan && this.options.tables.get(scan.table);
    if (scan === undefined || table === undefined) throw new Error(`stage ${stage.id} has no scan ${number}`);
    const mine = table.splits.filter(
      (_, split) => scan.share === 'all' || scan.ranges !== undefined || split % stage.tasks === index,
    );
    const columns = scan.columns.map(({ name }, column) => `${identifier(name)} AS c${column}`);
    const list = columns.length === 0 ? 'NULL AS nothing' : columns.join(', ');
    if (mine.length === 0) return `(SELECT ${list} FROM (${table.splits[0]}) WHERE false)`;
    return `(SELECT ${list} FROM (${mine.map((split) => `(${split})`).join(' UNION ALL ')}))`;
  }

  private readSql(stage: Stage, number: number, index: number): string {
    const read = stage.reads.find((each) => each.number === number);
    const source = this.stages.find(({ id }) => id === read?.stageId);
    if (read === undefined || source === undefined) throw new Error(`stage ${stage.id} has no input ${number}`);
    const files = (this.files.get(source.id) ?? []).filter(({ partition }, file) => {
      if (read.share === 'all') return true;
      return (read.share === 'partition' ? partition : file) % stage.tasks === index;
    });
    // Without files an empty relation of the right columns: what the stage itself gives without its rows.
    if (files.length === 0) return `(SELECT * FROM (${this.taskSql(source, 0)}) WHERE false)`;
    return `read_parquet(${literals(files.map(({ path }) => path))}, hive_partitioning = false)`;
  }

  private async write(stage: Stage, sql: string, directory: string): Promise<TaskOutput[]> {
    const { output } = stage;
    const partitioned = output.kind === 'partitioned' ? output : undefined;
    const select = partitioned
      ? `SELECT *, hash(${partitioned.keys.join(', ')}) % ${partitioned.partitions} AS __p FROM (${sql})`
      : sql;
    const by = partitioned ? ', PARTITION_BY (__p)' : ', PER_THREAD_OUTPUT true';
    const copy = `COPY (${select}) TO ${literal(directory)} (FORMAT parquet, COMPRESSION uncompressed${by}, RETURN_STATS true)`;
    const reader = await this.connection.runAndReadAll(copy);
    return reader.getRowObjectsJson().map((row) => outputOf(row));
  }
}

interface TaskOutput extends StageFile {
  readonly rows: number;
  readonly bytes: number;
  /** By name of the column. */
  readonly ranges: ReadonlyMap<string, { readonly min: string; readonly max: string }>;
}

/** A row of COPY ... RETURN_STATS: one file. */
function outputOf(row: Record<string, Json>): TaskOutput {
  const path = String(row['filename']);
  const statistics = pairs(row['column_statistics']).map(([name, values]) => {
    const found = new Map(pairs(values).map(([key, value]) => [key, String(value)]));
    const [min, max] = [found.get('min'), found.get('max')];
    return min === undefined || max === undefined ? [] : [[name.replaceAll('"', ''), { min, max }] as const];
  });
  return {
    path,
    partition: Number(/__p=(\d+)/.exec(path)?.[1] ?? 0),
    rows: Number(row['count']),
    bytes: Number(row['file_size_bytes']),
    ranges: new Map(statistics.flat()),
  };
}

/** A MAP as JSON: a list of {key, value}. */
const pairs = (json: Json | undefined): [string, Json][] =>
  (json as { key: string; value: Json }[] | null | undefined)?.map(({ key, value }) => [key, value]) ?? [];

function factsOf(stage: Stage, outputs: readonly TaskOutput[]): StageFacts {
  const partitions = stage.output.kind === 'partitioned' ? stage.output.partitions : 1;
  const rowsOf = (files: readonly TaskOutput[]): number => files.reduce((sum, { rows }) => sum + rows, 0);
  return {
    rows: rowsOf(outputs),
    bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
    partitionRows: Array.from({ length: partitions }, (_, partition) =>
      rowsOf(outputs.filter((output) => output.partition === partition)),
    ),
    ranges: stage.types.map(({ id }, column) =>
      joinRanges(
        id,
        outputs.filter(({ rows }) => rows > 0).map(({ ranges }) => ranges.get(`c${column}`)),
      ),
    ),
  };
}

const WHOLE_NUMBERS = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT']);

/** Known when it is of every file, and of whole numbers and days: their texts can be compared here. */
function joinRanges(id: string, ranges: readonly ({ readonly min: string; readonly max: string } | undefined)[]) {
  if (!WHOLE_NUMBERS.has(id) || ranges.length === 0) return undefined;
  const known = ranges.filter((range) => range !== undefined);
  if (known.length < ranges.length) return undefined;
  const least = known.map(({ min }) => BigInt(min)).reduce((a, b) => (a < b ? a : b));
  const greatest = known.map(({ max }) => BigInt(max)).reduce((a, b) => (a > b ? a : b));
  return { min: String(least), max: String(greatest) };
}
