// Writing the rows of a stage to exchange files, and reading what the engine says of them.
//   C1. A range holds every value of its column. Where the engine's statistics are not exact (texts, floating point) or not
//       there, there is no range.
import type { DuckDBResultReader } from '@duckdb/node-api';
import { join, relative } from 'node:path';
import type { FragmentOutcome, OutputFile } from '../engine.js';
import type { StageTaskFragment } from '../stage-fragment.js';
import { literal } from './sql-text.js';

export type FileOutput = Exclude<StageTaskFragment['output'], { kind: 'result' }>;

const PARTITION = '__p';
const COMPRESSION = { none: 'uncompressed', lz4: 'lz4_raw', zstd: 'zstd, COMPRESSION_LEVEL 1' } as const;

/** The statement that writes the rows of `sql`, whose columns are c0, c1, ..., below `directory`. */
export function copyToFiles(sql: string, output: FileOutput, directory: string): string {
  // Dictionaries take longer to make than they save on files that are read once.
  const options = `FORMAT parquet, COMPRESSION ${COMPRESSION[output.compression]}, DICTIONARY_SIZE_LIMIT 1, RETURN_STATS true`;
  if (output.kind === 'files')
    return `COPY (${sql}\n) TO ${literal(join(directory, 'data_0.parquet'))} (${options}, USE_TMP_FILE false)`;
  const { keys, partitions } = output;
  const number = keys.length === 0 ? '0' : `(hash(${keys.join(', ')}) % ${partitions})::INTEGER`;
  return `COPY (SELECT *, ${number} AS ${PARTITION} FROM (${sql}\n) AS t) TO ${literal(directory)} (${options}, PARTITION_BY (${PARTITION}))`;
}

/** What copyToFiles wrote. `types` are those of the columns, as the engine spells them. */
export function readCopied(
  reader: DuckDBResultReader,
  directory: string,
  types: readonly string[],
): Pick<FragmentOutcome, 'rows' | 'bytes' | 'files' | 'ranges'> {
  const copied = (reader.getRowObjectsJson() as unknown as CopiedFile[]).filter(({ count }) => Number(count) > 0);
  const files = copied.map((file): OutputFile => ({
    partition: Number(field(file.partition_keys ?? [], PARTITION) ?? 0),
    name: relative(directory, file.filename),
    rows: Number(file.count),
    bytes: Number(file.file_size_bytes),
  }));
  return {
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    files,
    ranges: types.map((type, index) => rangeOf(type, copied, `"c${index}"`)),
  };
}

/** A map of the engine, as its JSON rows have it. */
type Entries<T> = readonly { readonly key: string; readonly value: T }[];

interface CopiedFile {
  readonly filename: string;
  readonly count: string;
  readonly file_size_bytes: string;
  readonly column_statistics: Entries<Entries<string>>;
  readonly partition_keys: Entries<string> | null;
}

const field = <T>(entries: Entries<T>, key: string): T | undefined => entries.find((entry) => entry.key === key)?.value;

function rangeOf(type: string, files: readonly CopiedFile[], column: string): FragmentOutcome['ranges'][number] {
  const isLess = ORDERS.find(([pattern]) => pattern.test(type))?.[1];
  if (isLess === undefined) return undefined;
  let range: { min: string; max: string } | undefined;
  for (const { column_statistics: statistics } of files) {
    const known = field(statistics, column);
    if (known === undefined) return undefined;
    if (field(known, 'null_count') === field(known, 'num_values')) continue;
    const [min, max] = [field(known, 'min'), field(known, 'max')];
    if (min === undefined || max === undefined || !isComparable(min) || !isComparable(max)) return undefined;
    range = {
      min: range !== undefined && isLess(range.min, min) ? range.min : min,
      max: range !== undefined && isLess(max, range.max) ? range.max : max,
    };
  }
  return range;
}

/** Numbers, and days of the years 0 to 9999: those are in the order of their texts. */
const isComparable = (text: string): boolean =>
  /^-?\d*(?:\.\d+)?$/.test(text) || /^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?$/.test(text);

const digits = (text: string): bigint => BigInt(text.replace('.', ''));

/** Orders of the texts of types. All values of a DECIMAL column have as many digits behind the point. */
const ORDERS: readonly (readonly [RegExp, (a: string, b: string) => boolean])[] = [
  [/^U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)$|^DECIMAL\(/, (a, b) => digits(a) < digits(b)],
  [/^(?:DATE|TIMESTAMP)$/, (a, b) => a < b],
];
