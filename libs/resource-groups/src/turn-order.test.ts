// RG-20, and each order beside a slow and obvious one. What it means for whole trees is in group-orders.test.ts.
import { type Random, randomInt, seededRandom } from '@tutti/base';
import { groupSpec, type SchedulingPolicy } from './group-config.js';
import { GroupNode } from './group-node.js';
import { type Turn, TurnOrder } from './turn-order.js';

const CLUSTER = { activeWorkers: 0, memoryBytes: 0 };

function child(name: string, schedulingWeight: number, running: number, options = {}): GroupNode {
  const spec = groupSpec({ name, hardConcurrencyLimit: 100, maxQueued: 100, schedulingWeight, ...options });
  const node = new GroupNode(name, spec, undefined, CLUSTER);
  node.here.running = running;
  return node;
}

/** Takes out the first. */
function poll(order: TurnOrder): string {
  const first = order.first;
  if (first === undefined) throw new Error('nobody is left');
  order.update(first.turn, false, true);
  return first.path;
}

describe('the order of turns', () => {
  it('weighted_fair: who has the least in proportion to its weight (RG-20)', () => {
    const order = new TurnOrder('weighted_fair');
    const [one, two, three] = [child('1', 1, 1), child('2', 2, 1), child('3', 3, 1)];
    for (const { turn } of [one, two, three]) order.update(turn, true, false);
    expect(poll(order)).toBe('3');
    one.spec = groupSpec({ ...one.spec, schedulingWeight: 4 });
    order.update(one.turn, true, false);
    expect(poll(order)).toBe('1');
    expect(poll(order)).toBe('2');
  });

  it('weighted_fair: two equal ones alternate when they come back (RG-20)', () => {
    const order = new TurnOrder('weighted_fair');
    const counts = new Map<string, number>();
    const nodes = [child('a', 1, 0), child('b', 1, 0)];
    for (const { turn } of nodes) order.update(turn, true, false);
    for (let round = 0; round < 1_000; round++) {
      const { first } = order;
      counts.set(poll(order), (counts.get(first?.path ?? '') ?? 0) + 1);
      if (first !== undefined) order.update(first.turn, true, false);
    }
    expect(counts).toEqual(new Map([['a', 500], ['b', 500]])); // prettier-ignore
  });

  it('who has fewer than its guarantee goes first, whatever the policy (T1)', () => {
    for (const policy of ['fair', 'weighted', 'weighted_fair'] as const) {
      const order = new TurnOrder(policy);
      const [heavy, promised] = [child('heavy', 100, 0), child('promised', 1, 2, { guarantee: 3 })];
      for (const { turn } of [heavy, promised]) order.update(turn, true, false);
      expect(order.first).toBe(promised);
      promised.here.running = 3;
      order.update(promised.turn, true, false);
      expect(order.first).toBe(heavy);
    }
  });

  it('weighted: who is below its softConcurrencyLimit goes first (T3)', () => {
    const order = new TurnOrder('weighted');
    const [above, below] = [child('above', 9, 2, { softConcurrencyLimit: 2 }), child('below', 1, 1)];
    for (const { turn } of [above, below]) order.update(turn, true, false);
    expect(order.first).toBe(below);
  });

  it('weighted: who waited for nothing gains nothing (T3)', () => {
    const order = new TurnOrder('weighted');
    const [early, late] = [child('early', 1, 0), child('late', 1, 0)];
    order.update(early.turn, true, false);
    for (let round = 0; round < 100; round++) order.update(early.turn, true, true);
    order.update(late.turn, true, false);
    const picked: string[] = [];
    for (let round = 0; round < 20; round++) {
      const { first } = order;
      picked.push(first?.path ?? '');
      if (first !== undefined) order.update(first.turn, true, true);
    }
    expect(picked.filter((path) => path === 'early')).toHaveLength(10);
  });

  it.each<SchedulingPolicy>(['fair', 'weighted', 'weighted_fair'])(
    '%s: is the same as sorting anew each time',
    (policy) => {
      for (let seed = 1; seed <= 20; seed++) compareWithNaive(policy, seededRandom(seed));
    },
  );
});

/** Beside the real order, a list that is searched as a whole. Places are those that the policy gave. */
function compareWithNaive(policy: SchedulingPolicy, random: Random): void {
  const order = new TurnOrder(policy);
  const nodes = Array.from({ length: 12 }, (_, index) =>
    child(`g${index}`, 1 + randomInt(random, 4), 0, { guarantee: randomInt(random, 2), softConcurrencyLimit: 3 }),
  );
  const inOrder = new Set<Turn>();
  for (let step = 0; step < 400; step++) {
    const node = nodes[randomInt(random, nodes.length)];
    if (node === undefined) continue;
    node.here.running = randomInt(random, 5);
    const canClaim = random() < 0.8;
    order.update(node.turn, canClaim, false);
    if (canClaim) inOrder.add(node.turn);
    else inOrder.delete(node.turn);
    const [best] = [...inOrder].sort((a, b) => a.tier - b.tier || a.rank - b.rank || a.age - b.age);
    expect(order.first).toBe(best?.node);
    if (best !== undefined && random() < 0.5) order.update(best, true, true);
  }
}
