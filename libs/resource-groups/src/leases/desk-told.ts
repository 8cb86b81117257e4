// What coordinators and workers tell of owners that this process has not heard of from the seats.
//   T1. Numbers that no cluster comes to are not believed: an owner must be able to go above what it hears.
import type { Demand } from './lease-messages.js';

/** Epochs begin with the wall clock, in milliseconds: this one comes in more than 100,000 years. */
const EPOCH_MAX = 2 ** 52;

export const isPlausible = ({ ownerEpoch, epochSeen, stamp }: Demand): boolean =>
  [ownerEpoch, epochSeen, stamp.epoch].every((epoch) => epoch >= 0 && epoch <= EPOCH_MAX);

/** The highest epochs of which this process was told, by shard. */
export class ToldEpochs {
  private readonly epochs = new Map<number, number>();

  /** Whether that is news. */
  isNew(shard: number, epoch: number): boolean {
    if (epoch <= (this.epochs.get(shard) ?? 0) || epoch > EPOCH_MAX) return false;
    this.epochs.set(shard, epoch);
    return true;
  }
}
