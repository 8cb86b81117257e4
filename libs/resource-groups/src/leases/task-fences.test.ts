import type { FenceList, TaskStamp } from './lease-messages.js';
import { TaskFences } from './task-fences.js';

const stamp = (coordinatorId: string, incarnation: number, epoch: number, seq: number): TaskStamp => ({
  ...{ coordinatorId, incarnation, epoch, seq },
});

const list = (epoch: number, version: number, ...fences: TaskStamp[]): FenceList => ({
  ...{ epoch, version, epochFloor: 0, fences, leasedRootGroups: [], exemptRootGroups: [] },
});

describe('the fences on a worker', () => {
  it('accept nothing before an owner was heard (T2)', () => {
    const fences = new TaskFences();
    expect(fences.judge(stamp('c', 1, 1, 1), 'a')).toBe('notEnrolled');
    fences.hear(list(1, 0));
    expect(fences.judge(stamp('c', 1, 1, 1), 'a')).toBe('accepted');
  });

  it('refuse what is not above the fence of its coordinator: by life, then by epoch, then by demand (T1)', () => {
    const fences = new TaskFences();
    fences.hear(list(3, 1, stamp('c', 20, 2, 7)));
    expect(fences.judge(stamp('c', 10, 9, 99), 'a')).toBe('fenced');
    expect(fences.judge(stamp('c', 20, 1, 99), 'a')).toBe('fenced');
    expect(fences.judge(stamp('c', 20, 2, 7), 'a')).toBe('fenced');
    expect(fences.judge(stamp('c', 20, 2, 8), 'a')).toBe('accepted');
    expect(fences.judge(stamp('c', 20, 3, 1), 'a')).toBe('accepted');
    expect(fences.judge(stamp('c', 21, 1, 1), 'a')).toBe('accepted');
    expect(fences.judge(stamp('d', 1, 1, 1), 'a')).toBe('accepted');
  });

  it('refuse all older epochs below the floor', () => {
    const fences = new TaskFences();
    fences.hear({ ...list(4, 1), epochFloor: 4 });
    expect(fences.judge(stamp('c', 1, 3, 99), 'a')).toBe('fenced');
    expect(fences.judge(stamp('c', 1, 4, 1), 'a')).toBe('accepted');
  });

  it('keep the newest list, in whatever order they come (T4)', () => {
    const fences = new TaskFences();
    fences.hear(list(2, 2, stamp('c', 1, 2, 5)));
    fences.hear(list(2, 1));
    fences.hear(list(1, 9));
    expect(fences.kept).toEqual({ epoch: 2, version: 2 });
    expect(fences.judge(stamp('c', 1, 2, 5), 'a')).toBe('fenced');
    fences.hear(list(3, 0));
    expect(fences.judge(stamp('c', 1, 2, 5), 'a')).toBe('accepted');
  });

  it('refuse tasks without a stamp where a lease is needed, from the first list that says so (T3)', () => {
    const fences = new TaskFences();
    expect(fences.judge(undefined, 'a.x')).toBe('accepted');
    const names = ['a', 'alice.smith', 'bi-${USER}-${SOURCE}'];
    fences.hear({ ...list(1, 0), leasedRootGroups: names, exemptRootGroups: ['bi-of-etl', '${USER}-nightly'] });
    expect(fences.judge(undefined, 'a')).toBe('leaseRequired');
    expect(fences.judge(undefined, 'a.x')).toBe('leaseRequired');
    expect(fences.judge(undefined, '"alice.smith".x')).toBe('leaseRequired');
    expect(fences.judge(undefined, 'alice.smith')).toBe('accepted');
    expect(fences.judge(undefined, 'bi-bob-cli')).toBe('leaseRequired');
    expect(fences.judge(undefined, '"bi-""b""-x.y".z')).toBe('leaseRequired');
    for (const other of ['b', 'b.a', 'bi-', 'bi-of-etl', 'bi-bob-nightly', 'abi-bob-x'])
      expect(fences.judge(undefined, other)).toBe('accepted');
  });
});
