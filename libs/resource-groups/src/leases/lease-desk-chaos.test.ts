import { LEASE_RULES, type LeaseRules } from './lease-timing.js';
import { runDeskChaos } from './testing/desk-chaos.js';
import type { DeskChecks } from './testing/desk-checks.js';
import { Violation } from './testing/lease-checks.js';

const seeds = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

const total = (runs: readonly DeskChecks[], of: (checks: DeskChecks) => number): number =>
  runs.reduce((sum, checks) => sum + of(checks), 0);

// One or three desks with their seats, coordinators with real holders, and workers with real fences: crashes, restarts in
// place and in good order, pauses, suspended machines, cuts, loss, delay, clocks that run 4 % fast or slow, other limits and
// modes. What must hold is in testing/desk-checks.ts.
describe('desks in a storm', () => {
  it.each([1, 2, 3, 4])('keep every limit, and what waits starts in the end, part %i of 4', (part) => {
    const runs = seeds(part * 1_000, 50).map((seed) => runDeskChaos(seed));
    expect(total(runs, ({ begun }) => begun)).toBeGreaterThan(3_500);
    expect(total(runs, ({ known }) => known.firstStart)).toBeGreaterThan(1_000);
    expect(total(runs, ({ known }) => known.handedOver)).toBeGreaterThan(150);
    expect(total(runs, ({ known }) => known.copies)).toBeGreaterThan(300);
    expect(total(runs, ({ refused }) => refused.fenced)).toBeGreaterThan(5);
  });
});

describe('desks without one of the rules of leases', () => {
  const planted: Record<string, Partial<LeaseRules>> = {
    'that free what a silent coordinator held without evidence': { needsEvidence: false },
    'that forget what former owners dealt': { takesOver: false },
  };

  it.each(Object.entries(planted))('%s are caught', (_, rules) => {
    expect(firstViolation(seeds(1, 100), { ...LEASE_RULES, ...rules })).toMatch(/A1|O1/);
  });
});

function firstViolation(tried: readonly number[], rules: LeaseRules): string | undefined {
  for (const seed of tried) {
    try {
      runDeskChaos(seed, rules);
    } catch (error) {
      if (error instanceof Violation) return error.message;
      throw error;
    }
  }
  return undefined;
}
