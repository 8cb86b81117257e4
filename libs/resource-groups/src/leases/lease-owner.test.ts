// What an owner does that the stories do not tell: full seats, lost workers, other limits, and its sums.
import { instant, randomInt, seededRandom } from '@tutti/base';
import { groupSpec, type GroupSpec } from '../group-config.js';
import type { LeafDemand, LeasedTask } from './lease-messages.js';
import type { OwnerEffect } from './owner-events.js';
import { TestOwner } from './testing/test-owner.js';

const limited = (name: string, hardConcurrencyLimit: number, more: Partial<GroupSpec> = {}): GroupSpec =>
  groupSpec({ name, hardConcurrencyLimit, maxQueued: 100, ...more });

const leaf = (group: string, running: number, held: number, waiting: number): LeafDemand => {
  const oldest = Array.from({ length: Math.min(8, waiting) }, () => ({ ageMs: 10, priority: 1 }));
  return { group, template: group, running, held, waiting, oldest, slack: 0 };
};

const capsIn = (effects: readonly OwnerEffect[]): string[] =>
  effects.flatMap((effect) =>
    effect.kind === 'grant'
      ? effect.grant.caps.map(({ group, cap }) => `${effect.to.coordinatorId} ${group}=${cap}`)
      : [],
  );

const task = (coordinatorId: string, queryId: string, group = 'a'): LeasedTask => ({
  ...{ coordinatorId, incarnation: 1, queryId, group },
});

