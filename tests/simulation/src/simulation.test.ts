// Whole clusters from seeds. A failure prints the seed: REPLAY=17 npx nx test simulation-tests runs only that one, and
// SEEDS=5000 runs more of them.
import type { Instant } from '@tutti/base';
import type { UsageSnapshot } from '@tutti/resource-groups';
import { limitReloads, richBurst, richReloads } from './rich-scenarios.js';
import { calmNetwork } from './sim-network.js';
import {
  burst,
  burstOnTree,
  coordinatorCrash,
  freeze,
  fullQueues,
  limitOne,
  longQueue,
  lossyNetwork,
  maxQueuedOf,
  resourceManagerCrashes,
  runWorld,
  type Scenario,
  shortQueries,
  START_MS,
  steadyLoad,
} from './scenarios.js';

const { REPLAY, SEEDS } = process.env;

function seeds(count: number): number[] {
  if (REPLAY !== undefined) return [Number(REPLAY)];
  return Array.from({ length: SEEDS === undefined ? count : Number(SEEDS) }, (_, index) => index + 1);
}

/** Runs the worlds; `slack` tells by how much a group may be over its limit. Returns in how many one was. */
function checkWorlds(scenario: Scenario, count: number, slack: (coordinatorCount: number) => number): number {
  let breached = 0;
  for (const seed of seeds(count)) {
    const { cluster, unfinished } = runWorld(scenario, seed);
    const most = slack(cluster.coordinators.length);
    const breach = cluster.breaches.find(({ running, limit }) => running > limit + most);
    if (breach !== undefined) throw new Error(`${JSON.stringify(breach)} (REPLAY ${seed})`);
    if (unfinished > 0) throw new Error(`${unfinished} queries never ended (REPLAY ${seed})`);
    if (cluster.breaches.length > 0) breached++;
  }
  return breached;
}

const exactly = (): number => 0;

describe('with one resource manager no group ever runs more than its limit, and every query ends', () => {
  it.each<[string, Scenario, number]>([
    ['one query on each coordinator and room for one', limitOne, 200],
    ['a burst on all coordinators at once', burst, 150],
    ['the same when messages are lost', { ...burst, faults: lossyNetwork }, 100],
    ['a burst on a tree of groups, with cancels', burstOnTree, 150],
    ['the same when messages are lost', { ...burstOnTree, faults: lossyNetwork }, 100],
    ['a steady load above what the groups can do', steadyLoad, 60],
    ['a coordinator that stops and goes on when nobody counts on it any more', freeze, 100],
    ['a coordinator that dies, with tasks that run on', coordinatorCrash, 100],
    ['groups of all policies and limits, with priorities', richBurst, 100],
    ['the same when messages are lost', { ...richBurst, faults: lossyNetwork }, 50],
    ['the same while policies, weights and soft limits change', richReloads, 100],
  ])('%s', (_, scenario, count) => {
    expect(checkWorlds(scenario, count, exactly)).toBe(0);
  });
});

describe('while resource managers come and go', () => {
  it('a group runs at most one query more per other coordinator, and every query ends', () => {
    const breached = checkWorlds(resourceManagerCrashes, 100, (coordinatorCount) => coordinatorCount - 1);
    // Two orders of claims meet in few worlds: a change that makes it many is no small change.
    if (REPLAY === undefined) expect(breached).toBeLessThanOrEqual(seeds(100).length / 20);
  });
});

describe('while coordinators take in other limits one after another', () => {
  it('no group runs more than the greatest limit that anybody keeps to, and every query ends', () => {
    expect(checkWorlds(limitReloads, 100, exactly)).toBe(0);
  });
});

describe('a waiting query', () => {
  it('says how many are ahead: never too few, and just as many when it does not say "up to" (F9)', () => {
    let exact = 0;
    for (const seed of seeds(40)) {
      const { cluster } = runWorld(longQueue, seed, { limit: 1 });
      const order = cluster.started.filter((id) => cluster.explanations.has(id));
      for (const [place, id] of order.entries()) {
        const { queuedAhead = -1, message = '' } = cluster.explanations.get(id) ?? {};
        const isExact = !message.includes('up to');
        const isWrong = isExact ? queuedAhead !== place : queuedAhead < place;
        if (isWrong) throw new Error(`${id} is number ${place}: ${message} (REPLAY ${seed})`);
        if (isExact) exact++;
      }
    }
    if (REPLAY === undefined) expect(exact).toBeGreaterThan(seeds(40).length);
  });
});

describe('when more queries come to all coordinators than may wait', () => {
  it.each<[string, Scenario, number]>([
    ['on a calm network just as many wait (F10)', { ...fullQueues, faults: calmNetwork }, 0.9],
    ['never more wait when messages are late and overtake each other', fullQueues, 0],
    ['never more wait when messages are lost', { ...fullQueues, faults: lossyNetwork }, 0],
  ])('%s', (_, scenario, least) => {
    let [seen, allowed] = [0, 0];
    for (const seed of seeds(40)) {
      const limit = 1 + (seed % 6);
      const { cluster, unfinished } = runWorld(scenario, seed, { limit });
      const most = Math.max(...cluster.waitingSeen);
      if (most > maxQueuedOf(limit) || unfinished > 0)
        throw new Error(`${most} wait, not ended ${unfinished} (REPLAY ${seed})`);
      seen += most;
      allowed += maxQueuedOf(limit);
    }
    expect(seen / allowed).toBeGreaterThanOrEqual(least);
  });
});

describe('a slot that one coordinator gives back', () => {
  it.each([
    [1, 2],
    [1, 3],
    [1, 5],
    [4, 3],
    [4, 5],
  ])('is taken by another within 25 ms in the mean: limit %i, %i coordinators (F12)', (limit, coordinatorCount) => {
    for (const seed of seeds(10)) {
      const { cluster } = runWorld(shortQueries, seed, { limit, coordinatorCount });
      expect(cluster.pickupMs).toBeLessThan(25);
      expect(cluster.questionsPerSecond(START_MS)).toBeLessThan(150);
    }
  });
});

/** Worlds with a planted bug: what the coordinators are told is not what they should go by. */
describe('the checks catch a coordinator that', () => {
  const withoutClaims = (usage: UsageSnapshot): UsageSnapshot => ({
    ...usage,
    groups: new Map([...usage.groups].map(([path, group]) => [path, { ...group, claimsAhead: [] }])),
  });
  const withoutRunning = (usage: UsageSnapshot): UsageSnapshot => ({
    ...usage,
    groups: new Map([...usage.groups].map(([path, group]) => [path, { ...group, running: 0 }])),
  });
  const asIfFresh = (usage: UsageSnapshot, now: Instant): UsageSnapshot => ({
    ...usage,
    requestedAt: now,
    oldestDataAgeMs: 0,
  });

  it.each<[string, Scenario, (usage: UsageSnapshot, now: Instant) => UsageSnapshot]>([
    ['overlooks claims that come before its own', limitOne, withoutClaims],
    ['overlooks them in a burst', burst, withoutClaims],
    ['overlooks what runs elsewhere', burstOnTree, withoutRunning],
    ['overlooks claims where groups have other limits too', richBurst, withoutClaims],
    ['overlooks what runs elsewhere there', richReloads, withoutRunning],
    ['counts the age of an answer from its arrival', freeze, asIfFresh],
  ])('%s', (_, scenario, tamper) => {
    const breached = seeds(40).filter((seed) => runWorld(scenario, seed, { tamper }).cluster.breaches.length > 0);
    if (REPLAY === undefined) expect(breached.length).toBeGreaterThan(0);
  });
});
