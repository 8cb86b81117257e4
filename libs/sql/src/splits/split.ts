// Into what tables are divided before their rows are read: files, and in Parquet files runs of row groups.
//   P1. The splits of a table, all together, have each of its rows once.
//   P2. A split is of a file as it was when it was looked at: who reads it compares size and time.
//   P3. Statistics bound the rows of a split; a value that is missing bounds nothing.

/** Rows of one file. */
export interface Split {
  readonly path: string;
  /** Of the whole file, as all workers must find it. */
  readonly fileBytes: number;
  readonly fileMtimeMs: number;
  /** Rows from here on, counted from 0; of a Parquet file at the start of a row group. */
  readonly firstRow: number;
  /** Rows before this one; undefined: to the end of the file. */
  readonly endRow: number | undefined;
  /** How many rows it has; an estimate where the file does not tell. */
  readonly rows: number;
  /** What has to be read of the file, about. */
  readonly bytes: number;
  /** Least and greatest value by name of the column, as the engine casts them to VARCHAR. NULLs do not count. */
  readonly ranges: ColumnRanges;
}

export type ColumnRanges = Readonly<Record<string, ColumnRange | undefined>>;

export interface ColumnRange {
  readonly min: string;
  readonly max: string;
  /** True when it is known that no value is NULL. */
  readonly isFull?: boolean | undefined;
}
