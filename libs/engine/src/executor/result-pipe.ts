// The parent's end of the named pipe through which an executor's engine writes a result.
//   N1. The engine's COPY waits in the kernel until the pipe has a reader: whoever hears of a pipe opens it, if only to close it.
//   N2. The end of the pipe is the end of the result only after the executor has said that the engine is done: until then the
//       parent holds a writing end open, too.
//   N3. A slow reader fills the pipe and so stops the engine; a reader that leaves breaks it, and so ends the engine's COPY.
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Clock } from '@tutti/base';
import { formatSize } from '@tutti/base';
import { ROW_BYTES_MAX, rowTooLarge } from '../duckdb/json-lines.js';
import type { PipeContent } from './protocol.js';

const BATCH_BYTES = 256 * 1024;
/** Bytes do not wait longer than this for a full batch. */
const FLUSH_MS = 50;
const NEWLINE = 0x0a;

/** Makes a named pipe: Node has no call for it, and the program is part of every Linux. Rejects when it cannot be made. */
export const makePipe = async (path: string): Promise<void> => {
  await promisify(execFile)('mkfifo', ['-m', '600', path]);
};

export class ResultPipe {
  private readonly socket: Socket;
  private writer: number | undefined;
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private isEnded = false;
  private failure: Error | undefined;
  private wake: () => void = () => {};

  /** Opens the pipe. Throws when it is not there. */
  constructor(
    path: string,
    private readonly content: PipeContent,
    private readonly clock: Clock,
  ) {
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    this.socket = new Socket({ fd: reader, readable: true, writable: false });
    this.socket.on('readable', () => this.wake());
    this.socket.on('end', () => this.end());
    this.socket.on('close', () => this.end());
    this.socket.on('error', (error) => (this.failure ??= error));
  }

  /** The engine is done: what is in the pipe is the rest. */
  finish(): void {
    if (this.writer !== undefined) closeSync(this.writer);
    this.writer = undefined;
  }

  /** Breaks the pipe. next() gives no more. */
  destroy(): void {
    this.finish();
    this.socket.destroy();
  }

  /** The next bytes, whole lines if they are lines; undefined at the end. Throws when a line is too long, or reading fails. */
  async next(): Promise<Uint8Array | undefined> {
    let isLate = false;
    let cancelFlush: (() => void) | undefined;
    try {
      for (;;) {
        const chunk = this.isEnded ? null : (this.socket.read() as Buffer | null);
        if (chunk !== null) this.add(chunk);
        else if (this.failure !== undefined) throw this.failure;
        else if (this.isEnded) return this.take(true);
        if (this.pendingBytes >= BATCH_BYTES || isLate) {
          const batch = this.take(false);
          if (batch !== undefined) return batch;
          isLate = false;
        }
        if (chunk !== null) continue;
        const woken = new Promise<void>((resolve) => (this.wake = resolve));
        if (this.pendingBytes > 0)
          cancelFlush ??= this.clock.schedule(FLUSH_MS, () => {
            isLate = true;
            cancelFlush = undefined;
            this.wake();
          });
        await woken;
      }
    } finally {
      cancelFlush?.();
    }
  }

  private add(chunk: Buffer): void {
    this.pending.push(chunk);
    this.pendingBytes += chunk.length;
    if (this.content === 'lines' && this.pendingBytes > ROW_BYTES_MAX && !chunk.includes(NEWLINE)) this.checkLine();
  }

  /** As for rows that do not come through a pipe. */
  private checkLine(): void {
    if (this.pending.some((chunk) => chunk.includes(NEWLINE))) return;
    throw rowTooLarge(`more than ${formatSize(ROW_BYTES_MAX)}`);
  }

  /** What is there, up to its last whole line. */
  private take(isAll: boolean): Buffer | undefined {
    const all = this.pending.length === 1 ? this.pending[0] : Buffer.concat(this.pending);
    if (all === undefined || all.length === 0) return undefined;
    const end = isAll || this.content === 'file' ? all.length : all.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.pending = [all];
      return undefined;
    }
    this.pending = end < all.length ? [all.subarray(end)] : [];
    this.pendingBytes = all.length - end;
    return all.subarray(0, end);
  }

  private end(): void {
    this.isEnded = true;
    this.wake();
  }
}
