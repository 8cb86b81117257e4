import { DuckDBBlobVector, type DuckDBDataChunk, type DuckDBType, DuckDBVarCharVector } from '@duckdb/node-api';
import { formatSize } from '@tutti/base';
import { TaskError } from '../engine.js';
import { jsonWriter, type ToJson } from './json-value.js';

/** Batches end at the first row that takes them past this. */
const BATCH_LENGTH = 256 * 1024;
/** A row has to fit into one message, which takes 4 MiB. */
export const ROW_BYTES_MAX = 3 * 1024 * 1024;
/** Shorter lines cannot be too large: a character takes three bytes at most. */
const SUSPECT_LENGTH = ROW_BYTES_MAX / 3;

/** Whole lines of JSON, one array per row. */
export interface LineBatch {
  readonly lines: Uint8Array;
  readonly rows: number;
}

/** Turns chunks of a result into batches of lines. */
export class JsonLines {
  private readonly writers: readonly ToJson[];
  private text: string[] = [];
  private length = 0;

  constructor(types: readonly DuckDBType[]) {
    this.writers = types.map(jsonWriter);
  }

  /**
   * The batches that `chunk` completes, made one by one as they are asked for: a chunk has up to 2,048 rows of up to
   * 3 MiB, and must never be text as a whole.
   */
  *add(chunk: DuckDBDataChunk): Generator<LineBatch> {
    const columns = this.writers.map((write, index) => new ColumnTexts(chunk, index, write));
    for (let row = 0; row < chunk.rowCount; row++) {
      let line = '[';
      for (const [index, column] of columns.entries()) line += (index === 0 ? '' : ',') + column.text(row);
      line += ']\n';
      if (line.length > SUSPECT_LENGTH) checkSize(line);
      this.text.push(line);
      this.length += line.length;
      if (this.length < BATCH_LENGTH) continue;
      for (const column of columns) column.forget();
      yield this.take();
    }
  }

  /** The last batch; undefined when no row is left. */
  end(): LineBatch | undefined {
    return this.text.length === 0 ? undefined : this.take();
  }

  private take(): LineBatch {
    const batch = { lines: Buffer.from(this.text.join('')), rows: this.text.length };
    this.text = [];
    this.length = 0;
    return batch;
  }
}

function checkSize(line: string): void {
  const bytes = Buffer.byteLength(line);
  if (bytes > ROW_BYTES_MAX) throw rowTooLarge(formatSize(bytes));
}

/** The error for a row that does not fit into a message. */
export function rowTooLarge(size: string): TaskError {
  const sizes = `${size} as JSON text; at most ${formatSize(ROW_BYTES_MAX)} can be sent`;
  return new TaskError('QUERY_FAILED', `A row takes ${sizes}. Select a part of its values, or fewer columns.`, false);
}

/** One column of a chunk, value by value. */
class ColumnTexts {
  private readonly vector;
  private readonly plain: PlainVector | undefined;

  constructor(
    chunk: DuckDBDataChunk,
    index: number,
    private readonly write: ToJson,
  ) {
    this.vector = chunk.getColumnVector(index);
    const isPlain = this.vector instanceof DuckDBVarCharVector || this.vector instanceof DuckDBBlobVector;
    this.plain = isPlain ? (this.vector as unknown as PlainVector) : undefined;
  }

  text(row: number): string {
    if (this.plain !== undefined) checkLength(this.plain, row);
    try {
      return this.write(this.vector.getItem(row));
    } catch (error) {
      if (isStringTooLong(error)) throw rowTooLarge('more than 512.00MB');
      throw error;
    }
  }

  /** The library keeps every value that it has given out, until the chunk goes. */
  forget(): void {
    if (this.plain?.itemCache !== undefined) this.plain.itemCache.length = 0;
  }
}

/** What vectors of texts and blobs hold beside what the library shows of them. */
interface PlainVector {
  readonly dataView: DataView;
  readonly validity: Validity;
  readonly itemCache?: unknown[];
}

interface Validity {
  itemValid(row: number): boolean;
}

/** Values that are too large never become strings: those would fill the heap, and V8 makes none of 512 MiB and more. */
function checkLength({ dataView, validity }: PlainVector, row: number): void {
  // The library shows no length; the engine keeps it in the first four bytes of each 16-byte item.
  const bytes = dataView.getUint32(row * 16, true);
  if (bytes > ROW_BYTES_MAX && validity.itemValid(row)) throw rowTooLarge(formatSize(bytes));
}

/** What V8 and Node say of strings that are longer than they can be, as those made of nested values. */
const isStringTooLong = (error: unknown): boolean =>
  error instanceof Error && /Invalid string length|Cannot create a string longer/.test(error.message);
