import { type Random, randomInt } from '@tutti/base';
import type { GroupConfig, SchedulingPolicy } from '@tutti/resource-groups';
import { OWNER, type PlannedFault, type PlannedQuery } from '../world/planned.js';
import { anyOf, everybodyIn, namesOf, some } from './faults.js';
import { configOf, leavesOf, type SimGroup } from './groups.js';
import { arrivals, START_MS } from './load.js';
import { LOSSY, ROUGH, STORMY } from './network-faults.js';
import type { Draft } from './scenarios.js';

const STORM_MS = 24_000;
/** So that what piled up in the storm has mostly ended after a minute. */
const LOAD_END_MS = 54_000;
const POLICIES: readonly SchedulingPolicy[] = ['fair', 'weighted', 'weighted_fair', 'query_priority'];

/** Three root groups of all sizes and policies, so that there are several owners. The greatest has the limit of the run. */
export function chaosGroups({ random, mode, limit }: Draft): GroupConfig {
  const group = (name: string, size: number, subGroups: SimGroup[] = []): SimGroup => ({
    ...{ name, limit: Math.max(1, size), schedulingPolicy: anyOf(random, POLICIES), subGroups },
    ...{ schedulingWeight: 1 + randomInt(random, 3), guarantee: randomInt(random, 2) },
  });
  const people = group('people', limit * 0.6, [group('adhoc', limit * 0.4), group('dashboard', limit * 0.5)]);
  const batch = group('batch', 1 + randomInt(random, 8), [group('x', 1 + randomInt(random, 5)), group('y', 3)]);
  return configOf(
    mode,
    group('global', limit, [group('etl', limit * 0.7), people]),
    batch,
    group('tiny', 1 + randomInt(random, 3)),
  );
}

/** Queries of all kinds, to some coordinators more than to others; in some groups more than may run. */
export function chaosLoad({ random, coordinators, limit, queryMs }: Draft, config: GroupConfig): PlannedQuery[] {
  const place = (chance: Random): number => Math.floor(coordinators * chance() ** 1.5);
  const more = (chance: Random): Partial<PlannedQuery> => ({
    ...{ priority: 1 + randomInt(chance, 3), tasks: chance() < 0.8 ? 1 : 2 },
    ...(chance() < 0.05 && { cancelAfterMs: 2_000 * chance() }),
  });
  const leaves = leavesOf(config);
  const [big, small] = [
    leaves.filter((leaf) => leaf.startsWith('global')),
    leaves.filter((leaf) => !leaf.startsWith('global')),
  ];
  const common = { fromMs: START_MS, toMs: LOAD_END_MS, place, more };
  const factor = anyOf(random, [0.4, 0.6, 0.8, 1]);
  return [
    ...arrivals(random, { ...common, slots: limit * factor, meanMs: queryMs, leaves: big }),
    ...arrivals(random, { ...common, slots: 5, meanMs: queryMs / 2, leaves: small }),
  ];
}

interface Chaos {
  readonly faults: readonly PlannedFault[];
  readonly datagrams: boolean;
  readonly isFirstStart: boolean;
}

/** A storm: everything that can go wrong, one after another and at once. */
export function chaosFaults(draft: Draft, config: GroupConfig): Chaos {
  const { random } = draft;
  const bad = anyOf(random, [undefined, undefined, ROUGH, LOSSY]);
  const faults: PlannedFault[] = bad ? [{ kind: 'network', atMs: 0, forMs: STORM_MS, faults: bad }] : [];
  const meanGapMs = anyOf(random, [500, 1_000, 2_500]);
  for (let atMs = 5_000 + meanGapMs * random(); atMs < STORM_MS; atMs += 2 * meanGapMs * random())
    faults.push(anyFault(draft, config, atMs));
  return { faults, datagrams: random() < 0.25, isFirstStart: random() < 0.7 };
}

function anyFault(draft: Draft, config: GroupConfig, atMs: number): PlannedFault {
  const { random, coordinators, resourceManagers, workers } = draft;
  const everybody = everybodyIn(draft);
  const [cs, ms, ws] = [namesOf('c', coordinators), namesOf('m', resourceManagers), namesOf('w', workers)];
  const shortly = (most: number): number => Math.round(most * random() * (random() < 0.5 ? 0.2 : 1));
  const cut = (from: string[], to: string[], oneWay = false): PlannedFault => ({
    ...{ kind: 'cut', atMs, forMs: 100 + shortly(9_000), from, to, oneWay },
  });
  const crash = (target: string): PlannedFault => ({
    ...{ kind: 'crash', atMs, target, backAfterMs: 20 + shortly(6_000), isLoud: random() < 0.5 },
  });
  const pause = (target: string, most: number): PlannedFault => ({
    ...{ kind: 'pause', atMs, target, forMs: 50 + shortly(most), isSuspended: random() < 0.5 },
  });
  const kinds: readonly (() => PlannedFault)[] = [
    () => cut([anyOf(random, cs)], ms),
    () => cut([anyOf(random, cs)], everybody),
    () => cut([OWNER], cs),
    () => cut([OWNER], ms),
    () => cut([anyOf(random, ws)], everybody),
    () => cut([anyOf(random, ws)], ms),
    () => cut(some(random, everybody, 0.4), some(random, everybody, 0.6)),
    () => cut([anyOf(random, everybody)], [anyOf(random, everybody)], true),
    () => cut(some(random, everybody, 0.3), some(random, everybody, 0.5), true),
    () => ({ kind: 'network', atMs, forMs: 500 + shortly(6_000), faults: STORMY }),
    () => crash(anyOf(random, cs)),
    () => crash(anyOf(random, cs)),
    () => crash(anyOf(random, ms)),
    () => crash(OWNER),
    () => crash(OWNER),
    () => crash(anyOf(random, ws)),
    () => pause(anyOf(random, cs), 12_000),
    () => pause(anyOf(random, cs), 3_000),
    () => pause(OWNER, 6_000),
    () => pause(anyOf(random, ws), 6_000),
    () => ({
      kind: 'roll',
      atMs,
      target: anyOf(random, [...ms, OWNER, anyOf(random, cs)]),
      backAfterMs: shortly(3_000),
    }),
    () => ({ kind: 'reload', atMs, config: otherLimits(random, config), spreadMs: shortly(1_000) }),
    () => ({ kind: 'reload', atMs, config, spreadMs: shortly(1_000) }),
  ];
  return anyOf(random, kinds)();
}

/** Limits go up and down; now and then a group is deleted. */
function otherLimits(random: Random, config: GroupConfig): GroupConfig {
  const other = (spec: GroupConfig['rootGroups'][number]): GroupConfig['rootGroups'][number] => ({
    ...spec,
    hardConcurrencyLimit: Math.max(1, Math.ceil(spec.hardConcurrencyLimit * anyOf(random, [0.3, 0.7, 1, 1, 1.5]))),
    subGroups: spec.subGroups.map(other),
  });
  const kept = config.rootGroups.filter(({ name }) => name === 'global' || random() < 0.8);
  return { ...config, rootGroups: kept.map(other) };
}
