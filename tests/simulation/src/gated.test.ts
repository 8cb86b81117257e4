import type { Instant } from '@tutti/base';
import type { UsageSnapshot, WaitExplanation } from '@tutti/resource-groups';
import {
  burst,
  burstOnTree,
  coordinatorCrash,
  freeze,
  FULL_QUEUES_LOOKS_MS,
  fullQueues,
  gatedPlan,
  type GatedSizes,
  type GatedWorld,
  limitOne,
  longQueue,
  maxQueuedOf,
  resourceManagerCrashes,
  shortQueries,
  steadyLoad,
} from './plans/gated-worlds.js';
import { START_MS } from './plans/load.js';
import { CALM, LOSSY } from './plans/network-faults.js';
import { limitReloads, richBurst, richReloads } from './plans/rich-worlds.js';
import { runsAll, seeds } from './testing-seeds.js';
import type { SimQuery } from './world/sim-query.js';
import type { SimWorld } from './world/sim-world.js';
import { type Outcome, runPlan, type RunOptions } from './world/run-plan.js';

const run = (world: GatedWorld, seed: number, sizes: GatedSizes = {}, options: RunOptions = {}): Outcome =>
  runPlan(gatedPlan(world, seed, sizes), options);

/** Runs the worlds; `slack` tells by how much a group may be over its limit. Returns in how many one was. */
function checkWorlds(world: GatedWorld, count: number, slack: (coordinators: number) => number): number {
  let breached = 0;
  for (const seed of seeds(count)) {
    const plan = gatedPlan(world, seed);
    const { violations, violationCount } = runPlan(plan);
    const bad = violations.find(({ rule, over }) => rule !== 'A1' || over > slack(plan.coordinators));
    if (bad !== undefined) throw new Error(`${JSON.stringify(bad)} (REPLAY ${seed})`);
    if (violationCount > 0) breached++;
  }
  return breached;
}

const exactly = (): number => 0;
const lossy = (world: GatedWorld): GatedWorld => ({ ...world, network: LOSSY });

describe('gated, with one resource manager: no group ever runs more than its limit, and every query ends', () => {
  it.each<[string, GatedWorld, number]>([
    ['one query on each coordinator and room for one', limitOne, 80],
    ['a burst on all coordinators at once', burst, 30],
    ['the same when messages are lost', lossy(burst), 30],
    ['a burst on a tree of groups, with cancels', burstOnTree, 30],
    ['the same when messages are lost', lossy(burstOnTree), 30],
    ['a steady load above what the groups can do', steadyLoad, 15],
    ['a coordinator that stops and goes on when nobody counts on it any more', lossy(freeze), 40],
    ['a coordinator that dies, with tasks that run on', lossy(coordinatorCrash), 40],
    ['groups of all policies and limits, with priorities', richBurst, 40],
    ['the same when messages are lost', lossy(richBurst), 30],
    ['the same while policies, weights and soft limits change', richReloads, 40],
  ])('%s', (_, world, count) => {
    expect(checkWorlds(world, count, exactly)).toBe(0);
  });
});

describe('gated, while resource managers come and go', () => {
  it('a group runs at most one query more per other coordinator, and every query ends', () => {
    const breached = checkWorlds(resourceManagerCrashes, 20, (coordinators) => coordinators - 1);
    // Two orders of claims meet in few worlds: a change that makes it many is no small change.
    if (runsAll) expect(breached).toBeLessThanOrEqual(seeds(20).length / 10);
  });
});

describe('gated, while coordinators take in other limits one after another', () => {
  it('no group runs more than the greatest limit that anybody keeps to, and every query ends', () => {
    expect(checkWorlds(limitReloads, 30, exactly)).toBe(0);
  });
});

