import { nodeId } from '@tutti/base';
import { copiesNeededOf, isOneStep, knowersNeededOf, majorityOf, seatSet, type SeatSet } from './seat-set.js';
import { preferenceOf, SHARD_COUNT, shardOf, type SeatId } from './shard.js';

const names = ['a', 'b', 'c', 'd', 'e', 'f'].map(nodeId);
const setOf = (count: number, version = 1): SeatSet => seatSet(version, names.slice(0, count));

/** All ways to take so many seats. */
function choices(seats: readonly SeatId[], count: number): SeatId[][] {
  const [first, ...rest] = seats;
  if (count === 0) return [[]];
  if (first === undefined) return [];
  return [...choices(rest, count - 1).map((chosen) => [first, ...chosen]), ...choices(rest, count)];
}

const meet = (a: readonly SeatId[], b: readonly SeatId[]): boolean => a.some((seat) => b.includes(seat));

describe.each([1, 2, 3, 4, 5])('%i seats', (count) => {
  const set = setOf(count);
  const majorities = choices(set.seats, majorityOf(set));

  it('have no two majorities without a seat in common', () => {
    for (const one of majorities) for (const other of majorities) expect(meet(one, other)).toBe(true);
  });

  it('have no two majorities without a seat in common with one seat more (V2)', () => {
    const next = setOf(count + 1, 2);
    expect(isOneStep(set, next)).toBe(true);
    for (const one of majorities)
      for (const other of choices(next.seats, majorityOf(next))) expect(meet(one, other)).toBe(true);
  });

  it('know between them what was copied, when enough of them forgot nothing', () => {
    const kept = choices(set.seats, copiesNeededOf(set) + 1);
    for (const knowers of choices(set.seats, knowersNeededOf(set)))
      for (const keepers of kept) expect(meet(knowers, keepers)).toBe(true);
  });
});

describe('a seat set', () => {
  it('steps by one seat and one version', () => {
    const [three, four] = [setOf(3), setOf(4, 2)];
    expect(isOneStep(three, four)).toBe(true);
    expect(isOneStep(seatSet(1, four.seats), seatSet(2, three.seats))).toBe(true);
    expect(isOneStep(three, setOf(4, 3))).toBe(false);
    expect(isOneStep(three, setOf(5, 2))).toBe(false);
    expect(isOneStep(three, seatSet(2, ['a', 'b', 'x'].map(nodeId)))).toBe(false);
    expect(isOneStep(three, setOf(3, 2))).toBe(false);
  });

  it('is refused when it is none', () => {
    expect(() => seatSet(0, names)).toThrow('counts from 1');
    expect(() => seatSet(1, [])).toThrow('1 to 9 seats');
    expect(() => seatSet(1, ['a', 'a'].map(nodeId))).toThrow('twice');
  });
});

describe('shards', () => {
  it('of root groups never change: coordinators and seats of other versions rely on them', () => {
    expect(['global', 'etl', 'adhoc', ''].map((group) => shardOf(group))).toMatchInlineSnapshot(`
     [
       21,
       45,
       12,
       11,
     ]
    `);
    expect([0, 1, 2, 63].map((shard) => preferenceOf(setOf(3).seats, shard).join(''))).toMatchInlineSnapshot(`
     [
       "bca",
       "cab",
       "bac",
       "bca",
     ]
    `);
  });

  it('are spread over the seats, and over the root groups', () => {
    const firsts = Array.from({ length: SHARD_COUNT }, (_, shard) => preferenceOf(setOf(3).seats, shard)[0]);
    for (const seat of setOf(3).seats) expect(firsts.filter((first) => first === seat).length).toBeGreaterThan(12);
    const groups = Array.from({ length: 1_000 }, (_, index) => shardOf(`tenant-${index}`));
    expect(new Set(groups).size).toBe(SHARD_COUNT);
  });

  it('stay where they are when another seat comes or goes', () => {
    for (let shard = 0; shard < SHARD_COUNT; shard++) {
      const four = preferenceOf(setOf(4).seats, shard);
      expect(four.filter((seat) => seat !== 'd')).toEqual(preferenceOf(setOf(3).seats, shard));
    }
  });
});
