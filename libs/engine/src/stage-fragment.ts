// What coordinators send to executor sessions: what the session may read, and then one stage's share after the other. JSON, so
// that a look at the wire tells what a worker is asked to do.
import { type PlanType, type Stage, type StageScan, toCarrier } from '@tutti/sql';
import type { TableReader } from './fragment.js';

/** How a session compresses the rows that go from stage to stage. */
export type ExchangeCompression = 'none' | 'lz4' | 'zstd';

/**
 * How rows of a result are spelled: lines as in tutti.query.v1.Rows, the same for many rows, or one Parquet file. The latter two
 * are written by the engine itself; their rows come in any order unless the statement has an ORDER BY.
 */
export type ResultFormat = 'rows' | 'jsonLines' | 'parquet';

/** How a table is read, whatever its files. */
export type TableSource = Omit<TableReader, 'files'>;

/** Rows of one file, as they were when the query was planned. */
export interface FilePart {
  readonly path: string;
  readonly fileBytes: number;
  readonly fileMtimeMs: number;
  /** Rows from here on, counted from 0; of a Parquet file at the start of a row group. */
  readonly firstRow: number;
  /** Rows before this one; undefined: to the end of the file. */
  readonly endRow?: number | undefined;
}

/** All that the fragments of a session may read. */
export interface SessionFragment {
  readonly version: 1;
  readonly kind: 'session';
  readonly tables: readonly TableReader[];
}

/** A column of a stage: the SQL of a NULL of the type that it must have. */
export interface TypedColumn {
  readonly name: string;
  readonly type: string;
  readonly nullSql: string;
}

/** One task of a stage. */
export interface StageTaskFragment {
  readonly version: 1;
  readonly kind: 'stage';
  readonly stageId: string;
  readonly index: number;
  /** One SELECT with placeholders; see Stage.sql. */
  readonly sql: string;
  readonly columns: readonly TypedColumn[];
  /** Of the whole stage. */
  readonly estimatedRows?: number;
  readonly scans: readonly {
    readonly number: number;
    readonly source: TableSource;
    /** The columns that are read. */
    readonly columns: readonly { readonly name: string; readonly nullSql: string }[];
    readonly parts: readonly FilePart[];
  }[];
  /** Columns of the files by SQL of a NULL of their type. */
  readonly reads: readonly { readonly number: number; readonly nulls: readonly string[] }[];
  readonly output:
    | { readonly kind: 'files'; readonly compression: ExchangeCompression }
    | {
        readonly kind: 'partitioned';
        readonly compression: ExchangeCompression;
        readonly keys: readonly string[];
        readonly partitions: number;
      }
    | { readonly kind: 'result'; readonly format: ResultFormat };
}

/** A table of a query, as its plan tells it. */
export interface StageTable {
  /** Full name. */
  readonly table: string;
  readonly reader: TableSource;
}

/** What a session may read, for EngineTask.fragment. */
export function encodeSession(session: {
  readonly tables: readonly (StageTable & { readonly splits: readonly Pick<FilePart, 'path'>[] })[];
}): Uint8Array {
  const tables = session.tables.map(({ reader, splits }) => ({
    ...reader,
    files: [...new Set(splits.map(({ path }) => path))],
  }));
  return encode({ version: 1, kind: 'session', tables });
}

/** A task of a stage, as a coordinator knows it. */
export interface StageTaskInput {
  readonly stage: Stage;
  /** Which task of the stage: 0 is the one for which {{once}} is true. */
  readonly index: number;
  /** What it reads of each scan of the stage. */
  readonly scans: readonly {
    readonly number: number;
    /** Undefined is a bug of the caller. */
    readonly table: StageTable | undefined;
    readonly splits: readonly FilePart[];
  }[];
  /** Of results. */
  readonly format: ResultFormat;
  /** Of exchange files. */
  readonly compression: ExchangeCompression;
  /** Names of the columns of a result. */
  readonly columnNames: readonly string[];
}

/** One task of a stage, for ExecutorSession.run. */
export function encodeStageTask(input: StageTaskInput): Uint8Array {
  const { stage, index, scans, format, compression, columnNames } = input;
  const isResult = stage.output.kind === 'result';
  return encode({
    version: 1,
    kind: 'stage',
    stageId: stage.id,
    index,
    sql: stage.sql,
    columns: stage.types.map((type, i) => ({
      name: (isResult ? columnNames[i] : undefined) ?? `c${i}`,
      type: type.sql,
      nullSql: isResult ? nullOf(type) : carrierNullOf(type),
    })),
    estimatedRows: stage.estimatedRows,
    scans: stage.scans.map((scan) => encodeScan(scan, scans)),
    reads: stage.reads.map(({ number, types }) => ({ number, nulls: types.map(carrierNullOf) })),
    output: stage.output.kind === 'result' ? { kind: 'result', format } : { ...stage.output, compression },
  });
}

function encodeScan(scan: StageScan, scans: StageTaskInput['scans']): StageTaskFragment['scans'][number] {
  const found = scans.find(({ number }) => number === scan.number);
  if (found?.table === undefined) throw new Error(`nothing was planned for scan ${scan.number} of ${scan.table}`);
  return {
    number: scan.number,
    source: found.table.reader,
    columns: scan.columns.map(({ name, type }) => ({ name, nullSql: nullOf(type) })),
    parts: found.splits.map(({ path, fileBytes, fileMtimeMs, firstRow, endRow }) => ({
      path,
      fileBytes,
      fileMtimeMs,
      firstRow,
      ...(endRow !== undefined && { endRow }),
    })),
  };
}

const nullOf = ({ sql }: PlanType): string => `CAST(NULL AS ${sql})`;
/** In exchange files some types are written as others. */
const carrierNullOf = (type: PlanType): string => toCarrier(nullOf(type), type);

const encode = (fragment: SessionFragment | StageTaskFragment): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(fragment));

/** Whether a task's fragment is from encodeSession, so that it is opened instead of run. */
export function isSession(bytes: Uint8Array): boolean {
  try {
    return (decode(bytes) as { readonly kind?: unknown }).kind === 'session';
  } catch {
    return false; // Whoever runs it says what is wrong with it.
  }
}

/** Reads what encodeSession wrote. Throws when the bytes are something else. */
export function decodeSession(bytes: Uint8Array): SessionFragment {
  const fragment = decode(bytes) as Partial<SessionFragment>;
  if (fragment.version !== 1 || fragment.kind !== 'session' || !Array.isArray(fragment.tables))
    throw new Error('the fragment describes no session of version 1');
  return fragment as SessionFragment;
}

/** Reads what encodeStageTask wrote. Throws when the bytes are something else. */
export function decodeStageTask(bytes: Uint8Array): StageTaskFragment {
  const fragment = decode(bytes) as Partial<StageTaskFragment>;
  if (fragment.version !== 1 || fragment.kind !== 'stage' || typeof fragment.sql !== 'string')
    throw new Error('the fragment is no task of a stage of version 1');
  return fragment as StageTaskFragment;
}

const decode = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
