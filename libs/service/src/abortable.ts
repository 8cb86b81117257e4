/**
 * The next item of an iterator, or the signal's reason as an error as soon as it aborts. Listens anew for each item: a
 * race against one long-lived promise would keep a reaction for every item of the stream's life.
 */
export function nextOrAbort<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> {
  return orAbort(() => iterator.next(), signal);
}

/** What `run` resolves to, or the signal's reason as an error as soon as it aborts. */
export function orAbort<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const over = () => signal.removeEventListener('abort', onAbort);
    run().then(
      (value) => {
        over();
        resolve(value);
      },
      (error: unknown) => {
        over();
        reject(error as Error);
      },
    );
  });
}
