/** A table of the test data. */
export interface TableSpec {
  readonly schema: string;
  readonly name: string;
  readonly format: 'parquet' | 'csv' | 'json';
  /** Rows of each file, in order; 0 for an empty one. */
  readonly files: readonly number[];
  readonly columns: readonly ColumnSpec[];
}

export interface ColumnSpec {
  readonly name: string;
  readonly type: string;
  /** The value in row `i`. */
  readonly sql: string;
}

/** Columns from `name TYPE` and the SQL of the values. */
export const columns = (entries: Readonly<Record<string, string>>): ColumnSpec[] =>
  Object.entries(entries).map(([head, sql]) => {
    const blank = head.indexOf(' ');
    return { name: head.slice(0, blank), type: head.slice(blank + 1), sql };
  });
