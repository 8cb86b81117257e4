// One fragment of a session, as the pool sees it.
//   A1. It settles once, for its reader at the first error; `outcome` settles when the executor has let go of it, or is gone.
//   A2. A result is complete only when its reader has had all of it.
import type { Clock } from '@tutti/base';
import { type FragmentOutcome, type FragmentRun, TaskError } from '../engine.js';
import type { TaskPort } from './active-task.js';
import type { FromExecutor } from './protocol.js';
import { ResultReader } from './result-reader.js';

export class ActiveFragment implements FragmentRun {
  /** Resolves when the engine has accepted it; rejects with TaskError when the executor has let go of it. */
  readonly started: Promise<void>;
  readonly outcome: Promise<FragmentOutcome>;
  /** Rows sent so far. */
  rows = 0;

  private readonly reader: ResultReader;
  private resolveStarted!: () => void;
  private settle!: (outcome: Promise<FragmentOutcome>) => void;
  private failure: TaskError | undefined;
  private isSettled = false;
  private ended: FragmentOutcome | undefined;
  private isReleased = false;
  /** Whether nobody has to read any more of it. */
  private isRead = false;

  constructor(
    private readonly port: TaskPort,
    /** Asks the engine to stop. */
    private readonly stop: () => void,
    clock: Clock,
  ) {
    this.reader = new ResultReader(port.resultPipe, clock);
    this.outcome = new Promise((resolve) => (this.settle = resolve));
    this.started = Promise.race([
      new Promise<void>((resolve) => (this.resolveStarted = resolve)),
      this.outcome.then(() => undefined),
    ]);
    // Whoever waits for it gets the error; nobody has to.
    this.outcome.catch(() => {});
    this.started.catch(() => {});
  }

  get batches(): AsyncIterable<Uint8Array> {
    return this.read();
  }

  cancel(error = new TaskError('CANCELED', 'The fragment was canceled.', false)): void {
    if (this.failure !== undefined || this.isSettled) return;
    this.fail(error);
    // Of a result that only its reader has not had yet nothing is left to stop.
    if (this.isReleased) this.finish();
    else this.stop();
  }

  handle(message: FromExecutor): void {
    switch (message.kind) {
      case 'started':
        if (message.pipe !== undefined) this.reader.openPipe(message.pipe);
        return this.resolveStarted();
      case 'batch':
        this.rows += message.rows;
        if (this.failure === undefined) this.reader.push(message.lines);
        return;
      case 'fragmentEnded':
        this.rows = message.outcome.rows;
        this.ended = message.outcome;
        this.isRead ||= !message.isResult;
        this.reader.close();
        return this.release();
      case 'fragmentFailed':
        this.fail(new TaskError(message.reason, message.message, message.retriable));
        return this.release();
      default:
        return;
    }
  }

  /** It will hear nothing more of its executor. */
  lost(error: TaskError): void {
    this.fail(error);
    this.release();
  }

  /** Its reader gets the error. */
  fail(error: TaskError): void {
    if (this.failure !== undefined || this.isSettled) return;
    this.failure = error;
    this.reader.fail(error);
  }

  private release(): void {
    this.isReleased = true;
    this.finish();
  }

  private finish(): void {
    const { ended, failure } = this;
    if (!this.isReleased || this.isSettled) return;
    if (failure !== undefined) this.settle(Promise.reject(failure));
    else if (ended === undefined || !this.isRead)
      return; // A2
    else this.settle(Promise.resolve({ ...ended, bytes: ended.bytes + this.reader.bytes }));
    this.isSettled = true;
  }

  private async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const batch = await this.reader.next(() => {
          if (!this.isReleased) this.port.send({ kind: 'credit' });
        });
        if (batch === undefined) break;
        yield batch;
      }
      this.isRead = true;
      this.finish();
    } finally {
      // Whoever leaves early wants no more rows; after the end this does nothing.
      this.cancel();
    }
  }
}
