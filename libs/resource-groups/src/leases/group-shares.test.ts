// How a full group is divided among the groups below it, in virtual time: two coordinators, 1 ms from one process to another.
import { groupShares, type GroupSharesOptions } from './testing/group-shares.js';

const places: Record<string, GroupSharesOptions['coordinatorsOf']> = {
  'all on one coordinator': () => ['c1'],
  'one group here, the others there': (group) => (group === 'a' ? ['c1'] : ['c2']),
  'all on both': () => ['c1', 'c2'],
};

const cases: Record<
  string,
  Pick<GroupSharesOptions, 'limit' | 'policy' | 'groups'> & { parts: Record<string, number> }
> = {
  'weighted 1 to 4': {
    ...{ limit: 8, policy: 'weighted', parts: { a: 0.2, b: 0.8 } },
    groups: { a: { schedulingWeight: 1 }, b: { schedulingWeight: 4 } },
  },
  'weighted fair 1 to 3': {
    ...{ limit: 8, policy: 'weighted_fair', parts: { a: 0.25, b: 0.75 } },
    groups: { a: { schedulingWeight: 1 }, b: { schedulingWeight: 3 } },
  },
  'fair among three': {
    ...{ limit: 6, policy: 'fair', parts: { a: 1 / 3, b: 1 / 3, c: 1 / 3 } },
    groups: { a: {}, b: {}, c: {} },
  },
  'fair, six of eight guaranteed to one': {
    ...{ limit: 8, policy: 'fair', parts: { a: 0.75, b: 0.125, c: 0.125 } },
    groups: { a: { guarantee: 6 }, b: {}, c: {} },
  },
  'weighted, who is below its softConcurrencyLimit first': {
    ...{ limit: 8, policy: 'weighted', parts: { a: 0.25, b: 0.75 } },
    groups: { a: { schedulingWeight: 4, softConcurrencyLimit: 2 }, b: { schedulingWeight: 1 } },
  },
};

describe.each(Object.entries(cases))('%s', (_, { parts, ...options }) => {
  it.each(Object.entries(places))('comes out as configured and leaves no slot idle: %s', (_place, coordinatorsOf) => {
    for (const queryMs of [200, 500]) {
      const { shares, use } = groupShares({ ...options, coordinatorsOf, queryMs });
      for (const [group, part] of Object.entries(parts))
        expect(Math.abs((shares[group] ?? 0) - part)).toBeLessThan(0.03);
      expect(use).toBeGreaterThan(0.97);
    }
  });
});
