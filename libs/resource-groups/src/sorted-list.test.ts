import { type Random, randomInt, seededRandom } from '@tutti/base';
import { type Sortable, SortedList } from './sorted-list.js';

/** The same, slow and obvious. */
class NaiveList {
  items: Sortable[] = [];

  add(item: Sortable): void {
    this.items.push(item);
    this.items.sort((a, b) => a.orderKey - b.orderKey || a.number - b.number);
  }

  remove(item: Sortable): void {
    this.items = this.items.filter((other) => other !== item);
  }
}

function walk(random: Random, steps: number, keys: number, sizeMax: number): void {
  const list = new SortedList<Sortable>();
  const naive = new NaiveList();
  for (let number = 0; number < steps; number++) {
    if (naive.items.length < sizeMax && random() < 0.6) {
      const item = { orderKey: randomInt(random, keys), number };
      list.add(item);
      naive.add(item);
    } else {
      // Mostly the first, sometimes anyone.
      const rank = random() < 0.7 ? 0 : randomInt(random, naive.items.length);
      const item = naive.items[rank];
      expect(list.at(rank)).toBe(item);
      if (item === undefined) continue;
      expect(list.rankOf(item)).toBe(rank);
      list.remove(item);
      naive.remove(item);
    }
    expect(list.size).toBe(naive.items.length);
    expect(list.first).toBe(naive.items[0]);
  }
  for (const count of [0, 1, 600, 5_000]) expect(list.firstOf(count)).toEqual(naive.items.slice(0, count));
  expect([...list]).toEqual(naive.items);
}

describe('a sorted list', () => {
  it.each([1, 2, 3, 4, 5, 6])('does the same as one that is sorted anew each time (seed %i)', (seed) => {
    walk(seededRandom(seed), 3_000, [1, 3, 1_000][seed % 3] ?? 1, 2_000);
  });

  it('holds 100,000, in whatever order they come and go', () => {
    const random = seededRandom(7);
    const list = new SortedList<Sortable>();
    const items = Array.from({ length: 100_000 }, (_, number) => ({ orderKey: -randomInt(random, 10), number }));
    for (const item of items) list.add(item);
    const sorted = [...items].sort((a, b) => a.orderKey - b.orderKey || a.number - b.number);
    for (const rank of [0, 1, 511, 512, 50_000, 99_999]) {
      expect(list.at(rank)).toBe(sorted[rank]);
      expect(list.rankOf(sorted[rank] ?? items[0]!)).toBe(rank);
    }
    for (const item of items) if (item.number % 2 === 0) list.remove(item);
    expect([...list]).toEqual(sorted.filter(({ number }) => number % 2 === 1));
    for (const item of items) if (item.number % 2 === 1) list.remove(item);
    expect(list.size).toBe(0);
    expect(list.first).toBeUndefined();
  });

  it('refuses to let go of what it does not hold', () => {
    const list = new SortedList<Sortable>();
    list.add({ orderKey: 0, number: 1 });
    expect(() => list.remove({ orderKey: 0, number: 1 })).toThrow('only what is in the list leaves it');
  });
});
