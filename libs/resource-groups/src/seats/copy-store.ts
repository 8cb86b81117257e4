// What a seat keeps of the ledger of one shard, on behalf of its owner.
//   C1. Per key the entry with the highest stamp (epoch, then seq) is kept: late and doubled ones change nothing.
//   C2. `base` is the stamp of the last complete ledger. What is not newer than it and not here, is gone: so entries can be
//       taken out for good, though another seat may still keep them.
//   C3. It holds at most entriesMax entries and bytesMax bytes. What does not fit is refused whole, and told.

export interface Stamp {
  readonly epoch: number;
  readonly seq: number;
}

/** A ledger entry as the owner wrote it. Its payload is opaque here; without one the entry is taken out. */
export interface CopyEntry extends Stamp {
  readonly key: string;
  readonly payload: Uint8Array | undefined;
}

/** All that a seat keeps of a shard. */
export interface CopySet {
  readonly base: Stamp;
  readonly entries: readonly CopyEntry[];
}

export interface CopyLimits {
  readonly entriesMax: number;
  readonly bytesMax: number;
}

/** Room for 16 coordinators with 1,000 groups each, in one message of less than 4 MB. */
export const COPY_LIMITS: CopyLimits = { entriesMax: 65_536, bytesMax: 3 * 2 ** 20 };

/** What an entry costs besides its key and payload. */
const ENTRY_BYTES = 16;
const BEGINNING: Stamp = { epoch: 0, seq: 0 };

export class CopyStore {
  private readonly entries = new Map<string, CopyEntry>();
  private base: Stamp = BEGINNING;
  private bytes = 0;

  constructor(private readonly limits: CopyLimits = COPY_LIMITS) {}

  /** Keeps what is newer than what is here. False: it does not fit, and nothing has changed. */
  put(entries: readonly CopyEntry[]): boolean {
    const newer = new Map<string, CopyEntry>();
    let [count, bytes] = [this.entries.size, this.bytes];
    for (const entry of entries) {
      const former = newer.get(entry.key) ?? this.entries.get(entry.key);
      if (compareStamps(entry, this.base) <= 0 || (former && compareStamps(entry, former) <= 0)) continue;
      newer.set(entry.key, entry);
      if (former === undefined) count++;
      bytes += bytesOf(entry) - (former ? bytesOf(former) : 0);
    }
    if (count > this.limits.entriesMax || bytes > this.limits.bytesMax) return false;
    for (const [key, entry] of newer) this.entries.set(key, entry);
    this.bytes = bytes;
    return true;
  }

  /** Takes a complete ledger in place of all that is not newer than it. False: it does not fit. */
  replace(complete: CopySet): boolean {
    const merged = mergeCopies([this.all(), complete]);
    const bytes = merged.entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
    if (merged.entries.length > this.limits.entriesMax || bytes > this.limits.bytesMax) return false;
    this.take(merged);
    return true;
  }

  /** Begins anew with what several seats kept; it may be more than one seat would take in. */
  take({ base, entries }: CopySet): void {
    this.entries.clear();
    for (const entry of entries) this.entries.set(entry.key, entry);
    this.base = base;
    this.bytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
  }

  /** States that what is here is all there is, up to `base`: nothing need be known any more of what was taken out. */
  complete(base: Stamp): void {
    this.base = base;
    for (const entry of [...this.entries.values()]) {
      if (entry.payload !== undefined) continue;
      this.entries.delete(entry.key);
      this.bytes -= bytesOf(entry);
    }
  }

  all(): CopySet {
    return { base: this.base, entries: [...this.entries.values()] };
  }
}

/** The newest of what several seats keep: the higher (epoch, seq) wins, and the newest complete ledger over all older. */
export function mergeCopies(sets: readonly CopySet[]): CopySet {
  let best: CopySet = { base: BEGINNING, entries: [] };
  for (const set of sets) if (compareStamps(set.base, best.base) > 0) best = set;
  const merged = new Map(best.entries.map((entry) => [entry.key, entry]));
  for (const { entries } of sets) {
    for (const entry of entries) {
      const known = merged.get(entry.key);
      if (compareStamps(entry, best.base) > 0 && (!known || compareStamps(entry, known) > 0))
        merged.set(entry.key, entry);
    }
  }
  return { base: best.base, entries: [...merged.values()] };
}

export const compareStamps = (a: Stamp, b: Stamp): number => a.epoch - b.epoch || a.seq - b.seq;

const bytesOf = ({ key, payload }: CopyEntry): number => ENTRY_BYTES + 2 * key.length + (payload?.byteLength ?? 0);
