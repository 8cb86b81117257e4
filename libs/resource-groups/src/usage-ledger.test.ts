import { instant } from '@tutti/base';
import type { GroupCounts } from './group-tree.js';
import { UsageLedger } from './usage-ledger.js';

const counts = (group: string, more: Partial<GroupCounts>): GroupCounts => ({
  ...{ group, running: 0, queued: 0, claimed: 0, claimRound: 0, hardConcurrencyLimit: 5, maxQueued: 10 },
  ...{ memoryBytes: 0, cpuMs: 0, cpuQuotaMsPerSecond: 0, template: '' },
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
    more: { incarnation?: number; sequence?: number; suffix?: string; version?: string } = {},
  ) {
    const sequence = more.sequence ?? (this.sequences.get(coordinatorId) ?? 0) + 1;
    this.sequences.set(coordinatorId, sequence);
    const { incarnation = 1, suffix: queryIdSuffix, version: configVersion } = more;
    const report = { coordinatorId, incarnation, sequence, groups, queryIdSuffix, configVersion };
    return this.ledger.record(report, instant(this.now++));
  }

  usageFor(coordinatorId: string, incarnation = 1) {
    const usage = this.ledger.usageFor({ coordinatorId, incarnation }, instant(this.now));
    return { ...usage, groups: Object.fromEntries(usage.groups), cpu: Object.fromEntries(usage.cpu) };
  }
}