describe('an owner', () => {
  it('grants an increase when a second seat keeps it, and not sooner (O2)', () => {
    const desk = new TestOwner([limited('a', 2)]);
    const effects = desk.demand('c1', leaf('a', 0, 0, 1));
    expect(effects.map(({ kind }) => kind)).toEqual(['copy']);
    expect(capsIn(desk.keep(effects))).toEqual(['c1 a=1']);
  });

  it('answers without the increase when the copy takes long; it follows', () => {
    const desk = new TestOwner([limited('a', 2)]);
    const [copy] = desk.demand('c1', leaf('a', 0, 0, 1));
    const late = desk.passes(300);
    expect(late).toMatchObject([{ kind: 'grant', grant: { kind: 'renewed', caps: [] } }]);
    desk.nowMs += 20;
    expect(desk.keep(copy ? [copy] : []).at(-1)).toMatchObject({ kind: 'grant', grant: { kind: 'pushed' } });
  });

  it('deals nothing for a while when no seat can take a copy, and then again', () => {
    const desk = new TestOwner([limited('a', 2)]);
    desk.demand('c1', leaf('a', 0, 0, 1));
    const refused = desk.apply({ kind: 'copyRefused', seq: 2 });
    expect(refused).toMatchObject([{ kind: 'grant', grant: { kind: 'renewed', caps: [] } }]);
    expect(desk.owner.groups()).toMatchObject([{ group: 'a', booked: 0 }]);
    expect(desk.owner.counters.copiesRefused).toBe(1);
    expect(capsIn([...desk.passes(500), ...desk.passes(1_000)])).toEqual(['c1 a=1']);
  });

  it('writes off what a lost worker ran for a silent coordinator after five minutes, and counts it', () => {
    const desk = new TestOwner([limited('a', 1)]);
    desk.keep(desk.demand('c1', leaf('a', 0, 0, 1)));
    desk.keep(desk.demand('c1', leaf('a', 1, 1, 0)));
    desk.report('w1', [task('c1', 'q1')]);
    desk.passes(10_600);
    desk.report('w1', [task('c1', 'q1')], 1);
    desk.members([]);
    desk.keep(desk.demand('c2', leaf('a', 0, 0, 1)));
    desk.passes(299_000);
    expect(desk.owner.groups()).toMatchObject([{ booked: 1, unmet: 0 }]);
    const effects = desk.passes(2_000);
    expect(effects).toContainEqual({ kind: 'wroteOff', what: 'worker w1', queries: 1 });
    expect(desk.owner.counters.writtenOff).toBe(1);
    expect(capsIn(desk.keep(desk.demand('c2', leaf('a', 0, 0, 1))))).toEqual(['c2 a=1']);
  });

  it('keeps all that a silent coordinator held while a worker has not shown that it refuses its tasks (S1)', () => {
    const desk = new TestOwner([limited('a', 2)]);
    desk.keep(desk.demand('c1', leaf('a', 0, 0, 2)));
    desk.keep(desk.demand('c1', leaf('a', 1, 2, 0)));
    desk.report('w1', [task('c1', 'q1')]);
    desk.passes(10_600);
    desk.report('w1', [task('c1', 'q1')]);
    expect(desk.owner.groups()).toMatchObject([{ booked: 2 }]);
    desk.report('w1', [task('c1', 'q1')], 1);
    expect(desk.owner.groups()).toMatchObject([{ booked: 1 }]);
    desk.report('w1', [], 1);
    expect(desk.owner.groups()).toEqual([]);
  });

  it('takes the word of an operator that nothing of a coordinator runs', () => {
    const desk = new TestOwner([limited('a', 1)]);
    desk.keep(desk.demand('c1', leaf('a', 0, 0, 1)));
    desk.keep(desk.demand('c1', leaf('a', 1, 1, 0)));
    desk.passes(10_600);
    expect(desk.apply({ kind: 'writeOff', coordinatorId: 'c1' })).toContainEqual({
      ...{ kind: 'wroteOff', what: 'coordinator c1', queries: 1 },
    });
    expect(desk.owner.groups()).toEqual([]);
  });

  it('counts queries of coordinators that know no leases by what workers report (S2)', () => {
    const desk = new TestOwner([limited('a', 3)]);
    desk.report('w1', [{ coordinatorId: 'old', incarnation: 0, queryId: 'q1', group: 'a' }]);
    expect(capsIn(desk.keep(desk.demand('c1', leaf('a', 0, 0, 5))))).toEqual(['c1 a=2']);
  });

  it('deals nothing beyond a soft limit, and asks everybody to start nothing', () => {
    const desk = new TestOwner([limited('a', 4, { softMemoryLimit: { kind: 'bytes', bytes: 100 } })]);
    desk.keep(desk.demand('c1', leaf('a', 0, 0, 2)));
    desk.keep(desk.demand('c1', leaf('a', 2, 2, 3)));
    desk.keep(desk.demand('c1', leaf('a', 2, 4, 1)));
    desk.nowMs += 20;
    const cluster = { activeWorkers: 1, memoryBytes: 1_000 };
    const over = { kind: 'measured', cluster, levels: [{ group: 'a', memoryBytes: 101, cpuUsedMs: 0 }] } as const;
    const wish = { group: 'a', mode: 'stop', keep: 0 };
    expect(desk.apply(over)).toMatchObject([{ kind: 'grant', grant: { kind: 'pushed', wishes: [wish] } }]);
    expect(capsIn(desk.keep(desk.demand('c2', leaf('a', 0, 0, 1))))).toEqual([]);
  });

  it('gives nothing to coordinators that are not in the membership', () => {
    const desk = new TestOwner([limited('a', 4)]);
    expect(capsIn(desk.keep(desk.demand('stranger', leaf('a', 0, 0, 1))))).toEqual([]);
  });

  it('tells over-admission from workers alone, and not for a slot that has moved between two reports', () => {
    const desk = new TestOwner([limited('a', 1)]);
    desk.members(['w1', 'w2']);
    desk.report('w1', [task('c1', 'q1')]);
    desk.report('w2', []);
    desk.nowMs += 500;
    desk.report('w2', [task('c2', 'q2')]);
    expect(desk.owner.overAdmission()).toEqual(new Map());
    desk.nowMs += 500;
    desk.report('w1', [task('c1', 'q1')]);
    desk.report('w2', [task('c2', 'q2')]);
    desk.owner.apply({ kind: 'configured', rootGroups: [limited('a', 1)] }, instant(desk.nowMs));
    expect(desk.owner.overAdmission()).toEqual(new Map([['a', 1]]));
  });

  it('never books more than a limit, and knows its sums, whatever is asked of it (O1)', () => {
    const random = seededRandom(7);
    const [x, y] = [limited('x', 5, { template: 'b.x' }), limited('y', 4, { template: 'b.y' })];
    const desk = new TestOwner([
      limited('a', 3),
      limited('b', 7, { subGroups: [x, y], schedulingPolicy: 'weighted_fair' }),
    ]);
    const held = new Map<string, number>();
    for (let step = 0; step < 2_000; step++) {
      const name = random() < 0.5 ? 'c1' : 'c2';
      const leaves = ['a', 'b.x', 'b.y'].map((group) => {
        const kept = randomInt(random, (held.get(`${name} ${group}`) ?? 0) + 1);
        held.set(`${name} ${group}`, kept);
        return leaf(group, randomInt(random, kept + 1), kept, randomInt(random, 6));
      });
      desk.nowMs += 50;
      for (const cap of capsIn(desk.keep(desk.demand(name, ...leaves)))) {
        const [key = '', value] = cap.split('=');
        held.set(key, Number(value));
      }
      const limits = { a: 3, b: 7, 'b.x': 5, 'b.y': 4 };
      for (const [group, limit] of Object.entries(limits)) {
        const sum = [...held].reduce((total, [key, value]) => {
          const path = key.split(' ')[1] ?? '';
          return path === group || path.startsWith(`${group}.`) ? total + value : total;
        }, 0);
        const booked = desk.owner.groups().find((dealt) => dealt.group === group)?.booked ?? 0;
        expect(sum).toBeLessThanOrEqual(booked);
        expect(booked).toBeLessThanOrEqual(limit);
      }
    }
  });
});
