// What one session holds on its worker's disk. Pure.
//   Q1. A byte is counted under one name: counted once, given back once.
//   Q2. Fetched files are counted before they come, so they never pass the limit.
//   Q3. Written files are counted as they grow: a fragment passes the limit by what it writes between two looks, and is then stopped.

export class ExchangeQuota {
  private readonly entries = new Map<string, number>();
  private total = 0;

  constructor(readonly limitBytes: number) {}

  get heldBytes(): number {
    return this.total;
  }

  /** Counts `bytes` under `name` if there is room for them. Whether there was. */
  take(name: string, bytes: number): boolean {
    if (this.total - this.of(name) + bytes > this.limitBytes) return false;
    this.set(name, bytes);
    return true;
  }

  /** What is there by now under `name`, room or not. Whether all is within the limit. */
  set(name: string, bytes: number): boolean {
    this.total += bytes - this.of(name);
    this.entries.set(name, bytes);
    return this.total <= this.limitBytes;
  }

  free(name: string): void {
    this.total -= this.of(name);
    this.entries.delete(name);
  }

  private of(name: string): number {
    return this.entries.get(name) ?? 0;
  }
}
