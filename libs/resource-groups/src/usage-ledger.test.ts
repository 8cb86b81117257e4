import { instant } from '@tutti/base';
import type { GroupCounts } from './group-tree.js';
import { UsageLedger } from './usage-ledger.js';

const counts = (group: string, more: Partial<GroupCounts>): GroupCounts => ({
  ...{ group, running: 0, queued: 0, claimed: 0, claimRound: 0, hardConcurrencyLimit: 5, maxQueued: 10 },
  ...more,
});

/** Reports, one millisecond after another, unless told otherwise. */
class Reports {
  readonly ledger = new UsageLedger({ expireAfterMs: 10_000 });
  private readonly sequences = new Map<string, number>();
  now = 0;

  report(
    coordinatorId: string,
    groups: GroupCounts[],
    more: { incarnation?: number; sequence?: number; suffix?: string } = {},
  ) {
    const sequence = more.sequence ?? (this.sequences.get(coordinatorId) ?? 0) + 1;
    this.sequences.set(coordinatorId, sequence);
    const { incarnation = 1, suffix: queryIdSuffix } = more;
    return this.ledger.record({ coordinatorId, incarnation, sequence, groups, queryIdSuffix }, instant(this.now++));
  }

  usageFor(coordinatorId: string, incarnation = 1) {
    const usage = this.ledger.usageFor({ coordinatorId, incarnation }, instant(this.now));
    return { ...usage, groups: Object.fromEntries(usage.groups) };
  }
}