describe('a waiting query in mode gated', () => {
  it('says how many are ahead: never too few, and just as many when it does not say "up to" (F9)', () => {
    let exact = 0;
    for (const seed of seeds(15)) {
      const said = new Map<string, WaitExplanation>();
      let queries: readonly SimQuery[] = [];
      const onWorld = (world: SimWorld): void => {
        ({ queries } = world);
        world.time.after(START_MS + 3_000, () => {
          for (const query of world.openQueries()) {
            const explanation = world.coordinators.find(({ name }) => name === query.at)?.explain(query);
            if (explanation !== undefined) said.set(query.name, explanation);
          }
        });
      };
      run(longQueue, seed, { limit: 1 }, { onWorld });
      const started = [...queries].sort((a, b) => a.startedAt - b.startedAt);
      const order = started.map(({ name }) => name).filter((name) => said.has(name));
      for (const [place, name] of order.entries()) {
        const { queuedAhead = -1, message = '' } = said.get(name) ?? {};
        const isExact = !message.includes('up to');
        const isWrong = isExact ? queuedAhead !== place : queuedAhead < place;
        if (isWrong) throw new Error(`${name} is number ${place}: ${message} (REPLAY ${seed})`);
        if (isExact) exact++;
      }
    }
    if (runsAll) expect(exact).toBeGreaterThan(seeds(15).length);
  });
});

describe('gated, when more queries come to all coordinators than may wait', () => {
  it.each<[string, GatedWorld, number]>([
    ['on a calm network just as many wait (F10)', { ...fullQueues, network: CALM }, 0.9],
    ['never more wait when messages are late and overtake each other', fullQueues, 0],
    ['never more wait when messages are lost', lossy(fullQueues), 0],
  ])('%s', (_, world, least) => {
    let [seen, allowed] = [0, 0];
    for (const seed of seeds(20)) {
      const limit = 1 + (seed % 6);
      let most = 0;
      const { violations } = run(
        world,
        seed,
        { limit },
        {
          onWorld: (world) => {
            for (const atMs of FULL_QUEUES_LOOKS_MS)
              world.time.after(atMs, () => {
                // Those that are about to start do not wait.
                most = Math.max(most, [...world.openQueries()].length - limit);
              });
          },
        },
      );
      if (most > maxQueuedOf(limit) || violations.length > 0)
        throw new Error(`${most} wait; ${JSON.stringify(violations[0])} (REPLAY ${seed})`);
      seen += most;
      allowed += maxQueuedOf(limit);
    }
    expect(seen / allowed).toBeGreaterThanOrEqual(least);
  });
});

describe('a slot that one coordinator gives back in mode gated', () => {
  it.each([
    [1, 2],
    [1, 3],
    [1, 5],
    [4, 3],
    [4, 5],
  ])('is taken by another within 25 ms in the mean: limit %i, %i coordinators (F12)', (limit, coordinators) => {
    for (const seed of seeds(5)) {
      let questionsPerSecond = 0;
      const { usableSlotMs, usedSlotMs, starts } = run(
        shortQueries,
        seed,
        { limit, coordinators },
        {
          onWorld: (world) =>
            world.time.after(START_MS + 300, () => {
              const questions = world.coordinators.reduce((sum, each) => sum + each.questions, 0);
              questionsPerSecond = questions / coordinators / 0.3;
            }),
        },
      );
      expect((usableSlotMs - usedSlotMs) / starts).toBeLessThan(25);
      expect(questionsPerSecond).toBeLessThan(200);
    }
  });
});

/** Worlds with a planted bug: what the coordinators are told is not what they should go by. */
describe('the checks catch a coordinator in mode gated that', () => {
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

  it.each<[string, GatedWorld, (usage: UsageSnapshot, now: Instant) => UsageSnapshot]>([
    ['overlooks claims that come before its own', limitOne, withoutClaims],
    ['overlooks them in a burst', burst, withoutClaims],
    ['overlooks what runs elsewhere', burstOnTree, withoutRunning],
    ['overlooks claims where groups have other limits too', richBurst, withoutClaims],
    ['overlooks what runs elsewhere there', richReloads, withoutRunning],
    ['counts the age of an answer from its arrival, and sends tasks without contact', lossy(freeze), asIfFresh],
  ])('%s', (_, world, tamper) => {
    const isBreached = (seed: number): boolean =>
      run(
        world,
        seed,
        {},
        { bugs: { tamper, ignoresContact: tamper === asIfFresh }, stopsAtViolation: true },
      ).violations.some(({ rule }) => rule === 'A1');
    if (runsAll) expect(seeds(40).some(isBreached)).toBe(true);
  });
});