describe('the usage ledger', () => {
  it('tells an asker what all others run and wait for, and how old that is', () => {
    const reports = new Reports();
    reports.report('a', [counts('g.x', { running: 1, queued: 2, memoryBytes: 40 })]);
    reports.report('b', [
      ...[counts('g.x', { running: 3, memoryBytes: 60 }), counts('g.y', { queued: 1 }), counts('g', {})],
    ]);
    reports.report('c', [counts('g.x', { running: 7 })]);
    expect(reports.usageFor('c')).toEqual({
      knownRound: 0,
      groups: {
        'g.x': { running: 4, queued: 2, memoryBytes: 100, claimsAhead: [] },
        'g.y': { running: 0, queued: 1, memoryBytes: 0, claimsAhead: [] },
      },
      cpu: {},
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
    expect(reports.usageFor('b').groups['g']).toEqual({ running: 0, queued: 1, memoryBytes: 0, claimsAhead: [] });
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
      x: { running: 0, queued: 9, memoryBytes: 0, claimsAhead: [{ round: 1, count: 1 }] },
      y: { running: 0, queued: 9, memoryBytes: 0, claimsAhead: [{ round: 2, count: 2 }] },
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
    const task = (queryId: string) => ({ queryId, coordinatorId: 'a', group: 'g', memoryBytes: 100 });
    reports.ledger.recordWorker('w1', [task('q1'), task('q2')], instant(5_000));
    reports.ledger.recordWorker('w2', [task('q2')], instant(5_000));
    reports.now = 10_000;
    expect(reports.usageFor('b').groups['g']).toMatchObject({ running: 3, queued: 4 });
    reports.now = 10_001;
    expect(reports.usageFor('b')).toMatchObject({
      groups: { g: { running: 2, queued: 0, memoryBytes: 300 } },
      coordinators: [],
    });
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

  it('tells every asker what CPU was used in the whole cluster, its own included, also by who is gone (L5)', () => {
    const reports = new Reports();
    const used = (cpuMs: number) => [counts('g', { cpuQuotaMsPerSecond: 100 }), counts('g.x', { cpuMs })];
    for (const id of ['a', 'b']) reports.report(id, used(0));
    reports.report('a', used(700));
    reports.report('b', used(50));
    reports.report('a', used(600), { sequence: 1 }); // Late (L1): nothing is charged.
    reports.now = 1_002; // The first charge came at 2.
    expect(reports.usageFor('a').cpu['g']).toBeCloseTo(650, 0);
    reports.ledger.forget('a');
    expect(reports.usageFor('b').cpu['g']).toBeCloseTo(650, 0);
    reports.now = 6_000;
    expect(reports.ledger.cpuUsedMs(instant(6_000)).get('g')).toBeCloseTo(150, 0);
    reports.now = 8_000;
    expect(reports.usageFor('b').cpu).toEqual({});
  });

  it('knows which resource groups each coordinator keeps to', () => {
    const reports = new Reports();
    reports.report('a', [], { version: '0a1b2c3d4e5f' });
    reports.report('b', []);
    reports.report('a', [], { version: 'built-in' });
    expect(reports.ledger.versions(instant(reports.now))).toEqual([
      { coordinatorId: 'a', incarnation: 1, sequence: 2, configVersion: 'built-in' },
      { coordinatorId: 'b', incarnation: 1, sequence: 1, configVersion: undefined },
    ]);
  });

  it('sums groups and their ancestors for people', () => {
    const reports = new Reports();
    const root = counts('g', { hardConcurrencyLimit: 8, maxQueued: 80, cpuQuotaMsPerSecond: 500 });
    reports.report('a', [counts('g.x', { running: 1, queued: 2, memoryBytes: 30 }), root]);
    const [user, template] = ['g.y."alice.smith"', 'g.y.${USER}'];
    reports.report('b', [counts(user, { running: 3, memoryBytes: 4, template, hardConcurrencyLimit: 6 }), root]);
    const stray = { queryId: 'q', coordinatorId: 'gone', group: user, memoryBytes: 500 };
    reports.ledger.recordWorker('w', [stray], instant(2));
    const share = (coordinatorId: string, running: number, queued: number, memoryBytes: number, ageMs?: number) => ({
      ...{ coordinatorId, running, queued, memoryBytes, ageMs },
    });
    const [a, b, gone] = [share('a', 1, 2, 30, 2), share('b', 3, 0, 4, 1), share('gone', 1, 0, 500)];
    const unknown = { isReported: false, hardConcurrencyLimit: 0, maxQueued: 0, cpuQuotaMsPerSecond: 0 };
    const limited = { isReported: true, hardConcurrencyLimit: 5, maxQueued: 10, cpuQuotaMsPerSecond: 0 };
    expect(reports.ledger.groups(instant(2))).toEqual([
      {
        ...{ group: 'g', template: 'g', running: 5, queued: 2, memoryBytes: 534, ownRunning: 0, ownQueued: 0 },
        ...{ ...limited, hardConcurrencyLimit: 8, maxQueued: 80, cpuQuotaMsPerSecond: 500 },
        coordinators: [a, b, gone],
      },
      {
        ...{ group: 'g.x', template: 'g.x', running: 1, queued: 2, memoryBytes: 30, ownRunning: 1, ownQueued: 2 },
        ...{ ...limited, coordinators: [a] },
      },
      {
        ...{ group: 'g.y', template: 'g.y', running: 4, queued: 0, memoryBytes: 504, ownRunning: 0, ownQueued: 0 },
        ...{ ...unknown, coordinators: [b, gone] },
      },
      {
        ...{ group: user, template, running: 4, queued: 0, memoryBytes: 504, ownRunning: 4, ownQueued: 0 },
        ...{ ...limited, hardConcurrencyLimit: 6, coordinators: [b, gone] },
      },
    ]);
  });

  it('shows the limits of the newest report, whoever made it', () => {
    const reports = new Reports();
    const limited = (hardConcurrencyLimit: number) => [counts('g', { hardConcurrencyLimit })];
    reports.report('a', limited(1));
    reports.report('b', limited(2));
    expect(reports.ledger.groups(instant(2))[0]?.hardConcurrencyLimit).toBe(2);
    reports.report('a', limited(3));
    expect(reports.ledger.groups(instant(3))[0]?.hardConcurrencyLimit).toBe(3);
  });
});
