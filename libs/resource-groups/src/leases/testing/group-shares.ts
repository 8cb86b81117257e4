import type { GroupSpec } from '../../group-config.js';
import { groupSpec } from '../../group-config.js';
import { LEASE_TIMING } from '../lease-timing.js';
import { LeaseWorld } from './lease-world.js';

export interface GroupSharesOptions {
  readonly seed?: number;
  readonly limit: number;
  readonly queryMs: number;
  readonly policy: GroupSpec['schedulingPolicy'];
  /** What differs from a plain group. */
  readonly groups: Readonly<Record<string, Partial<GroupSpec>>>;
  /** Where the queries of each group come to: always more than can run. */
  readonly coordinatorsOf: (group: string) => readonly string[];
  readonly seconds?: number;
}

/** The part of all starts that each group had, and the part of the limit that was used, where all have queues. */
export function groupShares(options: GroupSharesOptions): { shares: Record<string, number>; use: number } {
  const { seed = 1, limit, queryMs, policy, groups, coordinatorsOf, seconds = 20 } = options;
  const subGroups = Object.entries(groups).map(([name, spec]) =>
    groupSpec({ name, template: `r.${name}`, hardConcurrencyLimit: limit, maxQueued: 1e6, ...spec }),
  );
  const starts: Record<string, number> = {};
  let isCounting = false;
  const world = new LeaseWorld({
    ...{ seed, coordinators: 2, workers: 2, managers: 1, driftMax: 0, timing: LEASE_TIMING, placeMs: 0 },
    rootGroups: [
      groupSpec({ name: 'r', hardConcurrencyLimit: limit, maxQueued: 1e6, schedulingPolicy: policy, subGroups }),
    ],
    onEffect: (_, effect) => {
      if (effect.kind === 'started' && isCounting) starts[effect.query.group] = (starts[effect.query.group] ?? 0) + 1;
    },
  });
  world.slowCopyRate = 0;
  world.start();
  world.elect(world.manager('m1'));
  const { time, random } = world;
  for (const name of Object.keys(groups))
    for (const coordinator of coordinatorsOf(name)) {
      const group = `r.${name}`;
      const keepWaiting = (): void => {
        const process = world.coordinator(coordinator);
        while (process.waitingIn(group) < 2 * limit) process.submit(group, [[queryMs * (0.9 + 0.2 * random())]]);
        time.after(20, keepWaiting);
      };
      keepWaiting();
    }
  time.runUntil(3_000);
  isCounting = true;
  let [used, samples] = [0, 0];
  while (time.now < 3_000 + seconds * 1_000) {
    time.runUntil(time.now + 5);
    samples++;
    for (const { groups: running } of world.everybody()) for (const group of running) used += group.running;
  }
  const all = Object.values(starts).reduce((sum, count) => sum + count, 0);
  const shares = Object.keys(groups).map((name) => [name, (starts[`r.${name}`] ?? 0) / all] as const);
  return { shares: Object.fromEntries(shares), use: used / (samples * limit) };
}
