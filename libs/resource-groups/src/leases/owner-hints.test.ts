import { groupSpec, type GroupSpec } from '../group-config.js';
import { HINTS_MAX, type LeafDemand, type LeafHint } from './lease-messages.js';
import { TestOwner } from './testing/test-owner.js';

const spec = (name: string, limit: number, more: Partial<GroupSpec> = {}): GroupSpec =>
  groupSpec({ name, hardConcurrencyLimit: limit, maxQueued: 1e6, ...more });

const leaf = (group: string, running: number, held: number, agesMs: readonly number[], waiting = agesMs.length) => {
  const oldest = agesMs.map((ageMs) => ({ ageMs, priority: 1 }));
  return { group, template: group, running, held, waiting, oldest, slack: 0 } satisfies LeafDemand;
};

describe('the hints of an owner', () => {
  it('say what is full, who holds it, and how many go first elsewhere', () => {
    const desk = new TestOwner([spec('a', 2)]);
    desk.keep(desk.demand('c1', leaf('a', 0, 0, [10, 10])));
    desk.keep(desk.demand('c1', leaf('a', 2, 2, [500, 300, 100])));
    const [hint] = hintsIn(desk, 'c2', leaf('a', 0, 0, [200]));
    expect(hint).toEqual({
      ...{ group: 'a', blockingGroup: 'a', limit: 2, held: 2, aheadElsewhere: 2, isApproximate: false },
    });
  });

  it('name the group above that is full, and then say that the order may change', () => {
    const [x, y] = [spec('x', 5, { template: 'b.x' }), spec('y', 5, { template: 'b.y' })];
    const desk = new TestOwner([spec('b', 1, { subGroups: [x, y] })]);
    desk.keep(desk.demand('c1', leaf('b.x', 0, 0, [10])));
    desk.keep(desk.demand('c1', leaf('b.x', 1, 1, [])));
    expect(hintsIn(desk, 'c2', leaf('b.y', 0, 0, [200]))).toEqual([
      { group: 'b.y', blockingGroup: 'b', limit: 1, held: 1, aheadElsewhere: 0, isApproximate: true },
    ]);
  });

  it('are not exact where only the first of many that wait are known', () => {
    const desk = new TestOwner([spec('a', 0)]);
    desk.keep(desk.demand('c1', leaf('a', 0, 0, [900, 800], 50)));
    expect(hintsIn(desk, 'c2', leaf('a', 0, 0, [200]))).toMatchObject([{ aheadElsewhere: 50, isApproximate: true }]);
  });

  it('come at most twice a second for a leaf, and in turns where many wait (Q1)', () => {
    const groups = Array.from({ length: HINTS_MAX + 3 }, (_, index) => `g${index}`);
    const desk = new TestOwner(groups.map((group) => spec(group, 0)));
    const leaves = groups.map((group) => leaf(group, 0, 0, [5]));
    const told = [0, 50, 100].map(() => {
      desk.nowMs += 50;
      return hintsIn(desk, 'c1', ...leaves).map(({ group }) => group);
    });
    expect(told.map(({ length }) => length)).toEqual([HINTS_MAX, 3, 0]);
    expect(new Set(told.flat()).size).toBe(groups.length);
    desk.nowMs += 500;
    expect(hintsIn(desk, 'c1', ...leaves)).toHaveLength(HINTS_MAX);
  });

  it('are no reason for a message', () => {
    const desk = new TestOwner([spec('a', 1)]);
    desk.keep(desk.demand('c1', leaf('a', 0, 0, [10])));
    desk.keep(desk.demand('c1', leaf('a', 1, 1, [10])));
    desk.keep(desk.demand('c2', leaf('a', 0, 0, [10])));
    for (let count = 0; count < 20; count++) {
      desk.nowMs += 100;
      expect(desk.apply({ kind: 'tick' }).filter(({ kind }) => kind === 'grant')).toEqual([]);
    }
  });
});

const hintsIn = (desk: TestOwner, coordinatorId: string, ...leaves: LeafDemand[]): LeafHint[] =>
  desk
    .keep(desk.demand(coordinatorId, ...leaves))
    .flatMap((effect) => (effect.kind === 'grant' ? effect.grant.hints : []));
