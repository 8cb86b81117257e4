// Responses with many bytes pass by Connect's encoder, which copies them four times.
//   L1. Each message of a stream leaves Connect as one chunk, in order; what ends a stream may be one chunk more. So the
//       stand-in of a large message is known by its number.
import { create } from '@bufbuild/protobuf';
import { createContextKey, type Interceptor } from '@connectrpc/connect';
import { type LargeMessage, largeMessage } from '../large-message.js';
import { MESSAGE_BYTES_MAX } from '../limits.js';

/** The messages of a call that Connect has been given and whose chunks it has not; undefined stands for itself. */
export type LargeResponses = (LargeMessage | undefined)[];

/** Where a call keeps them. Without, Connect encodes everything. */
export const largeResponsesKey = createContextKey<LargeResponses | undefined>(undefined, {
  description: 'large responses',
});

const ENVELOPE_BYTES = 5;

/** Gives Connect empty messages instead of large ones. The first interceptor: all others see what was sent. */
export const standIns: Interceptor = (next) => async (request) => {
  const response = await next(request);
  const waiting = request.contextValues.get(largeResponsesKey);
  if (!response.stream || waiting === undefined) return response;
  const { output } = response.method;
  const messages = response.message[Symbol.asyncIterator]();
  const message: typeof response.message = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const result = await messages.next();
        if (result.done === true) return result;
        const large = largeMessage(output, result.value);
        const fits = large !== undefined && large.head.length + large.bytes.length <= MESSAGE_BYTES_MAX;
        waiting.push(fits ? large : undefined);
        return fits ? { done: false, value: create(output) } : result;
      },
      return: (value?: unknown) => messages.return?.(value) ?? Promise.resolve({ done: true as const, value }),
    }),
  };
  return { ...response, message };
};

/** The chunks of a stream with the large messages in their places. */
export function withLargeResponses(
  chunks: AsyncIterable<Uint8Array>,
  waiting: LargeResponses,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let bytes: Uint8Array | undefined;
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        // Nobody reads a call that has ended: its iterator says so.
        if (bytes !== undefined && !signal.aborted) {
          const value = bytes;
          bytes = undefined;
          return { done: false, value };
        }
        const result = await iterator.next();
        if (result.done === true) return result;
        const large = waiting.shift(); // L1
        if (large === undefined) return result;
        bytes = large.bytes;
        const value = Buffer.allocUnsafe(ENVELOPE_BYTES + large.head.length);
        value.writeUInt8(0, 0);
        value.writeUInt32BE(large.head.length + bytes.length, 1);
        value.set(large.head, ENVELOPE_BYTES);
        return { done: false, value };
      },
      throw: (error: unknown) => iterator.throw?.(error) ?? Promise.reject(error as Error),
      return: (value?: unknown) => iterator.return?.(value) ?? Promise.resolve({ done: true as const, value }),
    }),
  };
}
