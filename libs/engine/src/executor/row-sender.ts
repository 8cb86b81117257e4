import type { DuckDBResult } from '@duckdb/node-api';
import { JsonLines, type LineBatch } from '../duckdb/json-lines.js';
import { TaskError } from '../engine.js';
import { CREDIT_WINDOW, type FromExecutor } from './protocol.js';

/** Rows do not wait longer than this for a full batch. */
const FLUSH_MS = 50;

/** Sends rows to the parent while there is credit, so that a slow reader stops the engine. */
export class RowSender {
  private credit = CREDIT_WINDOW;
  private canceled = false;
  private wake: () => void = () => {};
  private lastFlushMs = performance.now();
  /** Rows sent so far. */
  rows = 0;

  constructor(private readonly send: (message: FromExecutor) => void) {}

  addCredit(): void {
    this.credit++;
    this.wake();
  }

  /** Makes sendAll() throw instead of waiting for credit. */
  cancel(): void {
    this.canceled = true;
    this.wake();
  }

  throwIfCanceled(): void {
    if (this.canceled) throw canceled();
  }

  /** Sends all rows of a result. Throws TaskError, and the engine's own errors; a stream that died looks like one that ended. */
  async sendAll(result: DuckDBResult): Promise<void> {
    const lines = new JsonLines(result.columnTypes());
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      for (const batch of lines.add(chunk)) await this.sendBatch(batch);
      if (performance.now() - this.lastFlushMs < FLUSH_MS) continue;
      const batch = lines.end();
      if (batch !== undefined) await this.sendBatch(batch);
    }
    const last = lines.end();
    if (last !== undefined) await this.sendBatch(last);
  }

  private async sendBatch(batch: LineBatch): Promise<void> {
    while (this.credit === 0 && !this.canceled) await new Promise<void>((resolve) => (this.wake = resolve));
    this.throwIfCanceled();
    this.credit--;
    this.rows += batch.rows;
    this.send({ kind: 'batch', ...batch });
    this.lastFlushMs = performance.now();
  }
}

export const canceled = (): TaskError => new TaskError('CANCELED', 'The task was canceled.', false);
