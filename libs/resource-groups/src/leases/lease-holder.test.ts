// What a holder does that the stories do not tell: its silence, its renewals, and what it makes of hints.
import { instant, seededRandom } from '@tutti/base';
import { groupSpec } from '../group-config.js';
import type { HolderEvent } from './holder-events.js';
import type { LeafWants } from './holder-leaf.js';
import { LeaseHolder } from './lease-holder.js';
import type { Demand } from './lease-messages.js';
import type { OwnerEffect } from './owner-events.js';
import { TestOwner } from './testing/test-owner.js';

/** A coordinator's holder and the owner of group `a`; messages take no time. */
class Pair {
  readonly owner = new TestOwner([groupSpec({ name: 'a', hardConcurrencyLimit: 10, maxQueued: 100 })]);
  readonly holder = new LeaseHolder({ life: { coordinatorId: 'c1', incarnation: 1 }, random: seededRandom(3) });
  readonly sent: Demand[] = [];
  private arrived = 0;

  constructor(now: number) {
    this.owner.nowMs = now;
    this.apply({ kind: 'streamOpened', epoch: 1 });
  }

  get now() {
    return instant(this.owner.nowMs);
  }

  apply(event: HolderEvent): void {
    for (const effect of this.holder.apply(event, this.now)) {
      if (effect.kind !== 'send') continue;
      this.sent.push(effect.demand);
      this.deliver(this.owner.keep(this.owner.apply({ kind: 'demand', demand: effect.demand })));
    }
  }

  private deliver(effects: readonly OwnerEffect[]): void {
    for (const effect of effects) if (effect.kind === 'grant') this.apply({ kind: 'grant', grant: effect.grant });
  }

  wants(running: number, waiting: number, came = 0): void {
    this.arrived += came;
    const oldest = Array.from({ length: waiting }, () => ({ since: this.now, priority: 1 }));
    const leaf: LeafWants = { group: 'a', template: 'a', running, waiting, oldest, arrived: this.arrived };
    this.apply({ kind: 'wants', leaves: [leaf] });
  }

  /** Lets time pass; whoever is due is woken. */
  passes(ms: number): void {
    const end = this.owner.nowMs + ms;
    for (let at; (at = Math.min(this.holder.wakeAt(), this.owner.owner.wakeAt() ?? Infinity)) <= end;) {
      this.owner.nowMs = Math.max(at, this.owner.nowMs);
      this.deliver(this.owner.passes(0));
      this.apply({ kind: 'tick' });
    }
    this.owner.nowMs = end;
  }
}

