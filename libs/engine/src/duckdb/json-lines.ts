import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';
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
  if (bytes <= ROW_BYTES_MAX) return;
  const sizes = `${formatSize(bytes)} as JSON text; at most ${formatSize(ROW_BYTES_MAX)} can be sent`;
  throw new TaskError('QUERY_FAILED', `A row takes ${sizes}. Select a part of its values, or fewer columns.`, false);
}

function columnTexts(chunk: DuckDBDataChunk, index: number, write: ToJson): string[] {
  const vector = chunk.getColumnVector(index);
  const texts = new Array<string>(chunk.rowCount);
  for (let row = 0; row < texts.length; row++) texts[row] = write(vector.getItem(row));
  return texts;
}
