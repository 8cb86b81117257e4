import { SEAT_RULES, type SeatRules } from './seat-rules.js';
import { runChaos } from './testing/chaos.js';
import { runDisagreement } from './testing/disagreement.js';
import { runSplits } from './testing/splits.js';
import { type SeatChecks, Violation } from './testing/seat-checks.js';

const seeds = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

/** Adds up what happened, so that a test can say that its worlds are not empty. */
function sum(runs: readonly SeatChecks[]) {
  const total = (of: (checks: SeatChecks) => number): number => runs.reduce((all, checks) => all + of(checks), 0);
  return {
    acquisitions: total(({ acquisitions }) => acquisitions),
    learnedFully: total(({ learnedFully }) => learnedFully),
    firsts: total(({ firsts }) => firsts),
    handedOver: total(({ handedOver }) => handedOver),
    copied: total(({ copied }) => copied),
  };
}

// Crashes, restarts in place, pauses, partitions of any split, cuts one way, loss, delay, doubled and overtaken messages,
// clocks that run 5 % fast or slow, resignations and restarts in good order, with 1 to 5 seats. See SeatChecks for what holds.
describe('seats in a storm', () => {
  it.each([1, 2, 3, 4, 5])('agree on owners, part %i of 5', (part) => {
    const { acquisitions, learnedFully, handedOver, copied } = sum(
      seeds(part * 100, 100).map((seed) => runChaos(seed)),
    );
    expect(acquisitions).toBeGreaterThan(700);
    expect(acquisitions - learnedFully).toBeGreaterThan(150);
    expect(handedOver).toBeGreaterThan(30);
    expect(copied).toBeGreaterThan(5_000);
  });

  it('agree on owners though every restart is said to be the first start of the cluster', () => {
    const { acquisitions, firsts } = sum(seeds(2_000, 150).map((seed) => runChaos(seed, { isAlwaysFirst: true })));
    expect(acquisitions).toBeGreaterThan(1_000);
    expect(firsts).toBeGreaterThan(200);
  });

  it.each(['oneByOne', 'severalAtOnce'] as const)('agree on owners while seats come and go, %s', (changesSeats) => {
    const runs = seeds(1_000, 100).map((seed) => runChaos(seed, { changesSeats }));
    expect(sum(runs).acquisitions).toBeGreaterThan(600);
  });
});

// S4 at every moment: while a majority is whole it has all shards, soon after the others are gone.
describe('a majority that can talk', () => {
  it('owns every shard soon after a minority is cut off or dies', () => {
    const longestMs = Math.max(...seeds(1, 60).map((seed) => runSplits(seed, 5)));
    expect(longestMs).toBeLessThan(4_000);
  });
});

// J1 to J4, with crashes and restarts, and a second between a report and the next.
describe('resource managers with lists that contradict each other', () => {
  it.each([
    ['eachAlone', 60],
    ['oneStray', 60],
    ['replaced', 60],
    // Many of these lists have no majority.
    ['anything', 20],
  ] as const)('never deal one shard twice: %s; in the end one side deals, in %i of 60', (wrong, dealing) => {
    const runs = seeds(1, 60).map((seed) => runDisagreement(seed, wrong));
    expect(runs.reduce((sum, { holds }) => sum + holds, 0)).toBeGreaterThan(60);
    expect(runs.filter(({ deals }) => deals > 0).length).toBeGreaterThanOrEqual(dealing);
  });
});

describe('a seat without one of its rules', () => {
  const planted: Record<string, { rules: Partial<SeatRules>; breaks: RegExp }> = {
    'promises right after a restart': { rules: { promisesFrom: ({ startedAt }) => startedAt }, breaks: /S[123]/ },
    'promises to two': { rules: { bars: () => false }, breaks: /S1/ },
    'takes any answer for the one to its last request': { rules: { isAnswerTo: () => true }, breaks: /S1/ },
    'counts from receipt': { rules: { countsFrom: (_, receivedAt) => receivedAt }, breaks: /S1/ },
    'copies to nobody': { rules: { copiesNeeded: () => 0 }, breaks: /S3/ },
    'trusts those that forgot': { rules: { knowersNeeded: () => 0 }, breaks: /S3/ },
  };

  it.each(Object.entries(planted))('that %s is caught within 200 seeds', (_, { rules, breaks }) => {
    const broken = { ...SEAT_RULES, ...rules };
    expect(firstViolation(seeds(1, 200), broken)).toMatch(breaks);
  });
});

function firstViolation(tried: readonly number[], rules: SeatRules): string | undefined {
  for (const seed of tried) {
    try {
      runChaos(seed, { rules, seatCount: 3 });
    } catch (error) {
      if (error instanceof Violation) return error.message;
      throw error;
    }
  }
  return undefined;
}
