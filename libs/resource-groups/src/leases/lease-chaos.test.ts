import { LEASE_RULES, type LeaseRules } from './lease-timing.js';
import { type ChaosOptions, runChaos } from './testing/chaos.js';
import { type LeaseChecks, Violation } from './testing/lease-checks.js';

const seeds = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

const sum = (runs: readonly LeaseChecks[], of: (run: LeaseChecks) => number): number =>
  runs.reduce((total, run) => total + of(run), 0);

// Cuts and partitions, crashes, restarts in place, processes that stand still, loss, delay, doubled and overtaken
// messages, clocks that run 4 % fast or slow, owners that follow each other with or without a ledger, with 2 to 8
// coordinators. See LeaseChecks for what holds.
describe('leases in a storm', () => {
  it.each([1, 2, 3])('keep every limit, part %i of 3', (part) => {
    const runs = seeds(part * 100, 35).map((seed) => runChaos(seed));
    expect(sum(runs, ({ starts }) => starts)).toBeGreaterThan(5_000);
    expect(sum(runs, ({ fencesSeen }) => fencesSeen)).toBeGreaterThan(50);
    expect(sum(runs, ({ refusedTasks }) => refusedTasks)).toBeGreaterThan(50);
    expect(sum(runs, ({ requeued }) => requeued)).toBeGreaterThan(0);
  });

  it('keep every limit while limits change', () => {
    const runs = seeds(1_000, 25).map((seed) => runChaos(seed, { changesLimits: true }));
    expect(sum(runs, ({ starts }) => starts)).toBeGreaterThan(3_000);
  });
});

describe('leases without one of their rules', () => {
  const slowCopies: ChaosOptions = { copyMs: 50 };
  const long: ChaosOptions = { coordinators: 4, stormMs: 40_000 };
  const planted: Record<string, { rules: Partial<LeaseRules>; breaks: RegExp; options?: ChaosOptions }> = {
    'take every grant for an answer to the last demand': { rules: { answersLast: () => true }, breaks: /A1|O1/ },
    'have two demands in flight': {
      rules: { demandsInFlightMax: 2, answersLast: (ackSeq, lastSeq) => ackSeq >= lastSeq - 1 },
      breaks: /A1|O1/,
    },
    'begin with an empty book': { rules: { takesOver: false }, breaks: /A1|O1/ },
    'free what has expired without evidence': { rules: { needsEvidence: false }, breaks: /A1/ },
    'copy no increase': { rules: { copiesIncreases: false }, breaks: /A1|O1/, options: slowCopies },
    'count from receipt': { rules: { countsFrom: (_, receivedAt) => receivedAt }, breaks: /L1/, options: long },
  };

  it.each(Object.entries(planted))('that %s are caught within 200 seeds', (_, { rules, breaks, options }) => {
    expect(firstViolation({ ...options, rules: { ...LEASE_RULES, ...rules } })).toMatch(breaks);
  });
});

function firstViolation(options: ChaosOptions): string | undefined {
  for (const seed of seeds(1, 200)) {
    try {
      runChaos(seed, options);
    } catch (error) {
      if (error instanceof Violation) return error.message;
      throw error;
    }
  }
  return undefined;
}