describe('the usage ledger', () => {
  it('tells an asker what all others run and wait for, and how old that is', () => {
    const reports = new Reports();
    reports.report('a', [counts('g.x', { running: 1, queued: 2 })]);
    reports.report('b', [counts('g.x', { running: 3 }), counts('g.y', { queued: 1 }), counts('g', {})]);
    reports.report('c', [counts('g.x', { running: 7 })]);
    expect(reports.usageFor('c')).toEqual({
      knownRound: 0,
      groups: {
        'g.x': { running: 4, queued: 2, claimsAhead: [] },
        'g.y': { running: 0, queued: 1, claimsAhead: [] },
      },
      coordinators: [
        { coordinatorId: 'a', ageMs: 3 },
        { coordinatorId: 'b', ageMs: 2 },
      ],
    });
  });

  it('keeps the newest report, whatever order they come in (L1)', () => {
    const reports = new Reports();
    expect(reports.report('a', [counts('g', { running: 2 })], { sequence: 5 })).toBe(true);
    expect(reports.report('a', [counts('g', { running: 1 })], { sequence: 4 })).toBe(false);
    expect(reports.report('a', [counts('g', { running: 1 })], { sequence: 5 })).toBe(false);
    expect(reports.usageFor('b').groups['g']?.running).toBe(2);
    expect(reports.report('a', [counts('g', { running: 0, queued: 1 })], { incarnation: 2, sequence: 1 })).toBe(true);
    expect(reports.report('a', [counts('g', { running: 9 })], { incarnation: 1, sequence: 99 })).toBe(false);
    expect(reports.usageFor('b').groups['g']).toEqual({ running: 0, queued: 1, claimsAhead: [] });
  });

  it('keeps the order of claims until they are used up (L2)', () => {
    const reports = new Reports();
    const claim = (group: string, claimed: number, claimRound: number) =>
      counts(group, { queued: 9, claimed, claimRound });
    reports.report('a', [claim('x', 2, 1)]);
    reports.report('b', [claim('x', 3, 1)]);
    reports.report('a', [claim('x', 1, 1), claim('y', 2, 2)]);
    // Of b's one round, a's first comes before and a's second after.
    expect(reports.usageFor('b').groups).toEqual({
      x: { running: 0, queued: 9, claimsAhead: [{ round: 1, count: 1 }] },
      y: { running: 0, queued: 9, claimsAhead: [{ round: 2, count: 2 }] },
    });
    expect(reports.usageFor('b').knownRound).toBe(1);
    expect(reports.usageFor('a')).toMatchObject({
      knownRound: 2,
      groups: { x: { claimsAhead: [{ round: 2, count: 3 }] } },
    });
    // A round that was used up and a new one: behind b's.
    reports.report('a', [claim('x', 4, 3)]);
    expect(reports.usageFor('a').groups['x']?.claimsAhead).toEqual([{ round: 3, count: 3 }]);
    expect(reports.usageFor('b').groups['x']?.claimsAhead).toEqual([{ round: 2, count: 4 }]);
  });

  it('lets a process that was replaced know of nothing that it could start', () => {
    const reports = new Reports();
    const claims = [counts('x', { queued: 1, claimed: 1, claimRound: 7 })];
    reports.report('a', claims, { incarnation: 2 });
    reports.report('a', claims, { incarnation: 1 });
    expect(reports.usageFor('a', 2).knownRound).toBe(7);
    expect(reports.usageFor('a', 1).knownRound).toBe(0);
    expect(reports.ledger.usageFor(undefined, instant(1)).groups.get('x')?.queued).toBe(1);
  });

  it('counts what workers run for a coordinator that went silent, once per query (L3)', () => {
    const reports = new Reports();
    reports.report('a', [counts('g', { running: 3, queued: 4 })]);
    const task = (queryId: string) => ({ queryId, coordinatorId: 'a', group: 'g' });
    reports.ledger.recordWorker('w1', [task('q1'), task('q2')], instant(5_000));
    reports.ledger.recordWorker('w2', [task('q2')], instant(5_000));
    reports.now = 10_000;
    expect(reports.usageFor('b').groups['g']).toMatchObject({ running: 3, queued: 4 });
    reports.now = 10_001;
    expect(reports.usageFor('b')).toMatchObject({ groups: { g: { running: 2, queued: 0 } }, coordinators: [] });
    reports.ledger.recordWorker('w1', [], instant(10_002));
    expect(reports.usageFor('b').groups['g']?.running).toBe(1);
    reports.now = 15_001;
    expect(reports.usageFor('b').groups).toEqual({});
  });

  it('counts what workers run for the former life of a coordinator, even for that coordinator (L3)', () => {
    const reports = new Reports();
    const old = { queryId: '20260101_000000_00000_aaaaa', coordinatorId: 'a', group: 'g' };
    const own = { queryId: '20260101_000000_00000_bbbbb', coordinatorId: 'a', group: 'g' };
    reports.ledger.recordWorker('w1', [old, own], instant(0));
    reports.report('a', [counts('g', { running: 1 })], { incarnation: 2, suffix: 'bbbbb' });
    reports.report('a', [counts('g', { running: 1 })], { incarnation: 2 });
    expect(reports.usageFor('a').groups['g']?.running).toBe(1);
    expect(reports.usageFor('b').groups['g']?.running).toBe(2);
  });

  it('forgets a coordinator that left in good order', () => {
    const reports = new Reports();
    reports.report('a', [counts('g', { running: 3 })]);
    reports.ledger.forget('a');
    expect(reports.usageFor('b')).toMatchObject({ groups: {}, coordinators: [] });
  });

  it('sums groups and their ancestors for people', () => {
    const reports = new Reports();
    const root = counts('g', { hardConcurrencyLimit: 8, maxQueued: 80 });
    reports.report('a', [counts('g.x', { running: 1, queued: 2 }), root]);
    reports.report('b', [counts('g.y', { running: 3 }), root]);
    reports.ledger.recordWorker('w', [{ queryId: 'q', coordinatorId: 'gone', group: 'g.y' }], instant(2));
    const share = (coordinatorId: string, running: number, queued: number, ageMs?: number) => ({
      ...{ coordinatorId, running, queued, ageMs },
    });
    expect(reports.ledger.groups(instant(2))).toEqual([
      {
        ...{ group: 'g', running: 5, queued: 2, hardConcurrencyLimit: 8, maxQueued: 80 },
        coordinators: [share('a', 1, 2, 2), share('b', 3, 0, 1), share('gone', 1, 0)],
      },
      {
        ...{ group: 'g.x', running: 1, queued: 2, hardConcurrencyLimit: 5, maxQueued: 10 },
        coordinators: [share('a', 1, 2, 2)],
      },
      {
        ...{ group: 'g.y', running: 4, queued: 0, hardConcurrencyLimit: 5, maxQueued: 10 },
        coordinators: [share('b', 3, 0, 1), share('gone', 1, 0)],
      },
    ]);
  });
});
