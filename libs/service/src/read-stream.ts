import { Code, ConnectError } from '@connectrpc/connect';

/**
 * Reads a stream so that leaving the loop early cancels the call: `break` alone tells the server nothing, in either
 * transport, and it would go on sending.
 *
 *     for await (const page of readStream((signal) => client.fetchPages(request, { signal }), outer)) ...
 *
 * Aborting `outer` ends the stream with the error of the call (CANCELED, or the ConnectError that `outer` was aborted with).
 */
export async function* readStream<T>(
  call: (signal: AbortSignal) => AsyncIterable<T>,
  outer?: AbortSignal,
): AsyncGenerator<T> {
  const own = new AbortController();
  const onOuterAbort = () => own.abort(asConnectError(outer?.reason));
  if (outer?.aborted) onOuterAbort();
  outer?.addEventListener('abort', onOuterAbort, { once: true });
  try {
    yield* call(own.signal);
  } finally {
    outer?.removeEventListener('abort', onOuterAbort);
    own.abort(new ConnectError('the reader has left', Code.Canceled));
  }
}

/** Reasons are often plain words; the transports would tell the server of an internal error then. */
const asConnectError = (reason: unknown): ConnectError =>
  reason instanceof ConnectError ? reason : new ConnectError(String(reason), Code.Canceled);
