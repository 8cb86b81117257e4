import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '@tutti/base';
import type { FetchResultsResponse } from '@tutti/contracts/tutti/task/v1/task_pb';

type Parts = AsyncIterator<FetchResultsResponse>;

/** The stream of a task that a worker has taken. */
export interface TaskStream {
  readonly parts: Parts;
  /** Leaves it, which ends the task. */
  leave(): void;
}

/** Streams that tasks were started with, until someone reads the tasks or stops them. */
export class TaskStreams {
  private readonly streams = new Map<string, TaskStream>();

  constructor(private readonly clock: Clock) {}

  /**
   * Keeps the stream of `call` when its first message comes: with that the worker tells that it took the task. Throws what the
   * call throws, also when `timeoutMs` have passed, and when `signal` aborts before that.
   */
  async open(
    taskId: string,
    call: (signal: AbortSignal) => AsyncIterable<FetchResultsResponse>,
    { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<void> {
    const left = new AbortController();
    const leave = () => left.abort();
    let isLate = false;
    const cancelTimer = this.clock.schedule(timeoutMs, () => {
      isLate = true;
      leave();
    });
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      const parts = call(left.signal)[Symbol.asyncIterator]();
      const first = await parts.next();
      if (first.done === true) throw new ConnectError('the worker did not say that it took the task', Code.Unavailable);
      this.streams.set(taskId, { parts, leave });
    } catch (error) {
      throw isLate ? new ConnectError(`no answer within ${timeoutMs / 1000} s`, Code.DeadlineExceeded) : error;
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', leave);
    }
  }

  /** For its one reader; undefined when there is none, since the task was stopped or is read. */
  take(taskId: string): TaskStream | undefined {
    const stream = this.streams.get(taskId);
    this.streams.delete(taskId);
    return stream;
  }
}