describe('a holder', () => {
  it('says nothing any more when it has nothing and the owner knows; its next wish needs one exchange (H6)', () => {
    const pair = new Pair(1_000);
    pair.wants(0, 3, 3);
    pair.wants(3, 0);
    pair.passes(5_000);
    pair.wants(0, 0);
    pair.passes(60_000);
    expect(pair.holder.isIdle).toBe(true);
    expect(pair.holder.wakeAt()).toBe(Infinity);
    expect(pair.owner.owner.groups()).toEqual([]);
    const before = pair.sent.length;
    pair.passes(3_600_000);
    expect(pair.sent).toHaveLength(before);
    pair.wants(0, 1, 1);
    expect(pair.sent).toHaveLength(before + 1);
    expect(pair.holder.mayStart('a', pair.now)).toBe(true);
  });

  it('tells each owner once, even that it has nothing: nobody needs to wait for it', () => {
    const pair = new Pair(1_000);
    expect(pair.sent).toMatchObject([{ baseSeq: undefined, leaves: [] }]);
    pair.passes(60_000);
    pair.apply({ kind: 'streamLost' });
    pair.apply({ kind: 'streamOpened', epoch: 1 });
    expect(pair.sent).toHaveLength(2);
  });

  it('goes on telling until it has been answered', () => {
    const pair = new Pair(1_000);
    const silent = new LeaseHolder({ life: { coordinatorId: 'c2', incarnation: 1 }, random: seededRandom(3) });
    expect(silent.apply({ kind: 'streamOpened', epoch: 1 }, pair.now)).toHaveLength(1);
    expect(silent.isIdle).toBe(false);
    const again = silent.wakeAt();
    expect(silent.apply({ kind: 'tick' }, again)).toHaveLength(1);
    expect(silent.wakeAt()).toBeLessThan(Infinity);
  });

  it('does not take queries of long ago for new ones', () => {
    const pair = new Pair(1_000);
    pair.wants(1, 0, 1_000);
    expect(pair.sent.at(-1)?.leaves).toMatchObject([{ slack: 1 }]);
  });

  it('renews sooner when asked to, with others of the same owner', () => {
    const pair = new Pair(1_000);
    pair.wants(0, 1, 1);
    pair.wants(1, 0);
    pair.passes(1_500);
    const before = pair.sent.length;
    const dueInMs = pair.holder.wakeAt() - pair.now;
    pair.apply({ kind: 'tick', renewWithinMs: dueInMs - 1 });
    expect(pair.sent).toHaveLength(before);
    pair.apply({ kind: 'tick', renewWithinMs: dueInMs });
    expect(pair.sent).toHaveLength(before + 1);
    expect(pair.holder.wakeAt() - pair.now).toBeGreaterThanOrEqual(790);
  });

  it('uses a slot that it is asked for while it cannot tell, but not for long (F2)', () => {
    const holder = new LeaseHolder({ life: { coordinatorId: 'c1', incarnation: 1 }, random: seededRandom(3) });
    const wants = (now: number, running: number): void => {
      const waits = { waiting: 5, oldest: [{ since: instant(now), priority: 1 }], arrived: 100 };
      holder.apply({ kind: 'wants', leaves: [{ group: 'a', template: 'a', running, ...waits }] }, instant(now));
    };
    const order = { epoch: 1, ttlMs: 10_000, hints: [] };
    const held = (now: number) => holder.explain('a', instant(now))?.held;
    wants(0, 0);
    holder.apply({ kind: 'streamOpened', epoch: 1 }, instant(0));
    const grant = { ...order, kind: 'renewed', number: 1, ackSeq: 1, caps: [{ group: 'a', cap: 4 }] } as const;
    holder.apply({ kind: 'grant', grant: { ...grant, wishes: [{ group: 'a', mode: 'ends', keep: 1 }] } }, instant(2));
    wants(10, 4);
    // One ends that can be told at once, then others while the demand that says so has no answer.
    wants(500, 3);
    expect(held(500)).toBe(3);
    wants(600, 2);
    wants(600, 3);
    expect(held(600)).toBe(3);
    wants(1_100, 2);
    expect(held(1_100)).toBe(2);
  });

  it('relies on no answer to what it asked before it stood still: nobody knows how long ago that was (H4)', () => {
    const holder = new LeaseHolder({ life: { coordinatorId: 'c1', incarnation: 1 }, random: seededRandom(3) });
    const leaf = { group: 'a', template: 'a', waiting: 0, oldest: [], arrived: 9 };
    const sent: Demand[] = [];
    const apply = (now: number, event: HolderEvent): void => {
      for (const effect of holder.apply(event, instant(now))) if (effect.kind === 'send') sent.push(effect.demand);
    };
    const grant = (now: number, number: number, kind: 'renewed' | 'pushed', ackSeq: number, cap: number): void => {
      const caps = [{ group: 'a', cap }];
      const order = { epoch: 1, ttlMs: 10_000, wishes: [], hints: [] };
      apply(now, { kind: 'grant', grant: { ...order, number, kind, ackSeq, caps } });
    };
    apply(0, { kind: 'wants', leaves: [{ ...leaf, running: 1 }] });
    apply(0, { kind: 'streamOpened', epoch: 1 });
    grant(2, 1, 'pushed', 1, 3);
    expect(sent).toHaveLength(1);
    // The machine sleeps for an hour, and its clock with it. Then comes what had arrived meanwhile.
    apply(4, { kind: 'overslept' });
    grant(4, 2, 'renewed', 1, 3);
    expect([holder.isValid(instant(4)), holder.mayStart('a', instant(4))]).toEqual([false, false]);
    apply(5, { kind: 'tick' });
    expect(sent.slice(1)).toMatchObject([{ seq: 2, isLapsed: true, leaves: [{ group: 'a', running: 1, held: 1 }] }]);
    grant(7, 3, 'renewed', 2, 2);
    expect(holder.explain('a', instant(7))).toMatchObject({ isValid: true, running: 1, held: 2, leaseAgeMs: 2 });
  });

  it('keeps what was said of the wait until nothing waits (Q1)', () => {
    const pair = new Pair(1_000);
    pair.wants(0, 10, 10);
    pair.wants(10, 0);
    pair.passes(1_000);
    expect(pair.holder.hint('a')).toBeUndefined();
    pair.wants(10, 1, 1);
    expect(pair.holder.hint('a')).toEqual({
      ...{ group: 'a', blockingGroup: 'a', limit: 10, held: 10, aheadElsewhere: 0, isApproximate: false },
    });
    pair.wants(10, 0);
    expect(pair.holder.hint('a')).toBeUndefined();
  });
});
