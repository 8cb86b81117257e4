import { DuckDBBlobVector, type DuckDBDataChunk, type DuckDBType, DuckDBVarCharVector } from '@duckdb/node-api';
import { formatSize } from '@tutti/base';
import { TaskError } from '../engine.js';
import { jsonWriter, type ToJson } from './json-value.js';

/** Batches end at the first row that takes them past this. */
const BATCH_LENGTH = 256 * 1024;
/** A row has to fit into one message, which takes 4 MiB. */
const ROW_BYTES_MAX = 3 * 1024 * 1024;
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

  /** The batches that `chunk` completes. */
  add(chunk: DuckDBDataChunk): LineBatch[] {
    const batches: LineBatch[] = [];
    const cells = this.writers.map((write, index) => columnTexts(chunk, index, write));
    for (let row = 0; row < chunk.rowCount; row++) {
      let line = '[';
      for (let column = 0; column < cells.length; column++)
        line += (column === 0 ? '' : ',') + (cells[column]?.[row] ?? 'null');
      line += ']\n';
      if (line.length > SUSPECT_LENGTH) checkSize(line);
      this.text.push(line);
      this.length += line.length;
      if (this.length >= BATCH_LENGTH) batches.push(this.take());
    }
    return batches;
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
  if (bytes > ROW_BYTES_MAX) throw tooLarge(formatSize(bytes));
}

function tooLarge(size: string): TaskError {
  const sizes = `${size} as JSON text; at most ${formatSize(ROW_BYTES_MAX)} can be sent`;
  return new TaskError('QUERY_FAILED', `A row takes ${sizes}. Select a part of its values, or fewer columns.`, false);
}

function columnTexts(chunk: DuckDBDataChunk, index: number, write: ToJson): string[] {
  const vector = chunk.getColumnVector(index);
  const texts = new Array<string>(chunk.rowCount);
  const plain = vector instanceof DuckDBVarCharVector || vector instanceof DuckDBBlobVector;
  for (let row = 0; row < texts.length; row++) {
    if (plain) checkLength(vector, row);
    try {
      texts[row] = write(vector.getItem(row));
    } catch (error) {
      if (isStringTooLong(error)) throw tooLarge('more than 512.00MB');
      throw error;
    }
  }
  return texts;
}

interface Validity {
  itemValid(row: number): boolean;
}

/** Values that are too large never become strings: those would fill the heap, and V8 makes none of 512 MiB and more. */
function checkLength(vector: DuckDBVarCharVector | DuckDBBlobVector, row: number): void {
  // The library shows no length; the engine keeps it in the first four bytes of each 16-byte item.
  const { dataView, validity } = vector as unknown as { dataView: DataView; validity: Validity };
  const bytes = dataView.getUint32(row * 16, true);
  if (bytes > ROW_BYTES_MAX && validity.itemValid(row)) throw tooLarge(formatSize(bytes));
}

/** What V8 and Node say of strings that are longer than they can be, as those made of nested values. */
const isStringTooLong = (error: unknown): boolean =>
  error instanceof Error && /Invalid string length|Cannot create a string longer/.test(error.message);
