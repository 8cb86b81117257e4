import { nextOrAbort } from './abortable.js';

/** The same items, until `signal` aborts: then the loop ends with the signal's reason as an error, and at once. */
export async function* untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  for (;;) {
    const result = await nextOrAbort(iterator, signal);
    if (result.done === true) return;
    yield result.value;
  }
}
