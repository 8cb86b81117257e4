// Whole clusters from seeds. A failure prints the seed: REPLAY=17 runs only that one, and SEEDS=5000 runs more of them.
const { REPLAY, SEEDS } = process.env;

/** Whether all seeds run, so that counts over them mean something. */
export const runsAll = REPLAY === undefined;

export function seeds(count: number): number[] {
  if (REPLAY !== undefined) return [Number(REPLAY)];
  return Array.from({ length: SEEDS === undefined ? count : Number(SEEDS) }, (_, index) => index + 1);
}
