import type { Clock } from '@tutti/base';

/** The items, and `tick` whenever `intervalMs` have passed without an item or since the last tick. Leaving it leaves the items. */
export async function* withTicks<T, K>(
  items: AsyncIterable<T>,
  options: { readonly clock: Clock; readonly intervalMs: number; readonly tick: () => K },
): AsyncGenerator<T | K> {
  const { clock, intervalMs, tick } = options;
  const iterator = items[Symbol.asyncIterator]();
  let wake = (): void => {};
  let due = false;
  const ring = () => {
    due = true;
    wake();
  };
  let cancel = clock.schedule(intervalMs, ring);
  const iteration = () => iterator.next();
  let pending = iteration();
  let ended = false;
  try {
    for (;;) {
      const rung = new Promise<undefined>((resolve) => (wake = () => resolve(undefined)));
      const next = due ? undefined : await Promise.race([pending, rung]);
      if (next === undefined) {
        due = false;
        cancel = clock.schedule(intervalMs, ring);
        yield tick();
        continue;
      }
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
      pending = iteration();
    }
  } finally {
    cancel();
    // An item that is still awaited is of no use to anyone; its error would have no handler.
    pending.catch(() => {});
    if (!ended) void iterator.return?.();
  }
}
