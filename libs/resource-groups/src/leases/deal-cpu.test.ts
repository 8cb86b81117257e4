// CPU budgets: what the owner gives, and what holders make of it.
import { instant, randomInt, seededRandom } from '@tutti/base';
import { groupSpec, type GroupSpec } from '../group-config.js';
import type { HolderEvent } from './holder-events.js';
import { LeaseHolder } from './lease-holder.js';
import type { LeafDemand } from './lease-messages.js';
import { LeaseOwner } from './lease-owner.js';
import type { OwnerEffect, OwnerEvent } from './owner-events.js';
import { TestOwner } from './testing/test-owner.js';

/** 60 s of CPU at most, of which 1 s comes back each second. */
const LIMITED = { hardCpuLimitMs: 60_000, softCpuLimitMs: 40_000, cpuQuotaMsPerSecond: 1_000 };

const spec = (name: string, more: Partial<GroupSpec> = {}): GroupSpec =>
  groupSpec({ name, hardConcurrencyLimit: 20, maxQueued: 1e6, ...more });

const leaf = (running: number, held: number, waiting: number, cpuMs: number, group = 'a'): LeafDemand => {
  const oldest = Array.from({ length: Math.min(8, waiting) }, () => ({ ageMs: 10, priority: 1 }));
  return { group, template: group, running, held, waiting, oldest, slack: 0, cpuMs };
};

const budgetsIn = (effects: readonly OwnerEffect[]): (number | undefined)[] =>
  effects.flatMap((effect) => (effect.kind === 'grant' ? effect.grant.caps.map(({ cpuBudgetMs }) => cpuBudgetMs) : []));

const budgetFor = (desk: TestOwner, coordinatorId: string, ...leaves: LeafDemand[]): number | undefined =>
  budgetsIn(desk.keep(desk.demand(coordinatorId, ...leaves)))[0];

const limitOf = (desk: TestOwner, group: string): number | undefined =>
  desk.owner.groups().find((dealt) => dealt.group === group)?.limit;

describe('CPU budgets', () => {
  it('come with slots, ten times the quota at most, in shares by what runs and waits (V3)', () => {
    const desk = new TestOwner([spec('a', LIMITED)]);
    expect(budgetFor(desk, 'c1', leaf(0, 0, 2, 0))).toBe(10_000);
    expect(budgetFor(desk, 'c2', leaf(0, 0, 2, 0))).toBe(0);
    desk.nowMs += 1_000;
    desk.keep(desk.demand('c1', leaf(2, 2, 0, 6_000)));
    expect(budgetFor(desk, 'c2', leaf(2, 2, 0, 0))).toBe(5_000);
    expect(budgetFor(desk, 'c1', leaf(2, 2, 0, 6_000))).toBe(5_000);
  });

  it('are not told where no group has a hard limit', () => {
    const desk = new TestOwner([spec('a')]);
    expect(budgetFor(desk, 'c1', leaf(0, 0, 2, 0))).toBeUndefined();
  });

  it('count against every group above that has a limit', () => {
    const x = spec('x', { template: 'b.x' });
    const desk = new TestOwner([spec('b', { ...LIMITED, subGroups: [x] })]);
    expect(budgetFor(desk, 'c1', leaf(0, 0, 2, 0, 'b.x'))).toBe(10_000);
    desk.nowMs += 1_000;
    desk.keep(desk.demand('c1', leaf(2, 2, 0, 50_000, 'b.x')));
    expect(limitOf(desk, 'b')).toBe(10);
  });

  it('lower the limit for the whole cluster at once, and it comes back with the quota (V1, V2)', () => {
    const desk = new TestOwner([spec('a', LIMITED)]);
    desk.keep(desk.demand('c1', leaf(0, 0, 10, 0)));
    desk.keep(desk.demand('c2', leaf(0, 0, 5, 700_000)));
    expect(limitOf(desk, 'a')).toBe(20);
    desk.keep(desk.demand('c1', leaf(10, 10, 0, 50_000)));
    expect(limitOf(desk, 'a')).toBe(10);
    const wishes = desk
      .keep(desk.demand('c2', leaf(5, 5, 3, 715_000)))
      .flatMap((effect) => (effect.kind === 'grant' ? effect.grant.wishes : []));
    expect(limitOf(desk, 'a')).toBe(0);
    expect(wishes).toContainEqual({ group: 'a', mode: 'stop', keep: 0 });
    desk.passes(26_000);
    expect(limitOf(desk, 'a')).toBe(20);
  });

  it('take the more of what was charged and what was measured', () => {
    const desk = new TestOwner([spec('a', LIMITED)]);
    desk.keep(desk.demand('c1', leaf(0, 0, 10, 0)));
    desk.keep(desk.demand('c1', leaf(10, 10, 0, 50_000)));
    const cluster = { activeWorkers: 1, memoryBytes: 1_000 };
    const measured = (cpuUsedMs: number): OwnerEvent => ({
      ...{ kind: 'measured', cluster, levels: [{ group: 'a', memoryBytes: 0, cpuUsedMs }] },
    });
    desk.apply(measured(45_000));
    expect(limitOf(desk, 'a')).toBe(10);
    desk.apply(measured(55_000));
    expect(limitOf(desk, 'a')).toBe(5);
  });

  it('leave what a former owner may have given, until its coordinators have a budget of this one (V3)', () => {
    const former = new LeaseOwner();
    const copies = new Map<string, Uint8Array | undefined>();
    const life = { coordinatorId: 'c1', incarnation: 1 };
    const keep = (owner: LeaseOwner, event: OwnerEvent): OwnerEffect[] =>
      owner.apply(event, instant(0)).flatMap((effect): OwnerEffect[] => {
        if (effect.kind !== 'copy') return [effect];
        for (const { key, payload } of effect.entries) copies.set(key, payload);
        return keep(owner, { kind: 'copied', seq: effect.entries.at(-1)?.seq ?? 0 });
      });
    const begin = (owner: LeaseOwner, epoch: number): void => {
      keep(owner, { kind: 'configured', rootGroups: [spec('a', { ...LIMITED, hardCpuLimitMs: 15_000 })] });
      const found = Array.from(copies, ([key, payload]) => ({ key, payload }));
      keep(owner, { kind: 'acquired', epoch, copies: found, mustLearnFully: false, learnMs: 0 });
      const coordinators = [life, { coordinatorId: 'c2', incarnation: 1 }];
      keep(owner, { kind: 'membership', coordinators, workers: [] });
    };
    const demand = (id: string, seq: number, baseSeq: number | undefined, epoch: number, leaves: LeafDemand[]) => {
      const isLapsed = seq === 1;
      const order = { seq, baseSeq, ownerEpoch: epoch, epochSeen: epoch, isLapsed };
      const stamp = isLapsed ? { epoch: 0, seq: 0 } : { epoch: 1, seq: seq - 1 };
      return { kind: 'demand', demand: { coordinatorId: id, incarnation: 1, ...order, stamp, leaves } } as const;
    };
    begin(former, 1);
    expect(budgetsIn(keep(former, demand('c1', 1, undefined, 1, [leaf(0, 0, 4, 0)])))).toEqual([10_000]);

    const successor = new LeaseOwner();
    begin(successor, 2);
    // 15 s are left, of which c1 may have 10 s: nobody knows yet what it has used of them.
    expect(budgetsIn(keep(successor, demand('c2', 1, undefined, 2, [leaf(0, 0, 1, 0)])))).toEqual([5_000]);
    expect(budgetsIn(keep(successor, demand('c1', 2, undefined, 2, [leaf(4, 4, 0, 3_000)])))).toEqual([0]);
    // It has heard that it has none any more.
    expect(budgetsIn(keep(successor, demand('c1', 3, 2, 2, [leaf(4, 4, 0, 4_000)])))).toEqual([5_000]);
  });

  it('let queries start for what the hard limit and the quota allow, whoever is cut off (V3, F3)', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { startedMs, seconds, inFlightMs } = new CpuWorld(seed).run();
      expect(startedMs).toBeLessThanOrEqual(
        LIMITED.hardCpuLimitMs + LIMITED.cpuQuotaMsPerSecond * seconds + inFlightMs,
      );
      expect(startedMs).toBeGreaterThan(0.7 * (LIMITED.hardCpuLimitMs + LIMITED.cpuQuotaMsPerSecond * seconds));
    }
  });
});

