// Generates the files of a scale into an empty directory.
//   W1. A file is written by one step on one thread, from its keys alone: its bytes do not depend on how many threads
//       or steps run beside it.
//   W2. A step holds one range of keys; memory grows with the threads, not with the scale.
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { RANDOM_MACROS, sqlText } from './random-sql.js';
import { type KeyRange, keyRanges, orderRanges, type Scale } from './scale.js';
import { TABLE_NAMES, type TableName } from './schema.js';
import { lines, tableQueries } from './tables.js';
import { addressPool, commentPool, NATIONS, REGIONS } from './words.js';

/** A written file: its path below the directory, with '/' between steps. */
export interface GeneratedFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

export type GeneratedTables = Readonly<Record<TableName, readonly GeneratedFile[]>>;

export interface Progress {
  /** The table that a step has just finished, and all of its rows so far. */
  readonly table: TableName;
  readonly tableRows: number;
  /** Whether that was the table's last file. */
  readonly tableDone: boolean;
  /** Rows of all tables so far, and about how many there will be. */
  readonly rows: number;
  readonly rowsExpected: number;
}

export interface GenerateOptions {
  readonly scale: Scale;
  readonly directory: string;
  /** Steps that run at once. */
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** Memory that one step may use; the largest ones use about half of it. */
const STEP_MEMORY_MB = 1_000;
const LINES_PER_ORDER = 4;

/** Writes all tables. Rejects with the engine's error when a file cannot be written, and with the signal's reason. */
export async function generate(options: GenerateOptions): Promise<GeneratedTables> {
  const { scale, directory, threads, signal, onProgress } = options;
  for (const table of TABLE_NAMES) await mkdir(join(directory, table));
  const steps = planSteps(scale);
  const rowsExpected = steps.reduce((sum, step) => sum + step.rowsExpected, 0);
  const files = Object.fromEntries(TABLE_NAMES.map((table) => [table, []])) as unknown as Record<
    TableName,
    GeneratedFile[]
  >;
  let rows = 0;

  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1', // Each step runs on the thread of its own statement (W1).
    memory_limit: `${threads * STEP_MEMORY_MB}MB`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const failed = new AbortController(); // Its reason is the first failure; the others follow from it.
  const either = AbortSignal.any([signal, failed.signal]);
  const queue = steps.values();

  const runSteps = async (): Promise<void> => {
    const connection = await instance.connect();
    const interrupt = (): void => connection.interrupt();
    either.addEventListener('abort', interrupt);
    try {
      await prepareConnection(connection);
      for (const step of queue) {
        either.throwIfAborted();
        for (const [table, file] of await runStep(connection, step, scale, directory)) {
          const done = files[table];
          done[step.index] = file;
          rows += file.rows;
          const written = done.filter((other) => other !== undefined);
          const tableRows = written.reduce((sum, other) => sum + other.rows, 0);
          onProgress({ table, tableRows, tableDone: written.length === step.of, rows, rowsExpected });
        }
      }
    } catch (error) {
      failed.abort(error);
    } finally {
      either.removeEventListener('abort', interrupt);
      connection.closeSync();
    }
  };

  try {
    for (const macro of RANDOM_MACROS) await runOnce(instance, macro);
    // All end before this returns, so that nobody writes into a directory that is being removed.
    await Promise.all(Array.from({ length: Math.min(threads, steps.length) }, runSteps));
    signal.throwIfAborted();
    failed.signal.throwIfAborted();
  } finally {
    instance.closeSync();
  }
  return files;
}

interface Step {
  readonly tables: readonly TableName[];
  readonly range: KeyRange;
  /** Which of its tables' files this step writes, from 0, and how many there are. */
  readonly index: number;
  readonly of: number;
  readonly rowsExpected: number;
}

function planSteps(scale: Scale): Step[] {
  const steps = (tables: readonly TableName[], ranges: readonly KeyRange[], rowsPerKey: number): Step[] =>
    ranges.map((range, index) => {
      const rowsExpected = (range.last - range.first + 1) * rowsPerKey;
      return { tables, range, index, of: ranges.length, rowsExpected };
    });
  return [
    ...steps(['region'], keyRanges(REGIONS.length, 1), 1),
    ...steps(['nation'], keyRanges(NATIONS.length, 1), 1),
    ...steps(['supplier'], keyRanges(scale.suppliers, 1), 1),
    ...steps(['part'], keyRanges(scale.parts, 1), 1),
    ...steps(['partsupp'], keyRanges(scale.parts, 1, 200_000), 4),
    ...steps(['customer'], keyRanges(scale.customers, 1), 1),
    ...steps(['orders', 'lineitem'], orderRanges(scale), 1 + LINES_PER_ORDER),
  ];
}

async function runStep(
  connection: DuckDBConnection,
  step: Step,
  scale: Scale,
  directory: string,
): Promise<[TableName, GeneratedFile][]> {
  const ofOrders = step.tables.includes('lineitem');
  if (ofOrders) await connection.run(`CREATE OR REPLACE TEMP TABLE lines AS ${lines(step.range, scale)}`);
  const written: [TableName, GeneratedFile][] = [];
  for (const table of step.tables) {
    const path = `${table}/part-${String(step.index).padStart(3, '0')}.parquet`;
    const file = join(directory, path);
    const result = await connection.run(
      `COPY (${tableQueries[table](step.range, scale)}) TO ${sqlText(file)}
       (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${scale.rowGroupRows})`,
    );
    const rows = Number(result.rowsChanged);
    written.push([table, { path, rows, bytes: (await stat(file)).size }]);
  }
  if (ofOrders) await connection.run('DROP TABLE lines');
  return written;
}

async function prepareConnection(connection: DuckDBConnection): Promise<void> {
  await connection.run(`SET VARIABLE tpch_comments = ${sqlText(commentPool())}`);
  await connection.run(`SET VARIABLE tpch_addresses = ${sqlText(addressPool())}`);
}

async function runOnce(instance: DuckDBInstance, statement: string): Promise<void> {
  const connection = await instance.connect();
  await connection.run(statement);
  connection.closeSync();
}
