// What happens around every call that is served, whichever library is underneath. From the outside in:
//   observe          counts and times the call, gives it a request id
//   normaliseErrors  turns errors that are no ConnectError into INTERNAL "internal error", and logs them
//   endOnAbort       ends the call as soon as its signal aborts, whatever the handler waits for
import { Code, ConnectError, type Interceptor, type StreamResponse } from '@connectrpc/connect';
import type { Clock } from '@tutti/base';
import { nextOrAbort, orAbort } from './abortable.js';
import { ERROR_MESSAGE_LENGTH_MAX } from './limits.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import { REQUEST_ID_HEADER, requestId, requestIdOf, withRequestId } from './request-id.js';

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const LABELS = ['service', 'method', 'code'] as const;

/** The chain of a server. */
export const serverInterceptors = (deps: { log: Log; metrics: Metrics; clock: Clock }): Interceptor[] => [
  observe(deps),
  normaliseErrors(deps.log),
  endOnAbort,
];

function observe({ log, metrics, clock }: { log: Log; metrics: Metrics; clock: Clock }): Interceptor {
  const handled = metrics.counter('rpc_server_handled_total', 'Calls served, by outcome', LABELS);
  const seconds = metrics.histogram(
    'rpc_server_duration_seconds',
    'Time to serve a call',
    DURATION_BUCKETS_SECONDS,
    LABELS,
  );
  return (next) => (request) => {
    const startedAt = clock.now();
    const id = requestIdOf(request.header);
    let over = false;
    const end = (error?: unknown) => {
      if (over) return;
      over = true;
      const code = error === undefined ? 'OK' : codeName(ConnectError.from(error).code);
      const labels = { service: request.service.typeName, method: request.method.name, code };
      const durationMs = clock.now() - startedAt;
      handled.inc(labels);
      seconds.observe(labels, durationMs / 1000);
      if (log.isDebugEnabled()) log.debug('call-ended', { ...labels, durationMs, requestId: id });
    };
    return withRequestId(id, async () => {
      try {
        const response = await next(request);
        response.header.set(REQUEST_ID_HEADER, id);
        if (!response.stream) {
          end();
          return response;
        }
        // A stream whose reader has left is not asked for its next message any more: the signal tells.
        request.signal.addEventListener('abort', () => end(request.signal.reason), { once: true });
        return wrapResponses(response, (iterator) => ({
          next: () =>
            withRequestId(id, () => iterator.next()).then(
              (result) => {
                if (result.done === true) end();
                return result;
              },
              (error: unknown) => {
                end(error);
                throw error;
              },
            ),
          return: () => iterator.return?.() ?? Promise.resolve({ done: true as const, value: undefined }),
        }));
      } catch (error) {
        end(error);
        throw error;
      }
    });
  };
}

function normaliseErrors(log: Log): Interceptor {
  return (next) => async (request) => {
    const normalise = (error: unknown): ConnectError => {
      const where = { service: request.service.typeName, method: request.method.name, requestId: requestId() };
      if (!(error instanceof ConnectError)) {
        if (request.signal.aborted) return ConnectError.from(request.signal.reason);
        log.error('call-failed', { ...where, error });
        return new ConnectError('internal error', Code.Internal);
      }
      if (error.code === Code.Internal) log.error('call-failed', { ...where, error });
      return forClient(error);
    };
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return wrapResponses(response, (iterator) => ({
        next: () =>
          iterator.next().catch((error: unknown) => {
            throw normalise(error);
          }),
        return: () => iterator.return?.() ?? Promise.resolve({ done: true as const, value: undefined }),
      }));
    } catch (error) {
      throw normalise(error);
    }
  };
}

/**
 * Ends a call when its signal aborts: deadline, cancel, shutdown. Without it a handler that waits for its client holds a
 * drain until the end, and a stream that a client left while the connection was full would never run its `finally`
 * blocks on connect-node: it waits there for a 'drain' event that cannot come.
 */
export const endOnAbort: Interceptor = (next) => async (request) => {
  const { signal } = request;
  if (!request.stream) return orAbort(() => next(request), signal);
  const requests = request.message;
  const response = await orAbort(
    () =>
      next({
        ...request,
        message: {
          [Symbol.asyncIterator]() {
            const iterator = requests[Symbol.asyncIterator]();
            return { next: () => nextOrAbort(iterator, signal) };
          },
        },
      }),
    signal,
  );
  if (!response.stream) return response;
  return wrapResponses(response, (iterator) => {
    let over = false;
    const finish = () => {
      if (over) return;
      over = true;
      signal.removeEventListener('abort', finish);
      // Runs the handler's finally blocks. An error in one of them has no reader left.
      void iterator.return?.().catch(() => undefined);
    };
    signal.addEventListener('abort', finish, { once: true });
    if (signal.aborted) finish();
    return {
      async next() {
        const result = await nextOrAbort(iterator, signal);
        if (result.done === true) {
          over = true;
          signal.removeEventListener('abort', finish);
        }
        return result;
      },
      return() {
        finish();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  });
};

type Messages = StreamResponse['message'];
type MessageIterator = AsyncIterator<Messages extends AsyncIterable<infer M> ? M : never, undefined>;

const wrapResponses = (
  response: StreamResponse,
  wrap: (iterator: MessageIterator) => MessageIterator,
): StreamResponse => ({
  ...response,
  message: { [Symbol.asyncIterator]: () => wrap(response.message[Symbol.asyncIterator]() as MessageIterator) },
});

/** The error without what belongs to our side: the headers of a call that we made ourselves, and texts without end. */
function forClient({ rawMessage, code, details, cause }: ConnectError): ConnectError {
  const isLong = rawMessage.length > ERROR_MESSAGE_LENGTH_MAX;
  const message = isLong ? `${rawMessage.slice(0, ERROR_MESSAGE_LENGTH_MAX)}...` : rawMessage;
  const error = new ConnectError(message, code, undefined, undefined, cause);
  error.details = details;
  return error;
}

/** INVALID_ARGUMENT for Code.InvalidArgument, as gRPC writes it. */
const codeName = (code: Code): string => (Code[code] ?? 'Unknown').replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
