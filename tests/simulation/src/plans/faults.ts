import { type Random, randomInt } from '@tutti/base';
import { OTHERS, OWNER, type PlannedFault, type Target } from '../world/planned.js';
import type { Draft } from './scenarios.js';

export const namesOf = (letter: 'c' | 'm' | 'w', count: number): Target[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);

export const everybodyIn = ({ coordinators, resourceManagers, workers }: Draft): Target[] => [
  ...namesOf('c', coordinators),
  ...namesOf('m', resourceManagers),
  ...namesOf('w', workers),
];

/** Some of them: each with this chance. */
export const some = (random: Random, all: readonly Target[], chance: number): Target[] =>
  all.filter(() => random() < chance);

export const anyOf = <T>(random: Random, all: readonly T[]): T => all[randomInt(random, all.length)] as T;

const HALF_MINUTE_MS = 30_000;
const FROM_MS = 15_000;

/**
 * A partition of 30 s. In every other world the owner is alone with three coordinators, as in the models that the figures
 * are compared with; else the cluster is split in any way, or can talk one way only.
 */
export function splitsOf(draft: Draft): PlannedFault[] {
  const { random, coordinators, workers } = draft;
  const cut = (from: readonly Target[], to: readonly Target[], oneWay: boolean): PlannedFault => ({
    ...{ kind: 'cut', atMs: FROM_MS, forMs: HALF_MINUTE_MS, from, to, oneWay },
  });
  const kind = random();
  if (kind < 0.5) {
    const minority = namesOf('c', Math.min(3, coordinators - 1));
    const majority = namesOf('c', coordinators).filter((name) => !minority.includes(name));
    // Workers hear everybody here: what runs is bounded by admission alone.
    return [cut([OWNER], [OTHERS, ...majority], false), cut(minority, [OTHERS], false)];
  }
  const everybody = everybodyIn(draft);
  const one = some(random, everybody, 0.2 + 0.6 * random());
  const rest = everybody.filter((name) => !one.includes(name));
  if (kind < 0.8) return [cut(one, rest, false)];
  const [from, to] = random() < 0.5 ? [one, rest] : [rest, one];
  return kind < 0.9 ? [cut(from, to, true)] : [cut(some(random, namesOf('w', workers), 0.5), from, random() < 0.5)];
}

/** Processes that stand still or are suspended with their machine: coordinators for two leases, others for less. */
export function pausesOf(draft: Draft): PlannedFault[] {
  const { random, coordinators, resourceManagers, workers } = draft;
  const pause = (target: Target, atMs: number, forMs: number): PlannedFault => ({
    ...{ kind: 'pause', target, atMs, forMs, isSuspended: random() < 0.5 },
  });
  const others = [...namesOf('m', resourceManagers), ...namesOf('w', workers), OWNER];
  return [
    pause(anyOf(random, namesOf('c', coordinators)), 15_000 + 2_000 * random(), 20_000),
    pause(anyOf(random, namesOf('c', coordinators)), 18_000 + 2_000 * random(), 12_000 * random()),
    pause(anyOf(random, others), 20_000 + 5_000 * random(), 6_000 * random()),
  ];
}
