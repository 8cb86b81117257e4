/** A source of chance: numbers in [0, 1). Passed in wherever chance is needed, so that a seed repeats a run. */
export type Random = () => number;

/** The same numbers for the same seed. Algorithm: mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A random integer in [0, below). */
export const randomInt = (random: Random, below: number): number => Math.floor(random() * below);

/** `ms` moved by up to `fraction` of itself to either side, so that nodes do not act in step. */
export const jittered = (random: Random, ms: number, fraction: number): number =>
  ms * (1 + fraction * (2 * random() - 1));
