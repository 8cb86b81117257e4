import { instant } from '@tutti/base';
import * as fc from 'fast-check';
import { CpuBuckets, type CpuLevel } from './cpu-buckets.js';

const NO_QUOTA = 0;

/** Reports of coordinators, and the time in our hands. */
class Story {
  nowMs = 0;
  readonly buckets: CpuBuckets;
  /** Milliseconds per second that each group gets back; groups that are left out have no quota. */
  quotas: Record<string, number> = { g: 100, 'g.x': 50 };

  constructor(bucketsMax?: number) {
    this.buckets = new CpuBuckets(bucketsMax);
  }

  /** A coordinator tells what each of its groups has used so far. */
  report(coordinatorId: string, cpuMs: Record<string, number>, incarnation = 1): this {
    const groups = Object.entries(cpuMs).map(([group, used]) => {
      return { group, cpuMs: used, cpuQuotaMsPerSecond: this.quotas[group] ?? NO_QUOTA };
    });
    this.buckets.record({ coordinatorId, incarnation, groups }, instant(this.nowMs));
    return this;
  }

  pass(seconds: number): this {
    this.nowMs += seconds * 1_000;
    this.buckets.expire(instant(this.nowMs));
    return this;
  }

  /** Hears from another resource manager what it has counted; its name is also the start of its process: "r3" in 3. */
  hears(from: string, levels: readonly CpuLevel[], ownIncarnation = 10): this {
    const telling = { resourceManagerId: from, incarnation: Number(from.slice(1)), levels };
    this.buckets.takeOver(telling, ownIncarnation, instant(this.nowMs));
    return this;
  }

  levels(): CpuLevel[] {
    return this.buckets.levels(instant(this.nowMs));
  }

  used(): Record<string, number> {
    return Object.fromEntries(this.buckets.usedMs(instant(this.nowMs)));
  }
}

