// The rows of a query between its task and its client.
//   B1. It holds at most `bytesMax`, and one batch more: who pushes waits while it is full, so a slow client slows the
//       engine.
//   B2. Batches leave in the order in which they came, each once.
import { invariant } from '@tutti/base';
import { Bell } from './bell.js';

export class ResultBuffer {
  private batches: Uint8Array[] = [];
  private heldBytes = 0;
  private over = false;
  private discards = false;
  private readonly taken = new Bell();

  constructor(
    private readonly bytesMax: number,
    private readonly onChange: () => void,
  ) {}

  /** Takes a batch in; resolves when there is room for another (B1), or when `signal` aborts. */
  async push(batch: Uint8Array, signal: AbortSignal): Promise<void> {
    invariant(!this.over, 'rows after the end');
    if (this.discards) return;
    if (batch.length > 0) {
      this.batches.push(batch);
      this.heldBytes += batch.length;
      this.onChange();
    }
    while (this.heldBytes >= this.bytesMax && !signal.aborted) await this.taken.wait(signal);
  }

  /** From now on what is pushed is thrown away, or again not. */
  discard(discards: boolean): void {
    this.discards = discards;
  }

  /** No more rows will come. */
  end(): void {
    this.over = true;
    this.onChange();
  }

  take(): Uint8Array | undefined {
    const batch = this.batches.shift();
    if (batch === undefined) return undefined;
    this.heldBytes -= batch.length;
    this.taken.ring();
    return batch;
  }

  /** All rows have come, and all have been taken. */
  get drained(): boolean {
    return this.over && this.batches.length === 0;
  }

  /** Forgets what it holds: nobody will take it. */
  clear(): void {
    this.batches = [];
    this.heldBytes = 0;
    this.taken.ring();
  }
}
