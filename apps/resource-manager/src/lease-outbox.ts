// What waits to be told to one coordinator, on one stream.
//   X1. Grants leave in the order in which they were made, and none is left out: a coordinator that misses one would wait
//       for what it has. So when too many wait the stream ends, and the coordinator begins anew.
//   X2. Of lists of owned shards only the newest is told, not after grants that were made later.
//   X3. What was said between two reads leaves in one message, as far as it fits.
import { GRANTS_MAX, type OwnedShard, type ShardGrant } from '@tutti/lease-wire';

/** So many caps, wishes and hints may wait: some megabytes. */
const ITEMS_WAITING_MAX = 50_000;
/** So many of them go into one message: it stays below the largest that is taken. */
const ITEMS_PER_MESSAGE_MAX = 10_000;

/** What goes into one message. */
export interface Telling {
  /** Undefined: as it was told last. */
  readonly owned: readonly OwnedShard[] | undefined;
  readonly grants: readonly ShardGrant[];
}

/** Too much waits: the coordinator does not read what it is told (X1). */
export class ReadsTooSlowly extends Error {
  override readonly name = 'ReadsTooSlowly';
}

export class LeaseOutbox {
  private owned: readonly OwnedShard[] | undefined;
  private grants: ShardGrant[] = [];
  private itemsWaiting = 0;
  private end: { readonly error: unknown } | undefined;
  private wake: () => void = () => undefined;

  get isClosed(): boolean {
    return this.end !== undefined;
  }

  tellOwned(owned: readonly OwnedShard[]): void {
    this.owned = owned;
    this.wake();
  }

  tellGrant(grant: ShardGrant): void {
    if (this.end !== undefined) return;
    this.itemsWaiting += itemsOf(grant);
    if (this.itemsWaiting > ITEMS_WAITING_MAX) return this.close(new ReadsTooSlowly()); // X1
    this.grants.push(grant);
    this.wake();
  }

  /** Nothing more is told; with an error not even what waits. */
  close(error?: unknown): void {
    this.end ??= { error };
    this.wake();
  }

  async *tellings(): AsyncGenerator<Telling> {
    for (;;) {
      if (this.end?.error !== undefined) throw this.end.error;
      if (this.owned !== undefined || this.grants.length > 0) yield this.take();
      else if (this.end !== undefined) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private take(): Telling {
    let [count, items] = [0, 0];
    for (const grant of this.grants) {
      items += itemsOf(grant);
      if (count > 0 && (count >= GRANTS_MAX || items > ITEMS_PER_MESSAGE_MAX)) break;
      count++;
    }
    const telling = { owned: this.owned, grants: this.grants.splice(0, count) };
    for (const grant of telling.grants) this.itemsWaiting -= itemsOf(grant);
    this.owned = undefined;
    return telling;
  }
}

const itemsOf = ({ grant: { caps, wishes, hints } }: ShardGrant): number =>
  1 + caps.length + wishes.length + hints.length;
