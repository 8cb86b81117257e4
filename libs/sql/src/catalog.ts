// What a catalog is: named schemas of tables, each table a set of files with declared columns.
//   C1. Names are unique within their parent, whatever their case, and need no quotes in SQL.
//   C2. Every path is absolute, has no '.' or '..' steps and no wildcard, so it names one file or one directory.
//   C3. Every column type has passed parseColumnType; every reader option has passed a fixed list.
// Decoding lives in catalog-decoder.ts.

/** A catalog, decoded. `name` is the first part of its tables' names. */
export interface Catalog {
  readonly name: string;
  readonly comment?: string;
  readonly schemas: readonly CatalogSchema[];
}

export interface CatalogSchema {
  readonly name: string;
  readonly comment?: string;
  readonly tables: readonly CatalogTable[];
}

export interface CatalogTable {
  readonly name: string;
  readonly comment?: string;
  readonly format: TableFormat;
  readonly source: TableSource;
  /** In the order of the table. CSV columns go by position (see CsvOptions.headerNames), Parquet and JSON columns by name. */
  readonly columns: readonly CatalogColumn[];
  /** How many rows the table is said to have: an estimate for planning, never an answer. */
  readonly rows?: number;
  /** How to read the files when the format is csv. */
  readonly csv?: CsvOptions;
  /** How to read the files when the format is json. */
  readonly json?: JsonOptions;
}

export interface CatalogColumn {
  readonly name: string;
  /** A type in the engine's spelling, such as BIGINT or DECIMAL(15,2). */
  readonly type: string;
  readonly comment?: string;
}

/** The files themselves, or a directory of which every file below with the format's extension belongs to the table. */
export type TableSource = { readonly files: readonly string[] } | { readonly prefix: string };

export type TableFormat = keyof typeof FILE_EXTENSIONS;

/** Endings of the files that a prefix stands for, by format. */
export const FILE_EXTENSIONS = {
  parquet: ['.parquet'],
  csv: ['.csv', '.tsv'],
  json: ['.json', '.jsonl', '.ndjson'],
} as const;

/** Options of a CSV table. What is left out has the default named here; nothing is guessed from the file. */
export interface CsvOptions {
  /** Whether the first line holds the columns' names: it is compared with them and skipped. Default true. */
  readonly header: boolean;
  /** What the first line says instead, when the columns have names of their own. */
  readonly headerNames?: readonly string[];
  /** One character between fields. Default ','. */
  readonly delim: string;
  /** One character around fields, or '' for none. Default '"'. */
  readonly quote: string;
  /** The text that stands for NULL. Default ''. */
  readonly nullstr: string;
  /** Format of dates in strptime's notation, such as %m/%d/%Y. Default ISO 8601. */
  readonly dateformat?: string;
  /** Format of timestamps in strptime's notation. Default ISO 8601. */
  readonly timestampformat?: string;
}

/** Options of a JSON table. */
export interface JsonOptions {
  /** `array`: one array of objects; `lines`: an object per line; `objects`: objects with any white space. Default lines. */
  readonly layout: 'array' | 'lines' | 'objects';
}
