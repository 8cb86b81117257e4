import { queryId } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import type { ShardStamp } from '@tutti/lease-wire';
import type { GroupEvent } from '@tutti/resource-groups';
import { Contact } from './core/contact.js';
import { Slots } from './slots.js';

const QUERY = queryId('20261122_000000_00001_aaaaa');
const leaseOf = (epoch: number, seq: number): ShardStamp => ({
  shard: 3,
  stamp: { coordinatorId: 'c1', incarnation: 1, epoch, seq },
});

describe('the slots of queries', () => {
  let clock: FakeClock;
  let contact: Contact;
  let stamp: ShardStamp | 'notNow' | undefined;
  let told: GroupEvent[];
  let onEvent: () => void;
  let mayHaveTasks: boolean;
  let slots: Slots;
  beforeEach(() => {
    clock = new FakeClock(1_000);
    contact = new Contact(3_000);
    stamp = leaseOf(1, 7);
    told = [];
    onEvent = () => {};
    mayHaveTasks = false;
    slots = new Slots({
      groups: { taskStamp: () => stamp, leaseFigures: () => [] },
      apply: (event) => {
        told.push(event);
        onEvent();
      },
      mayHaveTasks: () => mayHaveTasks,
      contact,
      clock,
    });
  });

  test('T1, T2: a task is allowed while the lease holds, carries it, and the group hears of it before', () => {
    const slot = slots.give(QUERY, 'global');
    expect(slot.permit()).toEqual({ kind: 'granted', lease: leaseOf(1, 7) });
    expect(told).toEqual([{ kind: 'sent', queryId: QUERY }]);
    stamp = 'notNow';
    expect(slot.permit()).toEqual({ kind: 'notNow' });
  });

  test('T3: while the lease is over the group hears that nothing of the query is on any worker, as soon as that is so', () => {
    const slot = slots.give(QUERY, 'global');
    slot.permit();
    stamp = 'notNow';
    mayHaveTasks = true;
    slot.permit();
    expect(told.filter(({ kind }) => kind === 'nowhere')).toEqual([]);
    mayHaveTasks = false;
    onEvent = () => {
      if (told.at(-1)?.kind === 'nowhere') slot.takeBack();
    };
    expect(slot.permit()).toEqual({ kind: 'notNow' });
    expect([told.at(-1), slot.takenBack.aborted]).toEqual([{ kind: 'nowhere', queryId: QUERY }, true]);
  });

  test('T1: what is found out only now counts: a lease that has just ended allows nothing', () => {
    onEvent = () => (stamp = 'notNow');
    expect(slots.give(QUERY, 'global').permit()).toEqual({ kind: 'notNow' });
  });

  test('T2: after a refusal only a newer lease will do, of the same owner or of a later one', () => {
    const slot = slots.give(QUERY, 'global');
    expect(slot.permit(leaseOf(1, 7))).toEqual({ kind: 'notNow' });
    stamp = leaseOf(1, 8);
    expect(slot.permit(leaseOf(1, 7)).kind).toBe('granted');
    stamp = leaseOf(2, 1);
    expect(slot.permit(leaseOf(1, 7)).kind).toBe('granted');
    stamp = leaseOf(1, 9);
    expect(slot.permit(leaseOf(2, 1)).kind).toBe('notNow');
  });

  test('T2: without leases a slot is good while others certainly count it', async () => {
    stamp = undefined;
    contact.heard(clock.now());
    const slot = slots.give(QUERY, 'global');
    expect(slot.permit()).toEqual({ kind: 'granted', lease: undefined });
    await clock.advance(5_000);
    expect(slot.permit()).toEqual({ kind: 'lost' });
    contact.heard(clock.now());
    expect(slot.permit()).toEqual({ kind: 'lost' }); // Others may have taken it meanwhile.
    expect(slots.give(QUERY, 'global').permit().kind).toBe('granted');
  });

  test('T3: a slot that was taken back allows nothing any more; the next one of the query is its own', () => {
    const slot = slots.give(QUERY, 'global');
    slot.takeBack();
    expect([slot.takenBack.aborted, slot.permit()]).toEqual([true, { kind: 'notNow' }]);
    expect(told).toEqual([]);
    expect(slots.give(QUERY, 'global').permit().kind).toBe('granted');
  });

  test('whoever waits for a lease hears when there may be one', async () => {
    let woken = false;
    void slots
      .give(QUERY, 'global')
      .leaseNews.wait()
      .then(() => (woken = true));
    await clock.advance(0);
    expect(woken).toBe(false);
    slots.onNews();
    await clock.advance(0);
    expect(woken).toBe(true);
  });
});
