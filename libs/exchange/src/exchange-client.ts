// Fetches one exchange file. What may happen to it on the way:
//   T1. A connection that breaks is made again once, and the file goes on where it stopped.
//   T2. A producer that is too busy is asked again; one from which nothing comes for progressTimeoutMs has lost the file.
//   T3. The file has the length that was said, or it is lost. A file that did not come whole is removed.
//   T4. No more than one chunk is held here: the next one is asked for when the last one is written.
import { writeFileSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { type Client, Code, ConnectError } from '@connectrpc/connect';
import { type Clock, formatDuration, sleep } from '@tutti/base';
import type { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import { orAbort, readRpcError, readStream } from '@tutti/service';
import { ExchangeError, exchangeLost } from './exchange-error.js';

/** A file of another session. */
export interface RemoteFile {
  /** The session that holds it. */
  readonly taskId: string;
  /** Edge address of its worker, host:port. */
  readonly edgeAddress: string;
  readonly key: string;
  readonly name: string;
  readonly bytes: number;
  /** All its bytes, if they came with the request for it: then it is not fetched. */
  readonly content?: Uint8Array;
}

export interface TransferOptions {
  readonly client: Client<typeof TaskService>;
  /** How long nothing may come while something is asked for. */
  readonly progressTimeoutMs: number;
  readonly clock: Clock;
  /** Bytes that are written. */
  readonly progress: (bytes: number) => void;
  /** Ends the transfer; it rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

const RESUME_DELAY_MS = 100;
const BUSY_DELAY_MS = 200;

/** What ended a stream: all is here, or it is worth asking again after a while. */
type End =
  { readonly kind: 'whole' } | { readonly kind: 'busy' | 'broken'; readonly why: string; readonly delayMs: number };

/** Fetches a file to `path`, which must not exist. Rejects with ExchangeError, or what the disk or `signal` says. */
export async function transferFile(file: RemoteFile, path: string, options: TransferOptions): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await new Transfer(file, handle, options).run();
  } catch (error) {
    await handle.close();
    await rm(path, { force: true });
    throw isDiskFull(error) ? diskFull(file) : error;
  }
  await handle.close();
}

/** Writes a file whose bytes are here already to `path`, which must not exist. Rejects with ExchangeError, or what the disk says. */
export async function writeContent(file: RemoteFile, content: Uint8Array, path: string): Promise<void> {
  try {
    writeFileSync(path, content, { flag: 'wx' }); // E4 of ExchangeSession: as it came with a message, it is small.
  } catch (error) {
    await rm(path, { force: true });
    throw isDiskFull(error) ? diskFull(file) : error;
  }
}

class Transfer {
  private written = 0;

  constructor(
    private readonly file: RemoteFile,
    private readonly handle: FileHandle,
    private readonly options: TransferOptions,
  ) {}

  async run(): Promise<void> {
    const { clock, signal, progressTimeoutMs } = this.options;
    let resumed = false;
    let waitsSince = clock.now();
    for (;;) {
      const before = this.written;
      const end = await this.stream();
      signal.throwIfAborted();
      if (end.kind === 'whole') return;
      if (this.written > before) waitsSince = clock.now();
      if (end.kind === 'broken') {
        if (resumed) throw this.lost(end.why);
        resumed = true;
      }
      if (clock.now() - waitsSince >= progressTimeoutMs) throw this.lost(end.why);
      await sleep(clock, end.delayMs, signal);
      signal.throwIfAborted();
    }
  }

  /** Reads from where we are to the end of the file, or of the stream. */
  private async stream(): Promise<End> {
    const { taskId, key, name, bytes } = this.file;
    const { client, signal } = this.options;
    if (this.written === bytes && bytes > 0) return { kind: 'whole' };
    const request = { taskId, key, name, offset: BigInt(this.written) };
    const late = new AbortController();
    const outer = AbortSignal.any([signal, late.signal]);
    const chunks = readStream((inner) => client.fetchExchange(request, { signal: inner }), outer);
    try {
      for (;;) {
        const next = await this.inTime(() => chunks.next(), outer, late);
        if (next.done === true) break;
        await this.write(next.value.chunk);
      }
    } catch (error) {
      return this.endOf(error, late.signal);
    } finally {
      // Not awaited: a stream that says nothing may take its time to end, too.
      chunks.return(undefined).catch(() => undefined);
    }
    if (this.written === bytes) return { kind: 'whole' };
    return { kind: 'broken', why: `it ended after ${this.written} of ${bytes} bytes`, delayMs: RESUME_DELAY_MS };
  }

  /** What `next` gives, if it does within the timeout. */
  private async inTime<T>(next: () => Promise<T>, outer: AbortSignal, late: AbortController): Promise<T> {
    const { clock, progressTimeoutMs } = this.options;
    const cancel = clock.schedule(progressTimeoutMs, () => late.abort(new ConnectError('no bytes', Code.Canceled)));
    try {
      return await orAbort(next, outer);
    } finally {
      cancel();
    }
  }

  private async write(chunk: Uint8Array): Promise<void> {
    if (this.written + chunk.length > this.file.bytes) throw this.lost('it is longer than was said');
    for (let at = 0; at < chunk.length;) {
      const { bytesWritten } = await this.handle.write(chunk, at, chunk.length - at, this.written + at);
      at += bytesWritten;
    }
    this.written += chunk.length;
    this.options.progress(chunk.length);
  }

  /** What a failed stream means. Throws what cannot be mended. */
  private endOf(error: unknown, late: AbortSignal): End {
    const { signal, progressTimeoutMs } = this.options;
    signal.throwIfAborted();
    if (late.aborted) throw this.lost(`no bytes came for ${formatDuration(progressTimeoutMs)}`);
    if (!(error instanceof ConnectError)) throw error;
    const { reason, message, retryAfterMs } = readRpcError(error);
    if (reason === 'EXCHANGE_BUSY') return { kind: 'busy', why: message, delayMs: retryAfterMs ?? BUSY_DELAY_MS };
    if (reason === 'PERMISSION_DENIED')
      throw new ExchangeError('PERMISSION_DENIED', `Exchange file ${this.file.name}: ${message}.`);
    if (reason === 'EXCHANGE_LOST' || reason === 'INVALID_ARGUMENT') throw this.lost(message);
    return { kind: 'broken', why: message, delayMs: RESUME_DELAY_MS };
  }

  private lost(why: string): ExchangeError {
    const { taskId, edgeAddress: worker, name } = this.file;
    return exchangeLost({ taskId, worker, file: name }, why);
  }
}

function isDiskFull(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT';
}

const diskFull = ({ name }: RemoteFile): ExchangeError =>
  new ExchangeError(
    'DISK_FULL',
    `The disk of the worker is full: there is no room for exchange file ${name}. Make room below exchange.directory.`,
  );
