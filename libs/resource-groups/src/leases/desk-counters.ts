import type { DeskCounters } from './desk-events.js';
import type { OwnerCounters } from './owner-events.js';

/** Sums of what owners count, over all that there were. */
export class CounterSums {
  demands = 0;
  demandsIgnored = 0;
  grants = 0;
  grantsDropped = 0;
  private readonly ended: OwnerCounters = { overclaims: 0, fenced: 0, copiesRefused: 0, writtenOff: 0 };

  /** An owner has lost its shard. */
  end(counters: Readonly<OwnerCounters>): void {
    add(this.ended, counters);
  }

  /** With what those have counted that own something now. */
  with(owners: Iterable<Readonly<OwnerCounters>>): DeskCounters {
    const { demands, demandsIgnored, grants, grantsDropped } = this;
    const sums = { ...this.ended };
    for (const counters of owners) add(sums, counters);
    return { demands, demandsIgnored, grants, grantsDropped, ...sums };
  }
}

function add(sums: OwnerCounters, more: Readonly<OwnerCounters>): void {
  sums.overclaims += more.overclaims;
  sums.fenced += more.fenced;
  sums.copiesRefused += more.copiesRefused;
  sums.writtenOff += more.writtenOff;
}
