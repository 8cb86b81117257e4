import { type Clock, type Instant } from '@tutti/base';
import { type ExecutorSession, type FragmentOutcome, type FragmentRun, TaskError, type TaskUsage } from '@tutti/engine';
import {
  ExchangeError,
  type ExchangeSession,
  type FetchedFiles,
  type FragmentFiles,
  type HeldFile,
  type RemoteFile,
  type SessionFetches,
} from '@tutti/exchange';
import { orAbort } from '@tutti/service';

/** A fragment that a coordinator asks for. */
export interface FragmentRequest {
  readonly id: string;
  /** In the engine's encoding. */
  readonly fragment: Uint8Array;
  readonly inputs: readonly { readonly number: number; readonly files: readonly RemoteFile[] }[];
  /** The output brings the content of its files when they have at most so many bytes in all. */
  readonly contentBytesMax: number;
}

/** What a fragment does and used so far. */
export interface FragmentReport {
  readonly state: 'queued' | 'fetching' | 'running';
  readonly rows: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly fetchedBytes: number;
  /** Bytes of inputs that other workers hold. */
  readonly inputBytes: number;
}

/** What came of it. */
export interface FragmentResult extends Omit<FragmentOutcome, 'files'> {
  readonly files: readonly HeldFile[];
  /** The content of each of the files, or nothing when they are too large for that. */
  readonly contents: readonly Uint8Array[];
  readonly inputWaitMs: number;
  readonly fetchedBytes: number;
}

export type FragmentPart =
  | { readonly kind: 'status'; readonly status: FragmentReport }
  | { readonly kind: 'rows'; readonly rows: Uint8Array }
  | { readonly kind: 'output'; readonly result: FragmentResult };

/** What a fragment needs of its session. */
export interface FragmentHost {
  readonly executor: Promise<ExecutorSession>;
  readonly exchange: ExchangeSession;
  readonly fetches: SessionFetches;
  readonly clock: Clock;
  /** Its inputs are here. */
  fetched(id: string): void;
  /** The engine has done it: the next one may run, also while this one's output is told. */
  freed(id: string): void;
  /** It is over, and the engine does not work on it. */
  ended(id: string, isDone: boolean): void;
  /** When the engine was last done with a fragment. */
  freeSince(): Instant;
}

const GROWTH_INTERVAL_MS = 250;

/** One fragment on its way: its turn to fetch, its inputs, its turn to run, its output. */
export class FragmentTask {
  private readonly askedAt: Instant;
  private readonly own = new AbortController();
  private readonly signal: AbortSignal;
  private readonly fetchTurn: Promise<void>;
  private readonly runTurn: Promise<void>;
  private state: FragmentReport['state'] = 'queued';
  private before: TaskUsage | undefined;
  private usage: (() => TaskUsage) | undefined;
  private fetchedBytes = 0;
  private readonly inputBytes: number;
  /** Its turn to fetch has come. */
  readonly mayFetch: () => void;
  /** Its turn to run has come. */
  readonly mayRun: () => void;

  constructor(
    private readonly request: FragmentRequest,
    private readonly host: FragmentHost,
    signal: AbortSignal,
  ) {
    this.askedAt = host.clock.now();
    this.signal = AbortSignal.any([signal, this.own.signal]);
    let mayFetch = (): void => {};
    let mayRun = (): void => {};
    this.fetchTurn = new Promise((resolve) => (mayFetch = resolve));
    this.runTurn = new Promise((resolve) => (mayRun = resolve));
    this.mayFetch = mayFetch;
    this.mayRun = mayRun;
    this.inputBytes = request.inputs.reduce((sum, { files }) => sum + host.fetches.remoteBytes(files), 0);
  }

