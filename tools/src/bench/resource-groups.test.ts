import { type GroupSpec, parseGroupConfig } from '@tutti/resource-groups';
import { Fifo } from './fifo.js';
import { groupFileText, leafTargets, THOUSAND_GROUPS } from './group-file-maker.js';
import { GroupLoad } from './group-load.js';
import { measureGroupSpeed, parsed } from './group-speed.js';

const SMALL = { departments: 4, teamsEach: 5, leavesEach: 5, runningMax: 100 };

const withAllBelow = (specs: readonly GroupSpec[]): GroupSpec[] =>
  specs.flatMap((spec) => [spec, ...withAllBelow(spec.subGroups)]);

describe('the file of the bench', () => {
  const [config, next] = [parsed(groupFileText(THOUSAND_GROUPS, 0)), parsed(groupFileText(THOUSAND_GROUPS, 1))];

  it('has 1,000 groups under all policies, some of them made for users', () => {
    const groups = withAllBelow(config.rootGroups);
    expect(groups).toHaveLength(1_000);
    expect(new Set(groups.map(({ schedulingPolicy }) => schedulingPolicy)).size).toBe(4);
    expect(groups.filter(({ isDynamic }) => isDynamic)).toHaveLength(18);
    expect(leafTargets(config)).toHaveLength(972);
    expect(config.selectors).toHaveLength(900);
  });

  it('has another edition with the same groups and other limits', () => {
    const [paths, nextPaths] = [config, next].map((edition) => leafTargets(edition).map(({ path }) => path));
    expect(nextPaths).toEqual(paths);
    expect(next.rootGroups).not.toEqual(config.rootGroups);
  });

  it('would be refused with a mistake in it', () => {
    expect(parseGroupConfig(groupFileText(SMALL).replace('"weighted_fair"', '"weigted"'))).toHaveProperty('problems');
    expect(() => parsed('{}')).toThrow();
  });
});

describe('the load', () => {
  it('keeps as many queries waiting as it was told, and ends as many as start', () => {
    const targets = leafTargets(parsed(groupFileText(SMALL)));
    const load = new GroupLoad({ machine: new Fifo(100), targets, queued: 500, eventsPerMs: 10, seed: 1 });
    load.fill();
    expect(load.runningCount).toBe(100);
    const before = load.events;
    load.run(1_000);
    expect(load.runningCount).toBe(100);
    expect(load.events - before).toBe(3_000);
  });

  it('notices a query that a machine loses', () => {
    const lossy = { apply: () => [{ kind: 'reject' as const }], counts: () => [] };
    const targets = leafTargets(parsed(groupFileText(SMALL)));
    const machine = lossy as unknown as Fifo;
    expect(() => new GroupLoad({ machine, targets, queued: 500, eventsPerMs: 10, seed: 1 }).fill()).toThrow(
      'nobody expected',
    );
  });
});

describe('the figures', () => {
  it('are there for a tree of groups that never stands still', () => {
    const speed = measureGroupSpeed({
      shape: SMALL,
      queries: { few: 120, many: 500 },
      rounds: 2,
      stepsPerRound: 300,
      reloads: 3,
    });
    for (const value of [...Object.values(speed), ...Object.values(speed.p99MsByKind)]) {
      if (typeof value === 'number') expect(value).toBeGreaterThan(0);
    }
    expect(Object.keys(speed.p99MsByKind)).toEqual(expect.arrayContaining(['submitted', 'finished', 'usageArrived']));
  });
});
