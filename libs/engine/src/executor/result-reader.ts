import type { Clock } from '@tutti/base';
import { BatchQueue } from './batch-queue.js';
import type { PipeContent } from './protocol.js';
import { ResultPipe } from './result-pipe.js';

/** The parent's side of a result, whichever way it comes: by messages or through a named pipe. */
export class ResultReader {
  private readonly queue = new BatchQueue();
  private pipe: ResultPipe | undefined;
  private isOver = false;
  /** Bytes taken so far. */
  bytes = 0;

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
  ) {}

  /** A batch came by message. */
  push(batch: Uint8Array): void {
    this.queue.push(batch);
  }

  /** The result comes through the pipe. Throws when that is not there. */
  openPipe(content: PipeContent): void {
    this.pipe = new ResultPipe(this.path, content, this.clock);
    if (this.isOver) this.pipe.destroy();
  }

  /** Nothing more will come than what is on its way. */
  close(): void {
    this.isOver = true;
    this.queue.close();
    this.pipe?.finish();
  }

  /** The reader gets the error at once: rows of a failed query are worth nothing. */
  fail(error: Error): void {
    this.isOver = true;
    this.queue.close(error);
    this.pipe?.destroy();
  }

  /** The next batch; undefined at the end. Throws what it failed with. `taken` is called for each that came by message. */
  async next(taken: () => void): Promise<Uint8Array | undefined> {
    const piped = await this.pipe?.next();
    const batch = piped ?? (await this.queue.next());
    if (batch !== undefined && piped === undefined) taken();
    this.bytes += batch?.length ?? 0;
    return batch;
  }
}
