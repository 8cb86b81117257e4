import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, createClient, type Transport } from '@connectrpc/connect';
import { type FragmentOutput, type RunFragmentResponse, TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import { readRpcError } from '@tutti/service';
import { failure, type QueryFailure } from './core/query.js';
import { isRetriable } from './failure-codes.js';

/** A file that a fragment reads, and where it is. */
export interface InputFile {
  readonly taskId: string;
  readonly edgeAddress: string;
  readonly key: string;
  readonly name: string;
  readonly partition: number;
  readonly rows: number;
  readonly bytes: number;
  /** All its bytes, if they are known here: then nobody fetches it. */
  readonly content?: Uint8Array | undefined;
}

export interface NewFragment {
  /** The session that runs it. */
  readonly taskId: string;
  /** Unique in the session. */
  readonly fragmentId: string;
  readonly fragment: Uint8Array;
  readonly inputs: readonly { readonly number: number; readonly files: readonly InputFile[] }[];
  /** Its output brings the content of its files when they have at most so many bytes in all. */
  readonly contentBytesMax: number;
}

/** A fragment on its way. */
export interface SentFragment extends NewFragment {
  /** Whether its session was asked for and the worker has not answered yet. */
  readonly awaitsSession: boolean;
}

/** What a fragment that ran to its end wrote, and what it took. */
export interface FragmentResult {
  readonly rows: number;
  readonly bytes: number;
  readonly files: readonly { name: string; partition: number; rows: number; bytes: number; content?: Uint8Array }[];
  readonly ranges: readonly ({ readonly min: string; readonly max: string } | undefined)[];
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly inputWaitMs: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
  readonly fetchedBytes: number;
}

/** How a fragment ended. */
export type FragmentEnd =
  | { readonly kind: 'finished'; readonly result: FragmentResult }
  /** It may run elsewhere, or again. `missing` names the session of a file that could not be had. */
  | {
      readonly kind: 'lost';
      readonly message: string;
      readonly missing: MissingFile | undefined;
      /** Nothing else can run in this session. */
      readonly sessionIsGone: boolean;
    }
  | { readonly kind: 'failed'; readonly failure: QueryFailure };

export interface MissingFile {
  readonly taskId: string;
  readonly name: string;
}

export interface FragmentClient {
  /** Runs a fragment: yields bytes of the result, if it is one, and returns how it ended. Aborting `signal` stops it. */
  run(address: string, fragment: SentFragment, signal: AbortSignal): AsyncGenerator<Uint8Array, FragmentEnd>;
}

/** Calls workers; `transportTo` keeps one channel per address. */
export function createFragmentClient(transportTo: (address: string) => Transport): FragmentClient {
  return {
    async *run(address, fragment, signal) {
      // No deadline of its own: the query's time limit aborts `signal`, and the channel notices a dead worker.
      const parts = createClient(TaskService, transportTo(address)).runFragment(
        {
          ...fragment,
          inputs: fragment.inputs.map(({ number, files }) => ({
            number,
            files: files.map((file) => ({
              ...file,
              rows: BigInt(file.rows),
              bytes: BigInt(file.bytes),
              content: file.content ?? NO_CONTENT,
            })),
          })),
        },
        { signal, timeoutMs: 0 },
      );
      const reader = (parts as AsyncIterable<RunFragmentResponse>)[Symbol.asyncIterator]();
      try {
        for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
          const { part } = next.value;
          if (part.case === 'rows') yield part.value;
          if (part.case !== 'output') continue;
          // What comes after it, the end of the stream, changes nothing.
          reader.next().catch(() => undefined);
          return { kind: 'finished', result: resultOf(part.value) };
        }
        const message = 'the worker ended the fragment without its output';
        return { kind: 'lost', message, missing: undefined, sessionIsGone: false };
      } catch (error) {
        return endOf(error);
      }
    },
  };
}

const NO_CONTENT = new Uint8Array();

function resultOf(output: FragmentOutput): FragmentResult {
  const { elapsed, cpuTime, inputWait } = output;
  return {
    rows: Number(output.rows),
    bytes: Number(output.bytes),
    files: output.files.map(({ name, partition, rows, bytes, content }) => ({
      ...{ name, partition, rows: Number(rows), bytes: Number(bytes) },
      ...(content.length > 0 && { content }),
    })),
    ranges: output.ranges.map(({ min, max }) => (min === undefined || max === undefined ? undefined : { min, max })),
    elapsedMs: elapsed ? durationMs(elapsed) : 0,
    cpuMs: cpuTime ? durationMs(cpuTime) : 0,
    inputWaitMs: inputWait ? durationMs(inputWait) : 0,
    peakMemoryBytes: Number(output.peakMemoryBytes),
    spilledBytes: Number(output.spilledBytes),
    fetchedBytes: Number(output.fetchedBytes),
  };
}

/** Reasons with which a worker gives up a fragment that can run elsewhere, or again. */
const GIVEN_UP = new Set([
  'WORKER_DRAINING',
  'TASK_NOT_FOUND',
  'USER_CANCELED',
  'CANCELED',
  'EXECUTOR_CRASHED',
  'EXCHANGE_LOST',
  'WORKER_BUSY',
]);
/** Those that end the session, too. */
const GONE = new Set(['WORKER_DRAINING', 'TASK_NOT_FOUND', 'USER_CANCELED', 'CANCELED', 'EXECUTOR_CRASHED']);
const PASSING: readonly Code[] = [
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Aborted,
  Code.NotFound,
  Code.ResourceExhausted,
];

function endOf(error: unknown): Exclude<FragmentEnd, { kind: 'finished' }> {
  const { reason, message, code, metadata } = readRpcError(error);
  const missing =
    reason === 'EXCHANGE_LOST' ? { taskId: metadata['task_id'] ?? '', name: metadata['name'] ?? '' } : undefined;
  if (reason === undefined ? PASSING.includes(code) : GIVEN_UP.has(reason)) {
    const sessionIsGone = reason === undefined ? code !== Code.ResourceExhausted : GONE.has(reason);
    return { kind: 'lost', message, missing, sessionIsGone };
  }
  return {
    kind: 'failed',
    failure: failure(reason ?? 'INTERNAL_ERROR', message, reason !== undefined && isRetriable(reason)),
  };
}