const STEP_MS = 20;
const QUERY_CPU_MS = 400;

/** Two coordinators with more to run than there is CPU for; each step one query ends. Now and then one is cut off. */
class CpuWorld {
  private readonly random;
  private readonly owner = new TestOwner([spec('a', LIMITED)]);
  private readonly sides;
  private startedMs = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.sides = ['c1', 'c2'].map((coordinatorId) => ({
      holder: new LeaseHolder({ life: { coordinatorId, incarnation: 1 }, random: this.random }),
      ...{ running: 0, cpuMs: 0, arrived: 100, isCut: false },
    }));
  }

  run(): { readonly startedMs: number; readonly seconds: number; readonly inFlightMs: number } {
    const seconds = 120;
    for (const side of this.sides) this.tell(side, { kind: 'streamOpened', epoch: 1 });
    for (let step = 0; step * STEP_MS < seconds * 1_000; step++) {
      this.owner.nowMs += STEP_MS;
      this.deliver(this.owner.passes(0));
      for (const side of this.sides) {
        if (randomInt(this.random, 200) === 0) {
          side.isCut = !side.isCut;
          this.tell(side, side.isCut ? { kind: 'streamLost' } : { kind: 'streamOpened', epoch: 1 });
        }
        if (side.running > 0) {
          side.running--;
          side.cpuMs += QUERY_CPU_MS;
        }
        this.wants(side);
        while (side.holder.mayStart('a', instant(this.owner.nowMs))) {
          side.running++;
          side.arrived++;
          this.startedMs += QUERY_CPU_MS;
          this.wants(side);
        }
        this.tell(side, { kind: 'tick' });
      }
    }
    // A budget allows starts until what has ended is known to have used it up.
    return { startedMs: this.startedMs, seconds, inFlightMs: 2 * 20 * QUERY_CPU_MS };
  }

  private wants(side: (typeof this.sides)[number]): void {
    const { running, cpuMs, arrived } = side;
    const since = instant(this.owner.nowMs);
    const waits = { waiting: 100, oldest: [{ since, priority: 1 }], arrived };
    this.tell(side, { kind: 'wants', leaves: [{ group: 'a', template: 'a', running, cpuMs, ...waits }] });
  }

  private tell(side: (typeof this.sides)[number], event: HolderEvent): void {
    for (const effect of side.holder.apply(event, instant(this.owner.nowMs))) {
      if (effect.kind === 'send' && !side.isCut)
        this.deliver(this.owner.keep(this.owner.apply({ kind: 'demand', demand: effect.demand })));
    }
  }

  private deliver(effects: readonly OwnerEffect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'grant') continue;
      const side = this.sides[effect.to.coordinatorId === 'c1' ? 0 : 1];
      if (side !== undefined && !side.isCut) this.tell(side, { kind: 'grant', grant: effect.grant });
    }
  }
}
