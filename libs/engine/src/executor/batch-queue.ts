/** Batches on their way from an executor to the one reader; bounded by the credit that the executor has. */
export class BatchQueue {
  private readonly batches: Uint8Array[] = [];
  private end: { readonly error: Error | undefined } | undefined;
  private wake: () => void = () => {};

  push(batch: Uint8Array): void {
    this.batches.push(batch);
    this.wake();
  }

  /** No batch will follow. With an error the reader gets it at once: rows of a failed query are worth nothing. */
  close(error?: Error): void {
    this.end ??= { error };
    if (error !== undefined) this.batches.length = 0;
    this.wake();
  }

  /** The next batch; undefined at the end. Throws the error that closed the queue. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const batch = this.batches.shift();
      if (batch !== undefined) return batch;
      if (this.end !== undefined) {
        if (this.end.error !== undefined) throw this.end.error;
        return undefined;
      }
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
