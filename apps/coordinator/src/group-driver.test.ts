import { type Clock, type Instant, instant, queryId } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import type { GroupEffect, GroupEvent } from '@tutti/resource-groups';
import { GroupDriver } from './group-driver.js';

const start = (id: string): GroupEffect => ({ kind: 'start', queryId: queryId(id) });
const requeue = (id: string): GroupEffect => ({ kind: 'requeue', queryId: queryId(id) });
const finished = (id: string): GroupEvent => ({ kind: 'finished', queryId: queryId(id) });
const nameOf = (of: GroupEvent | GroupEffect): string => ('queryId' in of ? `${of.kind} ${of.queryId}` : of.kind);

/** A group machine that answers as it is told. */
class ScriptedGroups {
  readonly heard: string[] = [];
  wake: Instant = instant(Infinity);
  answers: GroupEffect[][] = [];

  apply(event: GroupEvent): GroupEffect[] {
    this.heard.push(nameOf(event));
    return this.answers.shift() ?? [];
  }

  wakeAt(): Instant {
    return this.wake;
  }
}

/** A clock whose machine can be suspended: the monotonic time stands still, the wall clock does not. */
class SuspendableClock implements Clock {
  readonly fake = new FakeClock(1_000);
  private suspendedMs = 0;

  now = () => this.fake.now();
  wallMs = () => this.fake.wallMs() + this.suspendedMs;
  schedule = (delayMs: number, action: () => void) => this.fake.schedule(delayMs, action);

  suspend(ms: number): void {
    this.suspendedMs += ms;
  }
}

describe('driving the group machine', () => {
  let groups: ScriptedGroups;
  let clock: SuspendableClock;
  let done: string[];
  let causes: string[];
  let onEffect: (effect: GroupEffect) => void;
  let driver: GroupDriver;
  beforeEach(() => {
    groups = new ScriptedGroups();
    clock = new SuspendableClock();
    done = [];
    causes = [];
    onEffect = () => {};
    const carryOut = (effect: GroupEffect, cause: GroupEvent) => {
      done.push(nameOf(effect));
      causes.push(nameOf(cause));
      onEffect(effect);
    };
    driver = new GroupDriver({ groups, carryOut, clock });
  });

  test('V1: what an effect leads to comes after the others of its list', () => {
    groups.answers = [[start('q1'), start('q2')], [requeue('q2')]];
    onEffect = (effect) => {
      if (effect.kind === 'start' && effect.queryId === 'q1') driver.apply(finished('q0'));
    };
    driver.apply({ kind: 'tick' });
    expect(groups.heard).toEqual(['tick', 'finished q0']);
    expect(done).toEqual(['start q1', 'start q2', 'requeue q2']);
  });

  test('V1: each effect comes with what the machine was told when it decided so', () => {
    groups.answers = [[start('q1'), start('q2')], [requeue('q2')]];
    onEffect = (effect) => {
      if (effect.kind === 'start' && effect.queryId === 'q1') driver.apply(finished('q0'));
    };
    driver.apply({ kind: 'tick' });
    expect(causes).toEqual(['tick', 'tick', 'finished q0']);
  });

  test('V1: an effect that fails keeps none of the others from being carried out', () => {
    groups.answers = [[start('q1'), start('q2')]];
    onEffect = () => {
      onEffect = () => {};
      throw new Error('a bug');
    };
    expect(() => driver.apply({ kind: 'tick' })).toThrow('a bug');
    driver.apply({ kind: 'tick' });
    expect(done).toEqual(['start q1', 'start q2']);
  });

  test('V2: after the machine stood still that is said first, once', () => {
    driver.apply({ kind: 'tick' });
    clock.suspend(20_000);
    driver.apply(finished('q1'));
    driver.apply(finished('q2'));
    expect(groups.heard).toEqual(['tick', 'overslept', 'finished q1', 'finished q2']);
  });

  test('V3: it ticks when the group machine wants to wake, and sleeps when it does not', async () => {
    groups.wake = instant(1_250);
    driver.apply(finished('q1'));
    await clock.fake.advance(249);
    expect(groups.heard).toEqual(['finished q1']);
    groups.wake = instant(Infinity);
    await clock.fake.advance(60_000);
    expect(groups.heard).toEqual(['finished q1', 'tick']);
  });

  test('V3: an earlier wish counts, and a wish for now does not stop the clock', async () => {
    groups.wake = instant(9_000);
    driver.apply(finished('q1'));
    groups.wake = instant(1_100);
    driver.apply(finished('q2'));
    await clock.fake.advance(100);
    expect(groups.heard).toEqual(['finished q1', 'finished q2', 'tick']);
    await clock.fake.advance(10);
    expect(groups.heard).toHaveLength(13);
  });
});
