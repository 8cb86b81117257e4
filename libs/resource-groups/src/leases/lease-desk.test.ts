import { instant, nodeId } from '@tutti/base';
import { groupSpec, type GroupSpec } from '../group-config.js';
import { seatSet } from '../seats/seat-set.js';
import { shardOfGroup } from '../seats/shard.js';
import type { DeskEffect, DeskEvent, DeskReport } from './desk-events.js';
import { LeaseDesk } from './lease-desk.js';
import type { Demand, LeafDemand, LeasedTask } from './lease-messages.js';

const limited = (name: string, hardConcurrencyLimit: number, more: Partial<GroupSpec> = {}): GroupSpec =>
  groupSpec({ name, hardConcurrencyLimit, maxQueued: 100, ...more });

const leaf = (group: string, waiting: number, held = 0, running = 0): LeafDemand => {
  const oldest = Array.from({ length: Math.min(8, waiting) }, () => ({ ageMs: 10, priority: 1 }));
  return { group, template: group, running, held, waiting, oldest, slack: 0 };
};

/** A desk alone, at the first start of its cluster, with the coordinators c1 and c2 and the worker w1. */
class LoneDesk {
  readonly desk: LeaseDesk;
  nowMs = 1_000;
  private seq = 0;
  private sequence = 0;

  constructor(...rootGroups: GroupSpec[]) {
    const seat = nodeId('m1');
    this.desk = new LeaseDesk({
      ...{ seat, incarnation: 5_000, startedAt: instant(this.nowMs), seatSet: seatSet(1, [seat]) },
      ...{ isFirstStart: true, random: () => 0.5, config: { rootGroups, selectors: [] } },
    });
    this.apply({ kind: 'tick' });
    const coordinators = ['c1', 'c2'].map((coordinatorId) => ({ coordinatorId, incarnation: 1 }));
    this.apply({ kind: 'membership', coordinators, workers: [{ workerId: 'w1', incarnation: 1 }] });
    for (const life of coordinators) this.apply({ kind: 'connected', life });
  }

  apply(event: DeskEvent): DeskEffect[] {
    return this.desk.apply(event, instant(this.nowMs));
  }

  configure(...rootGroups: GroupSpec[]): DeskEffect[] {
    return this.apply({ kind: 'configured', config: { rootGroups, selectors: [] } });
  }

  epochOf(group: string): number {
    return this.desk.owned().find(({ shard }) => shard === shardOfGroup(group))?.epoch ?? 0;
  }

  demand(coordinatorId: string, leaves: LeafDemand[], more: Partial<Demand> = {}, incarnation = 1): DeskEffect[] {
    const [{ group } = { group: '' }] = leaves;
    const named = { coordinatorId, incarnation, seq: ++this.seq, ownerEpoch: this.epochOf(group), baseSeq: undefined };
    const demand = { ...named, epochSeen: 0, stamp: { epoch: 0, seq: 0 }, isLapsed: true, leaves, ...more };
    const life = { coordinatorId, incarnation: 1 };
    return this.apply({ kind: 'demands', life, demands: [{ shard: shardOfGroup(group), demand }] });
  }

  report(tasks: readonly LeasedTask[], kept: DeskReport['kept'] = []): DeskEffect[] {
    return this.apply({
      kind: 'workerReport',
      report: { workerId: 'w1', incarnation: 1, sequence: ++this.sequence, kept, tasks },
    });
  }
}

const caps = (effects: readonly DeskEffect[]): string[] =>
  effects.flatMap((effect) =>
    effect.kind === 'grant'
      ? effect.grant.caps.map(({ group, cap }) => `${effect.to.coordinatorId} ${group}=${cap}`)
      : [],
  );

