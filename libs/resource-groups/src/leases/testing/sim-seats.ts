import type { LedgerEntry } from '../copy-codec.js';
import type { LeaseWorld } from './lease-world.js';

interface Stored {
  readonly epoch: number;
  readonly seq: number;
  readonly payload: Uint8Array | undefined;
}

/** What a majority of seats keeps, without the seats: who owns is decided by the world. */
export class SimSeats {
  private readonly entries = new Map<string, Stored>();
  private readonly onTheirWay = new Set<readonly LedgerEntry[]>();
  private epoch = 0;
  private lastAckAt = 0;

  constructor(private readonly world: LeaseWorld) {}

  /** Keeps entries, and says so, in the order in which they came. */
  put(epoch: number, entries: readonly LedgerEntry[], done: () => void): void {
    const { time, random, copyMs, slowCopyRate } = this.world;
    this.onTheirWay.add(entries);
    const keptAfterMs = copyMs * (0.5 + random()) + (random() < slowCopyRate ? 300 * random() : 0);
    this.lastAckAt = Math.max(this.lastAckAt, time.now + keptAfterMs + copyMs / 2);
    time.after(keptAfterMs, () => {
      this.onTheirWay.delete(entries);
      this.keep(epoch, entries);
    });
    time.after(this.lastAckAt - time.now, () => {
      if (epoch === this.epoch) done();
    });
  }

  /** A new owner is elected; what was on its way was kept by the seats that elect it, or not. */
  promise(epoch: number): void {
    for (const entries of this.onTheirWay) if (this.world.random() < 0.5) this.keep(this.epoch, entries);
    this.onTheirWay.clear();
    this.epoch = epoch;
  }

  copies(): { readonly key: string; readonly payload: Uint8Array | undefined }[] {
    return Array.from(this.entries, ([key, { payload }]) => ({ key, payload }));
  }

  /** Seats that restart forget. */
  forget(rate: number): void {
    for (const key of [...this.entries.keys()]) if (this.world.random() < rate) this.entries.delete(key);
  }

  private keep(epoch: number, entries: readonly LedgerEntry[]): void {
    if (epoch !== this.epoch) return;
    for (const { key, seq, payload } of entries) {
      const known = this.entries.get(key);
      if (known === undefined || known.epoch < epoch || (known.epoch === epoch && known.seq < seq))
        this.entries.set(key, { epoch, seq, payload });
    }
  }
}
