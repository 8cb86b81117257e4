// Random walks in leased mode. A failure prints the seed: REPLAY=17 npx nx test resource-groups runs only that one,
// SEEDS=5000 runs more.
import { LeasedWalk } from './testing/leased-walk.js';

const { REPLAY, SEEDS = '60' } = process.env;
const STEPS = 250;

describe('the group tree in leased mode, beside what the messages alone allow', () => {
  it(`runs what it holds and nothing more, and loses nothing, over ${SEEDS} random walks`, () => {
    const sums = { starts: 0, requeues: 0, reselects: 0, rejects: 0, startsWithoutMessage: 0 };
    const count = Number(REPLAY ?? SEEDS);
    for (let seed = REPLAY === undefined ? 1 : count; seed <= count; seed++) {
      const walk = new LeasedWalk(seed);
      for (let step = 0; step < STEPS; step++) walk.step();
      walk.settle();
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += walk.model.counts[name];
    }
    if (REPLAY !== undefined) return;
    expect(sums.starts).toBeGreaterThan(count * 10);
    expect(sums.requeues).toBeGreaterThan(count);
    expect(sums.rejects).toBeGreaterThan(count / 2);
    expect(sums.startsWithoutMessage).toBeGreaterThan(count);
  });
});
