/**
 * The same items, one of each source in turn, beginning with source number `start`: so that those who fetch from the same sources
 * at the same time do not all begin with the same one.
 */
export function interleaved<T>(items: readonly T[], sourceOf: (item: T) => string, start: number): T[] {
  const bySource = new Map<string, T[]>();
  for (const item of items) {
    const of = bySource.get(sourceOf(item));
    if (of === undefined) bySource.set(sourceOf(item), [item]);
    else of.push(item);
  }
  const lists = [...bySource.values()];
  const at = lists.length === 0 ? 0 : start % lists.length;
  const turned = [...lists.slice(at), ...lists.slice(0, at)];
  const rounds = Math.max(0, ...turned.map((list) => list.length));
  return Array.from({ length: rounds }, (_, round) => turned.flatMap((list) => list.slice(round, round + 1))).flat();
}
