// The parent's end of the named pipe through which an executor's engine writes a result.
//   N1. The engine's COPY waits in the kernel until the pipe has a reader: whoever hears of a pipe opens it, if only to close it.
//   N2. The end of the pipe is the end of the result only after the executor has said that the engine is done: until then the
//       parent holds a writing end open, too.
//   N3. A slow reader fills the pipe and so stops the engine; a reader that leaves breaks it, and so ends the engine's COPY.
//   N4. At most AHEAD_BYTES are held for the reader, a line that is longer apart: the engine writes in bursts, and computes
//       nothing while the pipe, which takes 64 KiB, is full.
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { promisify } from 'node:util';
import type { Clock } from '@tutti/base';
import { formatSize } from '@tutti/base';
import { ROW_BYTES_MAX, rowTooLarge } from '../duckdb/json-lines.js';
import type { PipeContent } from './protocol.js';

const BATCH_BYTES = 256 * 1024;
const AHEAD_BYTES = 4 * 1024 * 1024;
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
  /** Full blocks, oldest first. */
  private full: Buffer[] = [];
  private fullBytes = 0;
  /** The block that is being filled; what is read goes straight into it. */
  private block: Buffer = Buffer.allocUnsafeSlow(BATCH_BYTES);
  private filled = 0;
  /** So much of it is with the reader already. */
  private taken = 0;
  private isPaused = false;
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
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
      fd: reader,
      readable: true,
      writable: false,
      // What is read goes straight into the block.
      onread: {
        buffer: () => this.block.subarray(this.filled),
        callback: (count) => this.add(count),
      },
    };
    this.socket = new Socket(options);
    this.socket.on('end', () => this.end());
    this.socket.on('close', () => this.end());
    this.socket.on('error', (error) => (this.failure ??= error));
    this.socket.resume();
  }

  /** The engine is done: what is in the pipe is the rest. */
  finish(): void {
    if (this.writer !== undefined) closeSync(this.writer);
    this.writer = undefined;
  }

  /** Breaks the pipe. next() gives no more. */
  destroy(): void {
    this.finish();
    this.isPaused = false;
    this.full = [];
    this.fullBytes = 0;
    this.taken = this.filled;
    this.socket.destroy();
  }

  /** The next bytes, whole lines if they are lines; undefined at the end. Throws when a line is too long, or reading fails. */
  async next(): Promise<Uint8Array | undefined> {
    let isLate = false;
    let cancelFlush: (() => void) | undefined;
    try {
      for (;;) {
        if (this.failure !== undefined) throw this.failure;
        const batch = this.full.length > 0 || isLate || this.isEnded ? this.take() : undefined;
        if (batch !== undefined) return batch;
        if (this.isEnded) return undefined;
        isLate = false;
        const woken = new Promise<void>((resolve) => (this.wake = resolve));
        if (this.heldBytes > 0)
          cancelFlush ??= this.clock.schedule(FLUSH_MS, () => {
            isLate = true;
            cancelFlush = undefined;
            this.wake();
          });
        await woken;
      }
    } finally {
      cancelFlush?.();
      this.resume();
    }
  }

  private get heldBytes(): number {
    return this.fullBytes + this.filled - this.taken;
  }

  /** So many bytes more are in the block. Returns whether to read on. */
  private add(count: number): boolean {
    this.filled += count;
    if (this.filled === this.block.length) this.closeBlock();
    this.isPaused = this.heldBytes >= AHEAD_BYTES; // N4
    this.wake();
    return !this.isPaused;
  }

  /** Begins a new block with what is no whole line yet. */
  private closeBlock(): void {
    const lines = this.block.subarray(this.taken, this.wholeEnd());
    if (lines.length > 0) this.full.push(lines);
    this.fullBytes += lines.length;
    const rest = this.block.subarray(this.taken + lines.length);
    // As for rows that do not come through a pipe.
    if (rest.length > ROW_BYTES_MAX) this.failure ??= rowTooLarge(`more than ${formatSize(ROW_BYTES_MAX)}`);
    this.block = Buffer.allocUnsafeSlow(BATCH_BYTES + (rest.length < BATCH_BYTES / 2 ? 0 : rest.length));
    this.filled = rest.copy(this.block);
    this.taken = 0;
  }

  /** Where the last whole line of the block ends that the reader does not have. */
  private wholeEnd(): number {
    if (this.content === 'file' || this.isEnded) return this.filled;
    return this.taken + this.block.subarray(this.taken, this.filled).lastIndexOf(NEWLINE) + 1;
  }

  private take(): Buffer | undefined {
    const first = this.full.shift();
    if (first !== undefined) {
      this.fullBytes -= first.length;
      return first;
    }
    const batch = this.block.subarray(this.taken, this.wholeEnd());
    this.taken += batch.length;
    return batch.length === 0 ? undefined : batch;
  }

  private resume(): void {
    if (!this.isPaused || this.heldBytes >= AHEAD_BYTES) return;
    this.isPaused = false;
    this.socket.resume();
  }

  private end(): void {
    this.isEnded = true;
    this.wake();
  }
}