  /** Throws what ended it: TaskError, ExchangeError, or the reason of its signal. */
  async *parts(): AsyncGenerator<FragmentPart> {
    const { id } = this.request;
    let fetched: FetchedFiles | undefined;
    let output: FragmentFiles | undefined;
    let isDone = false;
    let isKept = false;
    try {
      await orAbort(() => this.fetchTurn, this.signal);
      const beganAt = this.host.clock.now();
      if (this.inputBytes > 0) this.state = 'fetching';
      output = this.host.exchange.beginFragment(id);
      fetched = await this.fetch();
      const inputWaitMs = Math.max(0, this.host.clock.now() - Math.max(beganAt, this.host.freeSince()));
      this.host.fetched(id);
      this.state = 'queued';
      await orAbort(() => this.runTurn, this.signal);
      for await (const part of this.execute(fetched.paths, inputWaitMs, output)) {
        if (part.kind === 'output') [isDone, isKept] = [true, part.result.files.length > 0];
        yield part;
      }
    } catch (error) {
      // What stopped the engine says more than that it stopped.
      const isOwn = error instanceof ExchangeError || (error instanceof TaskError && error.reason !== 'CANCELED');
      const wasStopped = this.own.signal.aborted || !isOwn;
      throw wasStopped && this.signal.aborted ? this.signal.reason : error;
    } finally {
      fetched?.release();
      if (!isKept) await output?.discard();
      this.host.ended(id, isDone);
    }
  }

  report(): FragmentReport {
    const usage = this.usage?.();
    const { before } = this;
    return {
      state: this.state,
      rows: usage && before ? usage.rows - before.rows : 0,
      elapsedMs: this.host.clock.now() - this.askedAt,
      cpuMs: usage && before ? usage.cpuMs - before.cpuMs : 0,
      memoryBytes: usage?.memoryBytes ?? 0,
      fetchedBytes: this.fetchedBytes,
      inputBytes: this.inputBytes,
    };
  }

  /** All inputs at once: one that is small does not wait for the one before it. */
  private fetch(): Promise<FetchedFiles> {
    const files = this.request.inputs.flatMap((input) => input.files);
    return this.host.fetches.fetch(files, {
      signal: this.signal,
      progress: (bytes) => (this.fetchedBytes += bytes),
    });
  }

  private async *execute(
    paths: readonly string[],
    inputWaitMs: number,
    output: FragmentFiles,
  ): AsyncGenerator<FragmentPart> {
    const { request, host, signal } = this;
    const executor = await orAbort(() => host.executor, signal);
    this.usage = () => executor.usage();
    this.before = executor.usage();
    this.state = 'running';
    let at = 0;
    const inputs = request.inputs.map(({ number, files }) => ({
      number,
      files: paths.slice(at, (at += files.length)),
    }));
    const stopWatching = this.watchGrowth(output);
    const left = new AbortController();
    let run: FragmentRun | undefined;
    let isDone = false;
    try {
      run = await executor.run(
        request.fragment,
        { inputs, outputDirectory: output.path },
        AbortSignal.any([signal, left.signal]),
      );
      for await (const rows of run.batches) yield { kind: 'rows', rows };
      const outcome = await run.outcome;
      isDone = true;
      stopWatching();
      host.freed(request.id);
      const files = output.keep(outcome.files);
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      const contents = bytes <= request.contentBytesMax ? output.contents(files) : [];
      const { fetchedBytes } = this;
      yield { kind: 'output', result: { ...outcome, files, contents, inputWaitMs, fetchedBytes } };
    } finally {
      stopWatching();
      if (!isDone) {
        left.abort(new Error('nobody waits for the fragment any more'));
        // The engine lets go of it before the next one comes. How it ended was told above, or nobody listens any more.
        await run?.outcome.catch(() => undefined);
      }
    }
  }

  /** Stops the fragment when the session holds more than it may. */
  private watchGrowth(output: FragmentFiles): () => void {
    const { clock } = this.host;
    let cancel = (): void => {};
    let isOver = false;
    const look = () => {
      output
        .measure()
        .catch((error: unknown) => {
          // Other faults of the disk are the engine's to tell: it writes there.
          if (error instanceof ExchangeError && !isOver) this.own.abort(error);
        })
        .finally(() => {
          if (!isOver) cancel = clock.schedule(GROWTH_INTERVAL_MS, look);
        });
    };
    cancel = clock.schedule(GROWTH_INTERVAL_MS, look);
    return () => {
      isOver = true;
      cancel();
    };
  }
}

/** The executor of a session ended although nobody stopped it. */
export const sessionCrashed = (): TaskError =>
  new TaskError('EXECUTOR_CRASHED', 'The executor of the query on this worker ended unexpectedly.', true);
