/** What a heap keeps: it knows its own place, so that it can leave or move from anywhere. */
export interface HeapItem {
  /** Its place in the heap; -1 outside. Nobody but the heap changes it. */
  heapIndex: number;
}

/**
 * A priority queue whose members can leave, or change their place, from anywhere: each operation takes logarithmic time.
 * Algorithm: binary heap (J. W. J. Williams, 1964) whose items know their index.
 */
export class IndexedHeap<T extends HeapItem> {
  private readonly items: T[] = [];

  constructor(private readonly comesBefore: (a: T, b: T) => boolean) {}

  get first(): T | undefined {
    return this.items[0];
  }

  get size(): number {
    return this.items.length;
  }

  has(item: T): boolean {
    return item.heapIndex >= 0;
  }

  add(item: T): void {
    this.items.push(item);
    this.rise(item, this.items.length - 1);
  }

  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.items.pop();
    if (last === undefined || last === item) return;
    this.settle(last, index);
  }

  /** What the order of an item follows from has changed. */
  moved(item: T): void {
    if (item.heapIndex >= 0) this.settle(item, item.heapIndex);
  }

  /** Takes out everything, the first first. */
  drain(): T[] {
    const all: T[] = [];
    for (let first; (first = this.items[0]) !== undefined;) {
      this.remove(first);
      all.push(first);
    }
    return all;
  }

  private settle(item: T, index: number): void {
    const parent = this.items[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && this.comesBefore(item, parent)) this.rise(item, index);
    else this.sink(item, index);
  }

  private rise(item: T, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.items[above];
      if (parent === undefined || !this.comesBefore(item, parent)) break;
      this.put(parent, index);
      index = above;
    }
    this.put(item, index);
  }

  private sink(item: T, from: number): void {
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      let child = this.items[below];
      if (child === undefined) break;
      const other = this.items[below + 1];
      if (other !== undefined && this.comesBefore(other, child)) {
        child = other;
        below++;
      }
      if (!this.comesBefore(child, item)) break;
      this.put(child, index);
      index = below;
    }
    this.put(item, index);
  }

  private put(item: T, index: number): void {
    this.items[index] = item;
    item.heapIndex = index;
  }
}
