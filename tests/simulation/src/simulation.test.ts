// Whole clusters from seeds. A failure prints the seed: REPLAY=17 npx nx test simulation-tests runs only that one, and
// SEEDS=5000 runs more of them.
import type { Instant } from '@tutti/base';
import type { UsageSnapshot } from '@tutti/resource-groups';
import {
  burst,
  burstOnTree,
  coordinatorCrash,
  freeze,
  limitOne,
  lossyNetwork,
  resourceManagerCrashes,
  runWorld,
  type Scenario,
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
    ['counts the age of an answer from its arrival', freeze, asIfFresh],
  ])('%s', (_, scenario, tamper) => {
    const breached = seeds(40).filter((seed) => runWorld(scenario, seed, tamper).cluster.breaches.length > 0);
    if (REPLAY === undefined) expect(breached.length).toBeGreaterThan(0);
  });
});
