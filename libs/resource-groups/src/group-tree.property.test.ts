// Random walks. A failure prints the seed: REPLAY=17 npx nx test resource-groups runs only that one, SEEDS=5000 runs more.
import { TreeWalk } from './testing/tree-walk.js';

const { REPLAY, SEEDS = '150' } = process.env;
const STEPS = 250;

describe('the group tree beside a slow and obvious one', () => {
  it(`keeps its rules, loses nothing, and lets no slot idle, over ${SEEDS} random walks`, () => {
    const sums = { starts: 0, rejects: 0, reselects: 0 };
    const count = Number(REPLAY ?? SEEDS);
    for (let seed = REPLAY === undefined ? 1 : count; seed <= count; seed++) {
      const walk = new TreeWalk(seed);
      for (let step = 0; step < STEPS; step++) walk.step();
      walk.settle();
      sums.starts += walk.starts;
      sums.rejects += walk.rejects;
      sums.reselects += walk.reselects;
    }
    if (REPLAY !== undefined) return;
    expect(sums.starts).toBeGreaterThan(count * 10);
    expect(sums.rejects).toBeGreaterThan(count);
    expect(sums.reselects).toBeGreaterThan(count / 2);
  });
});
