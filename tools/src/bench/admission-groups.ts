import { shardOfGroup } from '@tutti/resource-groups';
import type { Mode } from './admission-options.js';

/** The group whose limit is watched. */
export const BENCH_GROUP = 'bench';
/** What clients say to come into the group of probes. */
export const PROBE_SOURCE = 'probe';

/** A root group of the same shard, so that one owner deals both. */
export const PROBE_GROUP = sameShardAs(BENCH_GROUP, 'probe');

/** Probes of a new user need a slot that nobody holds yet: each tells whether slots are dealt. */
export const groupFileOf = (mode: Mode, limit: number): object => ({
  rootGroups: [
    {
      name: BENCH_GROUP,
      admissionMode: mode,
      hardConcurrencyLimit: limit,
      maxQueued: 1_000,
      schedulingPolicy: 'fair',
    },
    {
      name: PROBE_GROUP,
      admissionMode: mode,
      hardConcurrencyLimit: 100,
      maxQueued: 1_000,
      schedulingPolicy: 'fair',
      subGroups: [{ name: '${USER}', hardConcurrencyLimit: 1, maxQueued: 10 }],
    },
  ],
  selectors: [{ source: PROBE_SOURCE, group: `${PROBE_GROUP}.\${USER}` }, { group: BENCH_GROUP }],
});

export function sameShardAs(group: string, prefix: string): string {
  for (let number = 1; ; number++) {
    const name = `${prefix}-${number}`;
    if (shardOfGroup(name) === shardOfGroup(group)) return name;
  }
}
