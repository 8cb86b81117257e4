// The place that a query is told, beside the order in which queries really start: P1 and P2 of queries-ahead.ts, B2 and B3
// of turns-before.ts. A failure prints the seed: REPLAY=17 runs only that one, SEEDS=5000 runs more.
import { queryId, type Random, randomInt, seededRandom } from '@tutti/base';
import { LoneCoordinator } from './testing/lone-coordinator.js';

const { REPLAY, SEEDS = '150' } = process.env;
const seeds = REPLAY === undefined ? Array.from({ length: Number(SEEDS) }, (_, index) => index + 1) : [Number(REPLAY)];

type Policies = readonly string[];

/** Groups of up to three levels below a root that is what limits them all, and its leaves. */
function randomGroups(random: Random, policies: Policies): { groups: string[]; leaves: string[] } {
  const groups: string[] = [];
  const leaves: string[] = [];
  const grow = (path: string, depth: number): void => {
    const policy = policies[randomInt(random, policies.length)] ?? '';
    const limit = depth === 0 ? 1 + randomInt(random, 6) : 100;
    groups.push(`${path}=${limit}/1000,policy=${policy},weight=${1 + randomInt(random, 4)}`);
    const below = depth === 0 ? 2 + randomInt(random, 3) : depth < 3 && random() < 0.4 ? 1 + randomInt(random, 3) : 0;
    if (below === 0) leaves.push(path);
    for (let child = 0; child < below; child++) grow(`${path}.g${child}`, depth + 1);
  };
  grow('root', 0);
  return { groups, leaves };
}

/** How far the place of each waiting query was from the one that it was told, in the order in which they started. */
function errorsOf(seed: number, policies: Policies): number[] {
  const random = seededRandom(seed);
  const { groups, leaves } = randomGroups(random, policies);
  const coordinator = new LoneCoordinator(...groups);
  const submit = (): void => {
    coordinator.submit(leaves[randomInt(random, leaves.length)] ?? '', 1 + randomInt(random, 4));
  };
  const endOne = (): void => {
    const running = [...coordinator.running.keys()];
    coordinator.finish(running[randomInt(random, running.length)] ?? '');
  };
  for (let step = 0; step < 60; step++) {
    if (random() < 0.65 || coordinator.running.size === 0) submit();
    else endOne();
  }
  const told = new Map<string, number>();
  for (const query of coordinator.tree.queuedInOrder()) {
    const why = coordinator.tree.explain(queryId(query.queryId), coordinator.now);
    expect(why).toMatchObject({ kind: 'concurrencyLimit', blockingGroup: 'root' });
    expect(why?.message).not.toContain('up to');
    told.set(query.queryId, why?.position ?? 0);
  }
  const startedBefore = coordinator.started.length;
  while (coordinator.started.length < startedBefore + told.size) endOne();
  const order = coordinator.started.slice(startedBefore);
  return order.map(({ id }, index) => (told.get(id) ?? 0) - (index + 1));
}

describe('the place of a waiting query', () => {
  it.each([['fair'], ['query_priority']])('is the one at which it starts: %s, at any depth', (policy) => {
    for (const seed of seeds) {
      const errors = errorsOf(seed, [policy]);
      expect({ seed, errors }).toEqual({ seed, errors: errors.map(() => 0) });
    }
  });

  // What ends is not known before, and under weighted_fair what runs is the order (B3): so it is right on average.
  it.each([
    [['weighted'], 0.2],
    [['weighted_fair'], 1.5],
    [['fair', 'weighted', 'weighted_fair', 'query_priority'], 0.5],
  ])('is about the one at which it starts: %j, off by less than %d on average', (policies, offMax) => {
    const off = seeds.flatMap((seed) => errorsOf(seed, policies).map(Math.abs));
    expect(off.length).toBeGreaterThan(seeds.length);
    if (REPLAY === undefined) expect(off.reduce((sum, one) => sum + one, 0) / off.length).toBeLessThan(offMax);
  });
});
