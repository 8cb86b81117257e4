import { type Random, randomInt, seededRandom } from '@tutti/base';

/** Choices from a seed. */
export class Choice {
  private readonly random: Random;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  below(count: number): number {
    return randomInt(this.random, count);
  }

  of<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error('there is nothing to choose from');
    return value;
  }

  /** True in so many cases of a hundred. */
  percent(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** From `least` to `most` values. */
  some<T>(values: readonly T[], least: number, most: number): T[] {
    const count = least + this.below(most - least + 1);
    return Array.from({ length: count }, () => this.of(values));
  }
}
