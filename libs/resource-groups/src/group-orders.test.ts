// What the orders mean for a whole tree, over long runs: RG-9, RG-10, RG-11 and RG-13, weights, and that nobody starves.
// Of Presto's scenarios these do not apply here: RG-18 (a limit of tasks: workers bound their tasks themselves), RG-19
// (pacing of starts: each start waits for an answer anyway), RG-21 (overload policies: workers refuse what they cannot
// take) and RG-22 (groups that are not loaded yet: a coordinator does not begin to serve before it has read them).
import { randomInt, seededRandom } from '@tutti/base';
import { LoneCoordinator } from './testing/lone-coordinator.js';

/** Keeps so many waiting in each group. */
function refill(coordinator: LoneCoordinator, groups: readonly string[], count: number): void {
  for (const group of groups) while (coordinator.queuedIn(group) < count) coordinator.submit(group);
}

const countsOf = ({ started }: LoneCoordinator, groups: readonly string[]): number[] =>
  groups.map((group) => started.filter((query) => query.group === group).length);

/** Ends the query that runs for longest, `rounds` times, while enough wait everywhere. */
function turnOver(coordinator: LoneCoordinator, groups: readonly string[], rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    refill(coordinator, groups, 3);
    const [oldest] = coordinator.running.keys();
    if (oldest !== undefined) coordinator.finish(oldest);
  }
}

describe('over a long run', () => {
  it('query_priority starts a hundred queries of two groups strictly by priority (RG-9)', () => {
    const random = seededRandom(9);
    const groups = ['root.g1=1/1000', 'root.g2=1/1000'];
    const coordinator = new LoneCoordinator('root=0/1000,policy=query_priority', ...groups);
    const priorities = new Map<string, number>();
    while (priorities.size < 100) {
      const priority = 1 + randomInt(random, 1_000_000);
      if ([...priorities.values()].includes(priority)) continue;
      priorities.set(coordinator.submit(random() < 0.5 ? 'root.g1' : 'root.g2', priority), priority);
    }
    coordinator.reload('root=1/1000,policy=query_priority', ...groups);
    for (let id; (id = [...coordinator.running.keys()][0]) !== undefined;) coordinator.finish(id);
    const order = coordinator.started.map(({ id }) => priorities.get(id));
    expect(order).toHaveLength(100);
    expect(order).toEqual([...priorities.values()].sort((a, b) => b - a));
  });

  it('weighted gives two groups of weights 1 and 2 just their shares (RG-10)', () => {
    const groups = ['root.g1', 'root.g2'];
    const coordinator = new LoneCoordinator(
      'root=1/1000,policy=weighted',
      ...['root.g1=2/1000,soft=2,weight=1', 'root.g2=2/1000,soft=2,weight=2'],
    );
    turnOver(coordinator, groups, 1_000);
    const [one = 0, two = 0] = countsOf(coordinator, groups);
    expect(Math.abs(two - 2 * one)).toBeLessThanOrEqual(2);
  });

  it('weighted_fair fills three places one to two, a thousand times (RG-11)', () => {
    const groups = ['root.g1', 'root.g2'];
    const coordinator = new LoneCoordinator(
      'root=3/1000,policy=weighted_fair',
      ...['root.g1=2/1000,weight=1', 'root.g2=2/1000,weight=2'],
    );
    for (let round = 0; round < 1_000; round++) {
      refill(coordinator, groups, 4);
      for (const id of [...coordinator.running.keys()]) coordinator.finish(id);
    }
    const [one = 0, two = 0] = countsOf(coordinator, groups);
    expect(one).toBeGreaterThanOrEqual(995);
    expect(one).toBeLessThanOrEqual(1_005);
    expect(two).toBeGreaterThanOrEqual(1_995);
    expect(two).toBeLessThanOrEqual(2_005);
  });

  it('weighted_fair with one place lets both take turns: nobody starves (RG-13)', () => {
    const groups = ['root.g1', 'root.g2'];
    const coordinator = new LoneCoordinator(
      'root=1/1000,policy=weighted_fair',
      ...['root.g1=2/1000,weight=1', 'root.g2=2/1000,weight=2'],
    );
    turnOver(coordinator, groups, 2_000);
    const [one = 0, two = 0] = countsOf(coordinator, groups);
    expect(Math.abs(one - two)).toBeLessThanOrEqual(1);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('weighted shares are true within 1 %, also on two levels (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const weights = Array.from({ length: 2 + randomInt(random, 4) }, () => 1 + randomInt(random, 9));
    const groups = weights.map((_, index) => `root.g${index}.leaf`);
    const coordinator = new LoneCoordinator(
      `root=${1 + randomInt(random, 5)}/10000,policy=weighted`,
      ...weights.map((weight, index) => `root.g${index}=100/10000,policy=weighted,weight=${weight}`),
      ...groups.map((group) => `${group}=100/10000,weight=1`),
    );
    const rounds = 4_000;
    turnOver(coordinator, groups, rounds);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    countsOf(coordinator, groups).forEach((count, index) => {
      const share = (coordinator.started.length * (weights[index] ?? 0)) / sum;
      expect(Math.abs(count - share)).toBeLessThanOrEqual(rounds / 100);
    });
  });

  it('weighted_fair keeps shares of the places true when there are many', () => {
    const groups = ['root.g1', 'root.g2', 'root.g3'];
    const coordinator = new LoneCoordinator(
      'root=60/10000,policy=weighted_fair',
      ...groups.map((group, index) => `${group}=100/10000,weight=${index + 1}`),
    );
    turnOver(coordinator, groups, 600);
    const running = groups.map((group) => [...coordinator.running.values()].filter((path) => path === group).length);
    expect(running).toEqual([10, 20, 30]);
  });

  it('weighted queries of one leaf go by priority, and the least of them is not forgotten', () => {
    const coordinator = new LoneCoordinator('leaf=1/10000,policy=weighted');
    const last = coordinator.submit('leaf', 1);
    const least = coordinator.submit('leaf', 1);
    const counts = new Map<string, number>();
    const priorityOf = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      for (const priority of [2, 8])
        if (![...priorityOf].some(([id, known]) => known === priority && !coordinator.running.has(id)))
          priorityOf.set(coordinator.submit('leaf', priority), priority);
      const [oldest = ''] = coordinator.running.keys();
      counts.set(`${priorityOf.get(oldest)}`, (counts.get(`${priorityOf.get(oldest)}`) ?? 0) + 1);
      priorityOf.delete(oldest);
      coordinator.finish(oldest);
    }
    expect(coordinator.started.map(({ id }) => id)).toEqual(expect.arrayContaining([last, least]));
    const [two = 0, eight = 0] = [counts.get('2'), counts.get('8')];
    expect(eight / two).toBeGreaterThan(3.9);
    expect(eight / two).toBeLessThan(4.1);
  });

  it('a group that is full because of others keeps its siblings from nothing', () => {
    const coordinator = new LoneCoordinator(
      'root=10/1000,policy=weighted_fair',
      ...['root.full=1/1000,weight=100', 'root.free=10/1000,weight=1'],
    );
    for (let count = 0; count < 5; count++) coordinator.submit('root.full');
    for (let count = 0; count < 20; count++) coordinator.submit('root.free');
    expect([...coordinator.running.values()].filter((group) => group === 'root.free')).toHaveLength(9);
  });
});
