// What of the owner's book is kept by a second seat.
//   C1. The newest entry of a holding that may be found by the next owner is at least what it was told that it may hold:
//       an increase is told only after it is copied, and lower values are copied only while nothing higher is told (A5).
//   C2. Entries of one event leave together, with one number.
import type { LedgerEntry } from './copy-codec.js';
import { fenceKey, fencePayload, holdingKey, holdingPayload, workerKey, workerPayload } from './copy-codec.js';
import type { OwnerFence } from './fence-book.js';
import type { Holding } from './holding.js';
import type { WorkerRecord } from './worker-evidence.js';

interface Batch {
  /** The number of its last entry. */
  readonly seq: number;
  readonly holdings: readonly Holding[];
  readonly fences: readonly OwnerFence[];
  readonly workers: readonly WorkerRecord[];
}

export class CopyLedger {
  private readonly batches: Batch[] = [];
  private seq = 0;
  private entries: LedgerEntry[] = [];
  private holdings: Holding[] = [];
  private fences: OwnerFence[] = [];
  private workers: WorkerRecord[] = [];

  /** Nothing is on its way. */
  get isSettled(): boolean {
    return this.batches.length === 0 && this.entries.length === 0;
  }

  /** Has what a holding is booked with kept. */
  holding(holding: Holding): void {
    const { held, life, leaf } = holding;
    // Until it is kept the next owner may find the one or the other.
    holding.copied = Math.min(holding.copied, held);
    holding.copySent = held;
    holding.copySeq = this.add(holdingKey(life.id, leaf.path), held === 0 ? undefined : holdingPayload(held));
    this.holdings.push(holding);
  }

  fence(fence: OwnerFence): void {
    this.add(fenceKey(fence.stamp.coordinatorId), fencePayload(fence.stamp));
    this.fences.push(fence);
  }

  worker(workerId: string, worker: WorkerRecord): void {
    worker.copySeq = this.add(workerKey(workerId), workerPayload(worker.incarnation));
    this.workers.push(worker);
  }

  forgetFence(coordinatorId: string): void {
    this.add(fenceKey(coordinatorId), undefined);
  }

  forgetWorker(workerId: string): void {
    this.add(workerKey(workerId), undefined);
  }

  /** What has to be copied now (C2). */
  flush(): readonly LedgerEntry[] {
    const { entries, holdings, fences, workers, seq } = this;
    if (entries.length === 0) return entries;
    this.batches.push({ seq, holdings, fences, workers });
    [this.entries, this.holdings, this.fences, this.workers] = [[], [], [], []];
    return entries;
  }

  /** Everything up to `seq` is kept; returns the holdings of which it is the newest. */
  copied(seq: number): Holding[] {
    const kept: Holding[] = [];
    for (const batch of this.take(seq)) {
      for (const holding of batch.holdings) {
        if (holding.copySeq === 0 || holding.copySeq > seq) continue;
        holding.copied = holding.copySent;
        holding.copySeq = 0;
        kept.push(holding);
      }
      for (const fence of batch.fences) fence.isCopied = true;
      for (const worker of batch.workers) worker.isCopied = true;
    }
    return kept;
  }

  /** What was sent with the batch that ends at `seq` is kept nowhere; returns its holdings. */
  refused(seq: number): Holding[] {
    const index = this.batches.findIndex((batch) => batch.seq === seq);
    const [batch] = index < 0 ? [] : this.batches.splice(index, 1);
    for (const worker of batch?.workers ?? []) worker.copySeq = 0;
    const lost = (batch?.holdings ?? []).filter(({ copySeq }) => copySeq > 0 && copySeq <= seq);
    for (const holding of lost) [holding.copySeq, holding.copySent] = [0, 0];
    return lost;
  }

  private add(key: string, payload: Uint8Array | undefined): number {
    this.entries.push({ key, seq: ++this.seq, payload });
    return this.seq;
  }

  private *take(seq: number): IterableIterator<Batch> {
    for (let first; (first = this.batches[0]) !== undefined && first.seq <= seq;) {
      this.batches.shift();
      yield first;
    }
  }
}