describe('a desk', () => {
  it('deals at once at a first start that the operator vouches for', () => {
    const lone = new LoneDesk(limited('a', 2));
    expect(lone.desk.owned()).toHaveLength(64);
    expect(caps(lone.demand('c1', [leaf('a', 3)]))).toEqual(['c1 a=2']);
    expect(lone.desk.heldBy('a')).toEqual([
      { coordinatorId: 'c1', incarnation: 1, held: 2, running: 0, isSilent: false },
    ]);
    expect(lone.desk.groups()).toMatchObject([{ group: 'a', limit: 2, booked: 2 }]);
  });

  it('deals nothing in root groups of other modes (D4)', () => {
    const lone = new LoneDesk(limited('a', 2, { admissionMode: 'gated' }), limited('b', 2));
    expect(caps(lone.demand('c1', [leaf('a', 3)]))).toEqual([]);
    expect(caps(lone.demand('c1', [leaf('b', 3)]))).toEqual(['c1 b=2']);
  });

  it("takes a worker's tasks to the owners of their groups, and tells it the fences of leased groups only", () => {
    const lone = new LoneDesk(limited('a', 2), limited('b', 2), limited('c', 2, { admissionMode: 'gated' }));
    const task = (group: string, queryId: string, incarnation = 1): LeasedTask => ({
      ...{ coordinatorId: 'c1', incarnation, group, queryId },
    });
    const tasks = [task('a', 'q1'), task('a', 'q2'), task('a', 'q3', 0), task('b', 'q4'), task('c', 'q5', 0)];
    const told = lone.report(tasks).filter((effect) => effect.kind === 'fences');
    expect(told.map(({ list }) => list.leasedRootGroups).sort()).toEqual([['a'], ['b']]);
    expect(lone.desk.overAdmission()).toEqual(new Map([['a', 1]]));
    expect(lone.desk.heldBy('a').map(({ incarnation, held }) => [incarnation, held])).toEqual([
      [1, 2],
      [0, 1],
    ]);
    const kept = told.map(({ shard, list: { epoch, version } }) => ({ shard, epoch, version }));
    expect(lone.report(tasks, kept).filter(({ kind }) => kind === 'fences')).toEqual([]);
  });

  it('takes demands only from streams of the life that they name (D2)', () => {
    const lone = new LoneDesk(limited('a', 2));
    expect(lone.demand('c1', [leaf('a', 1)], {}, 2)).toEqual([]);
    expect(lone.demand('c3', [leaf('a', 1)])).toEqual([]);
    lone.apply({ kind: 'disconnected', life: { coordinatorId: 'c1', incarnation: 1 } });
    expect(lone.demand('c1', [leaf('a', 1)])).toEqual([]);
    expect(lone.desk.counters).toMatchObject({ demands: 3, demandsIgnored: 3, grants: 0 });
  });

  it('believes in no epoch that it could not step above, and steps above all others (D3)', () => {
    const lone = new LoneDesk(limited('a', 2));
    const before = lone.epochOf('a');
    lone.demand('c1', [leaf('a', 1)], { epochSeen: Number.MAX_SAFE_INTEGER });
    lone.report([], [{ shard: shardOfGroup('a'), epoch: 2 ** 53, version: 1 }]);
    expect(lone.epochOf('a')).toBe(before);
    lone.report([], [{ shard: shardOfGroup('a'), epoch: before + 7, version: 1 }]);
    expect(lone.epochOf('a')).toBe(before + 8);
    expect(caps(lone.demand('c1', [leaf('a', 3)]))).toEqual(['c1 a=2']);
  });

  it('ticks only when something is due', () => {
    const lone = new LoneDesk(limited('a', 2));
    lone.demand('c1', [leaf('a', 1)]);
    for (let count = 0; count < 100; count++) {
      const wakeAt = lone.desk.wakeAt();
      expect(wakeAt).toBeGreaterThan(lone.nowMs);
      lone.nowMs = wakeAt;
      lone.apply({ kind: 'tick' });
    }
    expect(lone.nowMs).toBeGreaterThan(1_000 + 20_000);
  });

  it('counts over all owners that there were', () => {
    const lone = new LoneDesk(limited('a', 2));
    lone.demand('c1', [leaf('a', 1)]);
    const claim = { isLapsed: false, stamp: { epoch: lone.epochOf('a'), seq: 1 } };
    expect(lone.demand('c1', [leaf('a', 0, 9)], claim)).toContainEqual({
      kind: 'note',
      note: { kind: 'overclaim', shard: shardOfGroup('a'), life: { coordinatorId: 'c1', incarnation: 1 } },
    });
    lone.apply({ kind: 'overslept' });
    expect(lone.desk.counters.overclaims).toBe(1);
    expect(lone.desk.owned()).toHaveLength(64);
  });
});
