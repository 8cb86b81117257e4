import { groupSpec } from '../../group-config.js';
import { LEASE_TIMING } from '../lease-timing.js';
import { LeaseWorld } from './lease-world.js';

export interface SlotUseOptions {
  readonly seed?: number;
  readonly limit?: number;
  readonly coordinators?: number;
  /** Queries take from half to one and a half of this. */
  readonly queryMs: number;
  /** What comes, as a part of what the limit lets through. */
  readonly load: number;
  /** So many times as much comes to the first coordinator as to each other. */
  readonly skew?: number;
  /** From one process to another. */
  readonly delayMs?: number;
  readonly seconds?: number;
  /** What is not counted, at the beginning. */
  readonly warmUpSeconds?: number;
}

/** How slots of one group were used, in a world without faults and with 1 ms to go from one process to another. */
export interface SlotUse {
  /** The part of the limit that was taken by started queries, until their end was known to their coordinator. */
  readonly use: number;
  readonly starts: number;
  /** The part of the queries that started as they came: without any message. */
  readonly startedAtOnce: number;
  readonly waitP99Ms: number;
  /** The mean wait of the queries of each coordinator. */
  readonly meanWaitsMs: readonly number[];
  readonly messagesPerStart: number;
}

const SAMPLE_MS = 5;
/** More than so many do not come to wait at one coordinator. */
const WAITING_MAX = 200;

export function slotUse(options: SlotUseOptions): SlotUse {
  const { seed = 1, limit = 64, coordinators = 8, queryMs, load, skew = 1, seconds = 20, warmUpSeconds = 5 } = options;
  const waits: { readonly name: string; readonly ms: number }[] = [];
  let isCounting = false;
  const world = quietWorld({ seed, coordinators, limit }, (name, ms) => {
    if (isCounting) waits.push({ name, ms });
  });
  if (options.delayMs !== undefined) world.network.faults = { ...world.network.faults, delayMs: options.delayMs };
  const { time, random } = world;
  const perSecond = (load * limit * 1_000) / queryMs;
  world.coordinators.forEach((coordinator, index) => {
    const share = (index === 0 ? skew : 1) / (skew + coordinators - 1);
    const arrive = (): void => {
      if (coordinator.waitingIn('a') < WAITING_MAX) coordinator.submit('a', [[queryMs * (0.5 + random())]]);
      time.after((-1_000 * Math.log(1 - random())) / (perSecond * share), arrive);
    };
    time.after(500 * random(), arrive);
  });
  time.runUntil(warmUpSeconds * 1_000);
  isCounting = true;
  const messagesBefore = world.checks.messages;
  let [samples, used] = [0, 0];
  const endMs = time.now + seconds * 1_000;
  while (time.now < endMs) {
    time.runUntil(time.now + SAMPLE_MS);
    samples++;
    for (const { groups } of world.everybody()) used += groups[0]?.running ?? 0;
  }
  const sorted = waits.map(({ ms }) => ms).sort((a, b) => a - b);
  const starts = sorted.length;
  return {
    ...{ use: used / (samples * limit), starts },
    startedAtOnce: sorted.filter((ms) => ms === 0).length / starts,
    waitP99Ms: sorted[Math.floor(0.99 * starts)] ?? 0,
    meanWaitsMs: world.coordinators.map(({ name }) => mean(waits.filter((wait) => wait.name === name))),
    messagesPerStart: (world.checks.messages - messagesBefore) / starts,
  };
}

/**
 * How long it took, for each slot of c1 whose query ended, until a query that waited at c2 had one: c1 has taken the whole
 * limit, and nothing waits there any more.
 */
export function handOverMs(seed: number, limit = 16): number[] {
  const startedAt: number[] = [];
  const world = quietWorld({ seed, coordinators: 2, limit }, (name) => {
    if (name === 'c2') startedAt.push(world.time.now);
  });
  const { time, random } = world;
  time.runUntil(2_000);
  for (let count = 0; count < limit; count++) world.coordinator('c1').submit('a', [[500 + 2_000 * random()]]);
  time.runUntil(2_200);
  for (let count = 0; count < limit; count++) world.coordinator('c2').submit('a', [[10_000]]);
  const endedAt: number[] = [];
  while (time.now < 6_000) {
    const before = world.everybody()[0]?.groups[0]?.running ?? 0;
    time.runUntil(time.now + 0.25);
    const after = world.everybody()[0]?.groups[0]?.running ?? 0;
    for (let ended = after; ended < before; ended++) endedAt.push(time.now);
  }
  return startedAt.map((at, index) => at - (endedAt[index] ?? Infinity));
}

/** Coordinators with a group `a` whose owner is known. */
function quietWorld(
  { seed, coordinators, limit }: { readonly seed: number; readonly coordinators: number; readonly limit: number },
  started: (name: string, waitedMs: number) => void,
): LeaseWorld {
  const world = new LeaseWorld({
    ...{ seed, coordinators, workers: 2, managers: 1, driftMax: 0, timing: LEASE_TIMING, placeMs: 0 },
    rootGroups: [groupSpec({ name: 'a', hardConcurrencyLimit: limit, maxQueued: 1e6 })],
    onEffect: ({ name }, effect) => {
      if (effect.kind === 'started') started(name, world.time.now - effect.query.submittedAt);
    },
  });
  world.slowCopyRate = 0;
  world.start();
  world.elect(world.manager('m1'));
  return world;
}

const mean = (waits: readonly { readonly ms: number }[]): number =>
  Math.round(waits.reduce((sum, { ms }) => sum + ms, 0) / Math.max(1, waits.length));

/**
 * Four coordinators with queues, one of which stands still for 9 s while it holds its part: of what the others could use, the
 * part that they did, from 1.5 s after that on.
 */
export function useBesideFrozen(limit: number, seed: number): number {
  const world = quietWorld({ seed, coordinators: 4, limit }, () => {});
  const { time, random } = world;
  for (const coordinator of world.coordinators) {
    const keepWaiting = (): void => {
      while (coordinator.waitingIn('a') < limit) coordinator.submit('a', [[250 + 500 * random()]]);
      time.after(50, keepWaiting);
    };
    keepWaiting();
  }
  time.runUntil(5_000);
  const frozen = world.coordinator('c4');
  const heldByFrozen = frozen.holder.explain('a', frozen.now())?.held ?? 0;
  frozen.pause();
  time.runUntil(6_500);
  let [used, samples] = [0, 0];
  while (time.now < 14_000) {
    time.runUntil(time.now + SAMPLE_MS);
    samples++;
    for (const { name, groups } of world.everybody()) if (name !== 'c4') used += groups[0]?.running ?? 0;
  }
  return used / (samples * (limit - heldByFrozen));
}