describe('the CPU of groups', () => {
  it('is charged while queries run, to the group and all above it that have a quota (B1)', () => {
    const story = new Story().report('a', { g: 0, 'g.x': 0, 'g.y': 0 }).report('b', { g: 0, 'g.x': 0 });
    story.report('a', { g: 0, 'g.x': 300, 'g.y': 40 }).report('b', { g: 0, 'g.x': 1_000 });
    expect(story.used()).toEqual({ g: 1_340, 'g.x': 1_300 });
    story.report('a', { g: 7, 'g.x': 301, 'g.y': 40 });
    expect(story.used()).toEqual({ g: 1_348, 'g.x': 1_301 });
  });

  it('is charged to groups with dots in their names, and to those above them (B1)', () => {
    const story = new Story();
    story.quotas = { g: 100, 'g."alice.smith"': 50 };
    story.report('a', { g: 0, 'g."alice.smith"': 0 }).report('a', { g: 0, 'g."alice.smith"': 30 });
    expect(story.used()).toEqual({ g: 30, 'g."alice.smith"': 30 });
  });

  it('comes back all the time, once for the whole cluster, and never more than was used (B3)', () => {
    const story = new Story();
    for (const id of ['a', 'b', 'c']) story.report(id, { g: 0, 'g.x': 0 });
    story.report('b', { g: 0, 'g.x': 1_000 }).pass(2);
    for (const id of ['a', 'b', 'c']) story.report(id, { g: 0, 'g.x': id === 'b' ? 1_000 : 0 });
    expect(story.used()).toEqual({ g: 800, 'g.x': 900 });
    expect(story.pass(100).used()).toEqual({});
    expect(story.report('b', { g: 0, 'g.x': 1_010 }).used()).toEqual({ g: 10, 'g.x': 10 });
  });

  it('of a coordinator that is heard for the first time may be of long ago (B2)', () => {
    const story = new Story().report('a', { g: 0, 'g.x': 5_000 });
    expect(story.used()).toEqual({});
    expect(story.report('a', { g: 0, 'g.x': 5_010 }).used()).toEqual({ g: 10, 'g.x': 10 });
  });

  it('of a new life of a coordinator is not that of the former one (B2)', () => {
    const story = new Story().report('a', { g: 0, 'g.x': 100 }, 1).report('a', { g: 0, 'g.x': 900 }, 2);
    expect(story.used()).toEqual({});
    expect(story.report('a', { g: 0, 'g.x': 901 }, 2).used()).toEqual({ g: 1, 'g.x': 1 });
  });

  it('of a group that came back begins at zero (B2)', () => {
    const story = new Story().report('a', { g: 0, 'g.x': 400 }).report('a', { g: 0 }).report('a', { g: 0, 'g.x': 30 });
    expect(story.used()).toEqual({ g: 30, 'g.x': 30 });
    expect(story.report('a', { g: 0, 'g.x': 10 }).used()).toEqual({ g: 30, 'g.x': 30 });
    expect(story.report('a', { g: 0, 'g.x': 15 }).used()).toEqual({ g: 35, 'g.x': 35 });
  });

  it('of a coordinator that was silent for a while is charged when it is heard again (B5)', () => {
    const story = new Story().report('a', { 'g.x': 0, g: 0 }).pass(600).report('a', { 'g.x': 70, g: 0 });
    expect(story.used()).toEqual({ g: 70, 'g.x': 70 });
    story.pass(601).report('a', { 'g.x': 99_000, g: 0 });
    expect(story.used()).toEqual({});
  });

  it('stays used when nobody reports the group any more, until it has come back (B4)', () => {
    const story = new Story().report('a', { 'g.x': 0, g: 0 }).report('a', { 'g.x': 500, g: 0 }).report('a', {});
    expect(story.pass(4).used()).toEqual({ g: 100, 'g.x': 300 });
    expect(story.pass(2).used()).toEqual({ 'g.x': 200 });
    expect(story.buckets.size).toBe(1);
    expect(story.pass(4).buckets.size).toBe(0);
  });

  it('comes back by the quota of the newest report (B4)', () => {
    const story = new Story().report('a', { g: 0 }).report('a', { g: 1_000 }).pass(1);
    story.quotas = { g: 300 };
    expect(story.report('a', { g: 1_000 }).pass(1).used()).toEqual({ g: 600 });
  });

  it('is forgotten when the last coordinator has no quota for the group (B4)', () => {
    const story = new Story().report('a', { g: 0 }).report('b', { g: 0 }).report('a', { g: 1_000 });
    story.quotas = {};
    expect(story.report('a', { g: 1_200 }).used()).toEqual({ g: 1_200 });
    expect(story.report('b', { g: 0 }).used()).toEqual({});
    story.report('a', { g: 9_000 }).quotas = { g: 100 };
    expect(story.report('a', { g: 9_001 }).report('a', { g: 9_002 }).used()).toEqual({ g: 1 });
  });

  it('is kept for so many groups only: those go that would have all back first (B6)', () => {
    const story = new Story(2);
    story.quotas = { a: 10, b: 10, c: 10, d: 10 };
    story.report('1', { a: 0, b: 0, c: 0, d: 0 }).report('1', { a: 900, b: 700, c: 800, d: 600 });
    expect(Object.keys(story.report('1', { d: 600 }).pass(1).used())).toEqual(['a', 'd']);
  });

  it('is what one meter for the whole cluster would show', () => {
    const step = fc.record({
      coordinator: fc.nat(2),
      group: fc.constantFrom('g', 'g.x', 'g.y', 'g.x.z'),
      cpuMs: fc.nat(5_000),
      passMs: fc.nat(3_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const story = new Story();
        story.quotas = { g: 700, 'g.x': 300, 'g.x.z': 1 };
        const paths = ['g', 'g.x', 'g.y', 'g.x.z'];
        const meters = [0, 1, 2].map(() => Object.fromEntries(paths.map((path) => [path, 0])));
        meters.forEach((meter, id) => story.report(`c${id}`, meter));
        const naive = new Map(Object.keys(story.quotas).map((path) => [path, 0]));
        for (const { coordinator, group, cpuMs, passMs } of steps) {
          story.nowMs += passMs;
          for (const [path, quota] of Object.entries(story.quotas)) {
            const left = Math.max(0, (naive.get(path) ?? 0) - (quota * passMs) / 1_000);
            naive.set(path, left + (group === path || group.startsWith(`${path}.`) ? cpuMs : 0));
          }
          const meter = meters[coordinator]!;
          meter[group] = (meter[group] ?? 0) + cpuMs;
          story.report(`c${coordinator}`, meter);
          for (const [path, used] of naive) expect(story.used()[path] ?? 0).toBeCloseTo(used, 3);
        }
      }),
    );
  });
});

