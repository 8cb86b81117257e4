import type { Grant } from './lease-messages.js';

/** The order of an owner's grants: whether one was missed (H7). */
export class GrantOrder {
  private epoch = 0;
  private last = 0;

  /** old: a later one was taken before. gap: one before it is missing. */
  follow({ epoch, number }: Grant): 'old' | 'next' | 'gap' {
    const expected = epoch === this.epoch ? this.last + 1 : 1;
    if (number < expected) return 'old';
    this.epoch = epoch;
    this.last = number;
    return number === expected ? 'next' : 'gap';
  }
}
