import type { Clock } from '@tutti/base';
import { Code } from '@connectrpc/connect';
import { rpcError } from './errors.js';
import type { News } from './news.js';
import { readStream } from './read-stream.js';

export interface TellNewestOptions<Request, Response> {
  /** Opens the stream. */
  readonly open: (requests: AsyncIterable<Request>, signal: AbortSignal) => AsyncIterable<Response>;
  /** The state to tell, made just before it is sent. */
  readonly message: () => Request;
  /** Takes an answer. 'stop' ends the stream. */
  readonly onAnswer: (response: Response) => 'stop' | void;
  /** There is something to tell before the interval is over. */
  readonly news: News;
  /** The longest time between an answer and the next message. */
  readonly intervalMs: () => number;
  /** A peer that has not answered by then is given up. */
  readonly answerTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * Tells one peer the newest state over one stream: at once, at news, and after each interval. There is never more than
 * one message without an answer, so nothing piles up before a peer that is stuck. Resolves when `onAnswer` says stop or
 * `signal` aborts; throws when the stream fails or the peer does not answer.
 */
export async function tellNewest<Request, Response>(
  options: TellNewestOptions<Request, Response>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, news, answerTimeoutMs } = options;
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener('abort', end, { once: true });
  let onAnswered = () => {};

  async function* requests(): AsyncGenerator<Request> {
    while (!over.signal.aborted) {
      const edition = news.edition;
      const answered = new Promise<void>((resolve) => (onAnswered = resolve));
      over.signal.addEventListener('abort', onAnswered, { once: true });
      const cancel = clock.schedule(answerTimeoutMs, () => over.abort(noAnswer(answerTimeoutMs)));
      yield options.message();
      await answered;
      cancel();
      over.signal.removeEventListener('abort', onAnswered);
      await news.next(edition, options.intervalMs(), over.signal);
    }
  }

  try {
    if (signal.aborted) return;
    for await (const response of readStream((inner) => options.open(requests(), inner), over.signal)) {
      onAnswered();
      if (options.onAnswer(response) === 'stop') return;
    }
    if (!signal.aborted) throw rpcError(Code.Unavailable, 'the peer ended the stream', { reason: 'STREAM_ENDED' });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
  }
}

const noAnswer = (answerTimeoutMs: number) =>
  rpcError(Code.DeadlineExceeded, `no answer within ${answerTimeoutMs} ms`, { reason: 'NO_ANSWER' });