describe('a resource manager that starts anew', () => {
  const level = (group: string, usedMs: number, quotaMsPerSecond = 100): CpuLevel => ({
    ...{ group, usedMs, quotaMsPerSecond },
  });

  /** What a resource manager knows that has heard all of it. */
  const old = () => new Story().report('a', { g: 0, 'g.x': 0 }).report('a', { g: 0, 'g.x': 5_000 });

  it('goes on with what the two others have counted, once (B7)', () => {
    const [r1, r2] = [old(), old().pass(2)];
    const story = new Story().hears('r1', r1.levels()).hears('r2', r2.levels());
    expect(story.used()).toEqual({ g: 5_000, 'g.x': 5_000 });
    // Whatever they tell later is what it has heard itself.
    story.pass(10).hears('r1', r1.levels()).hears('r2', r2.levels());
    expect(story.used()).toEqual({ g: 4_000, 'g.x': 4_500 });
  });

  it('charges what comes after that, whether it hears the coordinators before or after (B7)', () => {
    const counted = old().levels();
    const before = new Story().report('a', { g: 0, 'g.x': 5_000 }).hears('r1', counted);
    const after = new Story().hears('r1', counted).report('a', { g: 0, 'g.x': 5_000 });
    for (const story of [before, after])
      expect(story.report('a', { g: 0, 'g.x': 5_300 }).used()).toEqual({ g: 5_300, 'g.x': 5_300 });
  });

  it('does not count again what it heard itself meanwhile (B7)', () => {
    const r1 = old().report('a', { g: 0, 'g.x': 5_300 });
    const story = new Story().report('a', { g: 0, 'g.x': 5_000 }).report('a', { g: 0, 'g.x': 5_300 });
    expect(story.used()).toEqual({ g: 300, 'g.x': 300 });
    expect(story.hears('r1', r1.levels()).used()).toEqual({ g: 5_300, 'g.x': 5_300 });
  });

  it('changes nothing at the older ones, and learns nothing from younger ones (B7)', () => {
    const young = new Story().levels();
    expect(old().hears('r11', young).used()).toEqual({ g: 5_000, 'g.x': 5_000 });
    expect(
      old()
        .hears('r11', [level('g', 9_000)])
        .hears('r10', [level('g', 9_000)])
        .used()['g'],
    ).toBe(5_000);
    expect(
      old()
        .hears('r9', [level('g', 1), level('g.x', 6_000)])
        .used(),
    ).toEqual({ g: 5_000, 'g.x': 6_000 });
  });

  it('takes over from each older life of one resource manager (B7)', () => {
    const story = new Story();
    const tell = (incarnation: number, usedMs: number) => {
      const telling = { resourceManagerId: 'r', incarnation, levels: [level('g', usedMs)] };
      story.buckets.takeOver(telling, 10, instant(story.nowMs));
      return story.used()['g'];
    };
    expect([tell(3, 100), tell(3, 200), tell(5, 300), tell(3, 400), tell(5, 500)]).toEqual([100, 100, 300, 300, 300]);
  });

  it('lets groups that nobody reports get theirs back, by the quota that came with it (B4, B7)', () => {
    const story = new Story().hears('r1', [level('g', 1_000, 200), level('idle', 300)]);
    expect(story.pass(2).used()).toEqual({ g: 600, idle: 100 });
    expect(story.report('a', { g: 0 }).pass(1).used()).toEqual({ g: 500 });
    expect(story.buckets.size).toBe(1);
  });

  it('forgets a group that has no quota any more (B4)', () => {
    const story = new Story().hears('r1', [level('g', 1_000)]);
    story.quotas = {};
    expect(story.report('a', { g: 0 }).used()).toEqual({});
  });

  it('takes nothing that makes no sense (B7)', () => {
    const wrong = [level('a', -1), level('b', NaN), level('c', 1, 0), level('d', 1, -1), level('e', 1, Infinity)];
    expect(new Story().hears('r1', wrong).buckets.size).toBe(0);
  });

  it('is told of so many groups only: of those that get all back last (B8)', () => {
    const many = Array.from({ length: 9_999 }, (_, index) => level(`g${index}`, 1_000));
    const more = Array.from({ length: 9_999 }, (_, index) => level(`h${index}`, 2_000, 400));
    const story = new Story().hears('r1', more).hears('r2', many);
    const levels = story.levels();
    expect(levels).toHaveLength(10_000);
    expect(levels.filter(({ group }) => group.startsWith('g'))).toHaveLength(9_999);
    const long = many.slice(0, 5_000).map(({ group, ...use }) => ({ group: group + 'x'.repeat(395), ...use }));
    const told = new Story().hears('r1', long).levels();
    expect(told.length).toBeGreaterThan(2_480);
    expect(told.reduce((letters, { group }) => letters + group.length, 0)).toBeLessThanOrEqual(1_000_000);
    expect(new Story().levels()).toEqual([]);
  });
});
